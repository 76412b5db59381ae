import { withElapsedSinceFirstSeen } from '../../streams/first-seen.ts';
import { marbles } from '../support/marbles.ts';
import { virtualClock } from '../support/virtual-clock.ts';

describe('firstSight', () => {
  const itself = (value: string): readonly string[] => [value];

  it('pairs each value with the time since its hash was first seen', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }, scheduler) => {
      const value$ = hot('--a-----b--a-|');
      const subs = '      ^------------!';
      const expected = '  --x-----y--z-|';
      expectObservable(value$.pipe(withElapsedSinceFirstSeen(virtualClock(scheduler), itself))).toBe(expected, {
        x: ['a', 0],
        y: ['b', 0],
        z: ['a', 9],
      });
      expectSubscriptions(value$.subscriptions).toBe(subs);
    });
  });

  it('counts from the first of all sights, not from the last', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const value$ = hot('a 4ms a 4ms a');
      const expected = '  x 4ms y 4ms z';
      expectObservable(value$.pipe(withElapsedSinceFirstSeen(virtualClock(scheduler), itself))).toBe(expected, {
        x: ['a', 0],
        y: ['a', 5],
        z: ['a', 10],
      });
    });
  });

  it('remembers every hash of a value and counts for the first of them', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const values = { m: ['a', 'b'], b: ['b'], n: ['b', 'a'] };
      const value$ = hot<string[]>('m-b-n', values);
      const expected = '            x-y-z';
      expectObservable(value$.pipe(withElapsedSinceFirstSeen(virtualClock(scheduler), (hashes) => hashes))).toBe(
        expected,
        {
          x: [values.m, 0],
          y: [values.b, 2],
          z: [values.n, 4],
        },
      );
    });
  });

  it('calls a value without a hash new', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const value$ = hot('a---a---');
      const expected = '  x---x---';
      expectObservable(value$.pipe(withElapsedSinceFirstSeen(virtualClock(scheduler), () => []))).toBe(expected, {
        x: ['a', 0],
      });
    });
  });

  it('goes by the clock that never jumps', () => {
    marbles(({ hot, expectObservable }) => {
      let atMs = 1_000;
      const clock = { wallMs: () => Number.NaN, monotonicMs: () => (atMs += 7) };
      const value$ = hot('aa');
      expectObservable(value$.pipe(withElapsedSinceFirstSeen(clock, itself))).toBe('xy', { x: ['a', 0], y: ['a', 7] });
    });
  });

  it('remembers sixteen hashes and forgets the oldest', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const value$ = hot('abcdefghijklmnopbaqba');
      const expected = '  abcdefghijklmnopxyqzw';
      const values: Record<string, readonly [string, number]> = {};
      for (const hash of 'abcdefghijklmnopq') values[hash] = [hash, 0];
      Object.assign(values, { x: ['b', 15], y: ['a', 17], z: ['b', 18], w: ['a', 0] });
      expectObservable(value$.pipe(withElapsedSinceFirstSeen(virtualClock(scheduler), itself))).toBe(expected, values);
    });
  });

  it('calls a hash new that its own company pushed out', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const crowd = Array.from({ length: 20 }, (_, index) => `hash-${index}`);
      const value$ = hot<string[]>('a--a', { a: crowd });
      expectObservable(value$.pipe(withElapsedSinceFirstSeen(virtualClock(scheduler), (hashes) => hashes))).toBe(
        'x--x',
        {
          x: [crowd, 0],
        },
      );
    });
  });

  it('keeps no memory between subscribers', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }, scheduler) => {
      const value$ = hot('a---a---a');
      const early = '     ^-----!  ';
      const late = '      --^------';
      const sighting$ = value$.pipe(withElapsedSinceFirstSeen(virtualClock(scheduler), itself));
      expectObservable(sighting$, early).toBe('x---y----', { x: ['a', 0], y: ['a', 4] });
      expectObservable(sighting$, late).toBe(' ----x---y', { x: ['a', 0], y: ['a', 4] });
      expectSubscriptions(value$.subscriptions).toBe([early, '--^']);
    });
  });
});
