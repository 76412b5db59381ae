import { expect } from 'chai';
import { concat, defer, merge, mergeMap, NEVER, of, throwError } from 'rxjs';
import { serialQueue } from '../../streams/lease-writer.ts';
import { marbles } from '../support/marbles.ts';

describe('serialQueue', () => {
  it('runs a job at once when none is running', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const job$ = cold('-a-b|');
      const subs = '     ^---!';
      const expected = ' -a-b|';
      expectObservable(serialQueue()(job$)).toBe(expected);
      expectSubscriptions(job$.subscriptions).toBe(subs);
    });
  });

  it('starts a job when the one before has completed', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const inTurn = serialQueue();
      const first$ = cold(' --a|     ');
      const second$ = cold('   -b|   ');
      const third$ = cold('      --c|');
      expectObservable(inTurn(first$)).toBe(' --a|     ');
      expectObservable(inTurn(second$)).toBe('----b|   ');
      expectObservable(inTurn(third$)).toBe(' -------c|');
      expectSubscriptions(first$.subscriptions).toBe(' ^--!     ');
      expectSubscriptions(second$.subscriptions).toBe('---^-!   ');
      expectSubscriptions(third$.subscriptions).toBe(' -----^--!');
    });
  });

  it('runs jobs in the order of subscription, not of making', () => {
    marbles(({ cold, expectObservable }) => {
      const inTurn = serialQueue();
      const first$ = inTurn(cold('--a|'));
      const second$ = inTurn(cold('-b|'));
      expectObservable(second$).toBe('-b|');
      expectObservable(first$).toBe('----a|');
    });
  });

  it('hands an error to the one who asked, and goes on', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const inTurn = serialQueue();
      const first$ = cold(' --#  ');
      const second$ = cold('  -b|');
      expectObservable(inTurn(first$)).toBe(' --#  ');
      expectObservable(inTurn(second$)).toBe('---b|');
      expectSubscriptions(first$.subscriptions).toBe(' ^-!');
      expectSubscriptions(second$.subscriptions).toBe('--^-!');
    });
  });

  it('skips a job whose subscriber has gone before its turn', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const inTurn = serialQueue();
      const first$ = cold('----a|');
      const second$ = cold('-b|');
      const third$ = cold('-c|');
      const unsub = '^-!';
      expectObservable(inTurn(first$)).toBe('----a|');
      expectObservable(inTurn(second$), unsub).toBe('');
      expectObservable(inTurn(third$)).toBe('------c|');
      expectSubscriptions(second$.subscriptions).toBe([]);
      expectSubscriptions(third$.subscriptions).toBe('-----^-!');
    });
  });

  it('aborts the running job when its subscriber goes, and starts the next', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const inTurn = serialQueue();
      const first$ = cold('-----a|');
      const second$ = cold('-b|');
      const unsub = '^--!';
      expectObservable(inTurn(first$), unsub).toBe('');
      expectObservable(inTurn(second$)).toBe('----b|');
      expectSubscriptions(first$.subscriptions).toBe('^--!');
      expectSubscriptions(second$.subscriptions).toBe('---^-!');
    });
  });

  it('runs a job again for each subscriber', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const job$ = cold('-a|');
      const queued$ = serialQueue()(job$);
      expectObservable(queued$).toBe('-a|');
      expectObservable(queued$).toBe('---a|');
      expectSubscriptions(job$.subscriptions).toBe(['^-!', '--^-!']);
    });
  });

  it('keeps the order when an answer asks for the next job, and loses none of hundreds that answer at once', () => {
    const inTurn = serialQueue();
    const told: string[] = [];
    const asking$ = inTurn(of('a')).pipe(mergeMap((a) => merge(of(a), inTurn(of('c')), inTurn(of('d')))));
    merge(asking$, inTurn(of('e'))).subscribe((value) => told.push(value));
    expect(told).to.deep.equal(['a', 'c', 'd', 'e']);

    let done = 0;
    const held = inTurn(NEVER).subscribe();
    for (let job = 0; job < 500; job += 1) inTurn(of(job)).subscribe(() => (done += 1));
    held.unsubscribe();
    expect(done).to.equal(500);
  });

  it('lets a bug of one job through to its subscriber alone', () => {
    const inTurn = serialQueue();
    const told: unknown[] = [];
    const bug = new TypeError('a bug');
    inTurn(
      concat(
        of('before'),
        throwError(() => bug),
      ),
    ).subscribe({ next: (v) => told.push(v), error: (e: unknown) => told.push(e) });
    inTurn(
      defer(() => {
        throw bug;
      }),
    ).subscribe({ error: (e: unknown) => told.push(e) });
    inTurn(of('after')).subscribe((value) => told.push(value));
    expect(told).to.deep.equal(['before', bug, bug, 'after']);
  });
});
