import { expect } from 'chai';
import { of, Subject, throwError } from 'rxjs';
import { type LeaseChange, type LeaseWritePort, leaseWriter } from '../../streams/lease-writer.ts';
import type { LeaseSnapshot } from '../../streams/model.ts';
import { Problem } from '../../streams/problem.ts';
import { leaseOf } from '../support/lease-of.ts';
import { marbles } from '../support/marbles.ts';

const renew: LeaseChange = { kind: 'renew' };
const announce: LeaseChange = {
  kind: 'announce',
  announcement: { hash: 'b', validUntil: 'soon' },
  clearsRotationRequest: false,
};

const at = (resourceVersion: string, rest: Partial<LeaseSnapshot> = {}): LeaseSnapshot =>
  leaseOf('a', { holder: 'me', resourceVersion, ...rest });

/** A port that takes every write and answers with the Leases given, one after the other. */
const answering = (...answers: readonly LeaseSnapshot[]) => {
  const asked: [string, string | null][] = [];
  const left = [...answers];
  const port: LeaseWritePort = {
    writeLease: ({ kind }, plannedOn) => {
      asked.push([kind, plannedOn?.resourceVersion ?? null]);
      return of(left.shift()!);
    },
  };
  return { port, asked };
};

/** What becomes of a change decided on version 1 when our own write meanwhile made version 2. */
const after = (change: LeaseChange, written: Partial<LeaseSnapshot>): unknown => {
  const { port, asked } = answering(at('2', written), at('3'));
  const queue = leaseWriter(port);
  queue.write(renew, at('1')).subscribe();
  let outcome: unknown = null;
  queue.write(change, at('1')).subscribe({
    next: () => (outcome = `written on ${asked.at(-1)?.[1] ?? 'nothing'}`),
    error: (error: unknown) => (outcome = error),
  });
  return outcome;
};

describe('leaseQueue', () => {
  it('hands the change and its plannedOn to the port, and the answer back', () => {
    const asked: unknown[] = [];
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const answer$ = cold('--(a|)', { a: at('2') });
      const queue = leaseWriter({
        writeLease: (change, plannedOn) => {
          asked.push([change, plannedOn]);
          return answer$;
        },
      });
      expectObservable(queue.write(announce, at('1'))).toBe('--(a|)', { a: at('2') });
      expectObservable(queue.written$).toBe('                --a', { a: at('2') });
      expectSubscriptions(answer$.subscriptions).toBe('               ^-!');
    });
    expect(asked).to.deep.equal([[announce, at('1')]]);
  });

  it('asks the port for nothing before somebody subscribes', () => {
    const { port, asked } = answering(at('2'));
    const write$ = leaseWriter(port).write(renew, at('1'));
    expect(asked).to.deep.equal([]);
    write$.subscribe();
    expect(asked).to.deep.equal([['renew', '1']]);
  });

  it('writes one after the other, renewals included', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const first$ = cold('---(a|)', { a: at('2', { announcement: { hash: 'b', validUntil: 'soon' } }) });
      const second$ = cold('--(b|)', { b: at('3') });
      const answers = [first$, second$];
      const queue = leaseWriter({ writeLease: () => answers.shift()! });
      expectObservable(queue.write(announce, at('1'))).toBe('---(a|)', {
        a: at('2', { announcement: { hash: 'b', validUntil: 'soon' } }),
      });
      expectObservable(queue.write(renew, at('1'))).toBe('-----(b|)', { b: at('3') });
      expectSubscriptions(first$.subscriptions).toBe('^--!');
      expectSubscriptions(second$.subscriptions).toBe('---^-!');
    });
  });

  it('takes a write out of the line when nobody waits for it any more', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const first$ = cold('----(a|)', { a: at('2') });
      const second$ = cold('-(b|)', { b: at('3') });
      const answers = [first$, second$];
      const queue = leaseWriter({ writeLease: () => answers.shift()! });
      expectObservable(queue.write(renew, at('1')), '^-!').toBe('');
      expectObservable(queue.write(renew, at('1')), '^!').toBe('');
      expectObservable(queue.write(announce, at('1'))).toBe('---(b|)', { b: at('3') });
      expectSubscriptions(first$.subscriptions).toBe('^-!');
      expectSubscriptions(second$.subscriptions).toBe('--^!');
    });
  });

  it('rebases a write that waited behind a renewal of ours', () => {
    expect(after(announce, { renewTime: 'later' })).to.equal('written on 2');
    expect(after({ kind: 'record-served', sinceMs: 7 }, {})).to.equal('written on 2');
    expect(after({ kind: 'set-rotation-request', rotate: null }, {})).to.equal('written on 2');
  });

  it('rebases a write over the mark of the same trust, and refuses it once that mark is gone', () => {
    const trusted = { cas: ['A'], sinceMs: 7 };
    const outcomes = [{ trusted }, { trusted: null }].map((written) => {
      const { port } = answering(at('2', written), at('3'));
      const queue = leaseWriter(port);
      queue.write(renew, at('1', { trusted })).subscribe();
      let outcome: unknown = null;
      queue.write(announce, at('1', { trusted })).subscribe({
        next: () => (outcome = 'written'),
        error: (error: unknown) => (outcome = (error as Problem).status),
      });
      return outcome;
    });
    expect(outcomes).to.deep.equal(['written', 409]);
  });

  it('rebases the first announcement of all too', () => {
    const { port, asked } = answering(at('2', { announcement: null }), at('3'));
    const queue = leaseWriter(port);
    const unannounced = at('1', { announcement: null });
    queue.write(renew, unannounced).subscribe();
    queue.write(announce, unannounced).subscribe();
    expect(asked).to.deep.equal([
      ['renew', '1'],
      ['announce', '2'],
    ]);
  });

  it('refuses a write as a conflict when what it was decided on has changed meanwhile', () => {
    const changes: readonly Partial<LeaseSnapshot>[] = [
      { uid: 'another' },
      { holder: 'rival' },
      { holder: null },
      { announcement: null },
      { announcement: { hash: 'b', validUntil: 'soon' } },
      { rotate: 'ca' },
      { servedSinceMs: 7 },
      { trusted: { cas: ['A'], sinceMs: 7 } },
    ];
    for (const change of changes) {
      const outcome = after(announce, change);
      expect(outcome, JSON.stringify(change)).to.be.instanceOf(Problem);
      expect(outcome).to.include({ status: 409, message: 'the Lease changed before "announce" could be written' });
    }
  });

  it('lets an elector write whatever was announced, marked or asked for meanwhile', () => {
    for (const kind of ['renew', 'claim', 'release'] as const) {
      expect(after({ kind }, { announcement: null, rotate: 'ca', servedSinceMs: 7 })).to.equal('written on 2');
      expect(after({ kind }, { uid: 'another' })).to.include({ status: 409 });
      expect(after({ kind }, { holder: 'rival' })).to.include({ status: 409 });
    }
  });

  it('keeps the plannedOn that is as new as our last write, or newer', () => {
    const { port, asked } = answering(at('5'), at('6'), at('7'), at('8'));
    const queue = leaseWriter(port);
    queue.write(renew, at('4')).subscribe();
    queue.write(renew, at('5')).subscribe();
    queue.write(renew, at('9', { uid: 'made again', announcement: null })).subscribe();
    expect(asked).to.deep.equal([
      ['renew', '4'],
      ['renew', '5'],
      ['renew', '9'],
    ]);
  });

  it('makes a Lease that is not there, whatever it has written before', () => {
    const { port, asked } = answering(at('5'), at('6'));
    const queue = leaseWriter(port);
    queue.write(renew, at('4')).subscribe();
    queue.write({ kind: 'claim' }, null).subscribe();
    expect(asked.at(-1)).to.deep.equal(['claim', null]);
  });

  it('passes a failure to the one who asked, tells nobody else, and goes on', () => {
    marbles(({ cold, expectObservable }) => {
      const answers = [
        cold<LeaseSnapshot>('--#', undefined, new Problem('refused', 500)),
        cold('-(b|)', { b: at('3') }),
      ];
      const queue = leaseWriter({ writeLease: () => answers.shift()! });
      expectObservable(queue.write(renew, at('1'))).toBe('--#', undefined, new Problem('refused', 500));
      expectObservable(queue.write(renew, at('1'))).toBe('---(b|)', { b: at('3') });
      expectObservable(queue.written$).toBe('---b', { b: at('3') });
    });
  });

  it('rethrows an error that is no Problem, since it is a bug', () => {
    const bug = new TypeError('a bug');
    let told: unknown = null;
    leaseWriter({ writeLease: () => throwError(() => bug) })
      .write(renew, at('1'))
      .subscribe({ error: (error: unknown) => (told = error) });
    expect(told).to.equal(bug);
  });

  it('tells the one who wrote before everybody else, even when the echo ends its subscription', () => {
    const answer$ = new Subject<LeaseSnapshot>();
    const queue = leaseWriter({ writeLease: () => answer$ });
    const told: string[] = [];
    const writing = queue.write(renew, at('1')).subscribe(() => told.push('the writer'));
    queue.written$.subscribe(() => {
      told.push('the others');
      writing.unsubscribe();
    });
    answer$.next(at('2'));
    expect(told).to.deep.equal(['the writer', 'the others']);
    expect(answer$.observed).to.equal(false);
  });
});
