import { expect } from 'chai';
import { type Observable, throwError } from 'rxjs';
import type { LeaseSnapshot } from '../../streams/model.ts';
import { Problem } from '../../streams/problem.ts';
import { tryAcquireOrRenew } from '../../streams/try-acquire-or-renew.ts';
import { leaseOf } from '../support/lease-of.ts';
import { marbles } from '../support/marbles.ts';
import { noJitter } from '../support/no-jitter.ts';

const taken = leaseOf('a', { holder: 'me', resourceVersion: '9' });
const conflict = new Problem('the Lease has changed', 409);
const failed = (retryInMs: number) => ({ type: 'leadership/failed', status: 409, error: conflict.message, retryInMs });
const held = (sentAtMs: number) => ({ type: 'lease/held', lease: taken, sentAtMs });

/** Ports whose queue answers each write with the next of these, and what it was asked to write. */
const answering = (nowMs: () => number, ...answers: Observable<LeaseSnapshot>[]) => {
  const asked: [string, string | null][] = [];
  const ports = {
    queue: {
      written$: throwError(() => new Error('nobody listens')),
      write: ({ kind }: { readonly kind: string }, plannedOn: LeaseSnapshot | null) => {
        asked.push([kind, plannedOn?.resourceVersion ?? null]);
        return answers.shift()!;
      },
    },
    clock: { wallMs: () => 0, monotonicMs: nowMs },
    random: noJitter,
  };
  return { ports, asked };
};

describe('holdLease', () => {
  it('holds it from the instant of sending, not from that of the answer', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const answer$ = cold('   ---(a|)', { a: taken });
      const { ports } = answering(() => 5_000 + scheduler.now(), answer$);
      const subs = '           ^--!';
      const expected = '       ---(h|)';
      expectObservable(tryAcquireOrRenew('renew', () => taken, ports)).toBe(expected, { h: held(5_000) });
      expectSubscriptions(answer$.subscriptions).toBe(subs);
    });
  });

  it('writes what it was asked for on the newest Lease', () => {
    for (const kind of ['claim', 'renew'] as const) {
      marbles(({ cold, expectObservable, flush }) => {
        const { ports, asked } = answering(() => 0, cold('(a|)', { a: taken }));
        expectObservable(tryAcquireOrRenew(kind, () => leaseOf(null, { resourceVersion: '7' }), ports)).toBe('(h|)', {
          h: held(0),
        });
        flush();
        expect(asked).to.deep.equal([[kind, '7']]);
      });
    }
  });

  it('claims a Lease that is not there, whatever it was asked for', () => {
    marbles(({ cold, expectObservable, flush }) => {
      const { ports, asked } = answering(() => 0, cold('(a|)', { a: taken }));
      expectObservable(tryAcquireOrRenew('renew', () => null, ports)).toBe('(h|)', { h: held(0) });
      flush();
      expect(asked).to.deep.equal([['claim', null]]);
    });
  });

  it('backs off after a conflict and looks again: each try rests on the newest Lease and counts from its own sending', () => {
    marbles(({ cold, expectObservable, expectSubscriptions, flush }, scheduler) => {
      const first$ = cold<LeaseSnapshot>('  -#', undefined, conflict);
      const second$ = cold<LeaseSnapshot>('           -#', undefined, conflict);
      const third$ = cold('                       --(a|)', { a: taken });
      const { ports, asked } = answering(() => scheduler.now(), first$, second$, third$);
      let version = 0;
      const expected = '      -f 800ms  g 1600ms -(h|)';
      expectObservable(
        tryAcquireOrRenew('claim', () => leaseOf(null, { resourceVersion: `${++version}` }), ports),
      ).toBe(expected, {
        f: failed(800),
        g: failed(1_600),
        h: held(2_402),
      });
      expectSubscriptions(first$.subscriptions).toBe(' ^!');
      expectSubscriptions(second$.subscriptions).toBe('801ms ^!');
      expectSubscriptions(third$.subscriptions).toBe(' 2402ms ^-!');
      flush();
      expect(asked).to.deep.equal([
        ['claim', '1'],
        ['claim', '2'],
        ['claim', '3'],
      ]);
    });
  });

  it('gives up at once, in the write or between two, when nobody waits any more', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const first$ = cold('-----(a|)', { a: taken });
      const { ports } = answering(() => 0, first$);
      expectObservable(
        tryAcquireOrRenew('renew', () => taken, ports),
        '^--!',
      ).toBe('');
      expectSubscriptions(first$.subscriptions).toBe('^--!');

      const failing$ = cold<LeaseSnapshot>('-#', undefined, conflict);
      const never$ = cold<LeaseSnapshot>('-');
      const { ports: waiting } = answering(() => 0, failing$, never$);
      expectObservable(
        tryAcquireOrRenew('renew', () => taken, waiting),
        '^ 400ms !',
      ).toBe('-f', { f: failed(800) });
      expectSubscriptions(never$.subscriptions).toBe([]);
    });
  });

  it('rethrows an error that is no Problem, since it is a bug', () => {
    const bug = new TypeError('a bug');
    let told: unknown = null;
    tryAcquireOrRenew(
      'renew',
      () => taken,
      answering(
        () => 0,
        throwError(() => bug),
      ).ports,
    ).subscribe({
      error: (error: unknown) => (told = error),
    });
    expect(told).to.equal(bug);
  });
});
