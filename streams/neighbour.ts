import { filter, map, type Observable, type OperatorFunction, scan } from 'rxjs';
import type { Clock } from './clock.ts';
import type { LoadEvent, Swapped } from './events.ts';

/** Servers that notice a new certificate by themselves need a few tens of milliseconds. */
const FIRST_MS = 100;
const LONGEST_MS = 2_000;

/** As long as the handshakes after 0, 100, 300, 700 and 1,500 ms take: then it is no longer a matter of a moment. */
const PATIENCE_MS = 3_000;

/**
 * Returns how long to wait before the next handshake with a server that terminates TLS itself, in ms: a tick once it shows
 * the announced pair, since it may restart into an older one; 100 ms doubling to 2 s until then.
 *
 * @param failures how many handshakes there were since the pair changed
 */
export const reviewDelayMs = (load: LoadEvent | Swapped, failures: number, tickMs: number): number | null => {
  if (load.type !== 'certificate/served' && load.type !== 'certificate/not-shown') return null;
  const isProven = load.type === 'certificate/served' && load.untrusted === null;
  return isProven ? tickMs : Math.min(LONGEST_MS, FIRST_MS * 2 ** (failures - 1));
};

interface Fold {
  readonly load: LoadEvent | null;
  /** Since when the server has not shown the pair, on the monotonic clock; null while it does. */
  readonly sinceMs: number | null;
  /** What was passed on last. */
  readonly passed: LoadEvent | null;
}

const resultOf = (load: LoadEvent): string | null => {
  switch (load.type) {
    case 'certificate/served':
      return `served ${load.pair.generation} ${load.untrusted ?? ''}`;
    case 'certificate/not-shown':
      return `${load.kind} ${load.pair.generation} ${load.detail} ${load.refused ?? ''}`;
    default:
      return null;
  }
};

const isRepeated = (load: LoadEvent, before: LoadEvent | null): boolean =>
  before !== null && resultOf(load) !== null && resultOf(load) === resultOf(before);

/**
 * The conclusions about a server that terminates TLS itself: each once, however often it is looked at, and that it does
 * not show the pair only after 3 s of handshakes, since it needs a moment to notice a new one.
 *
 *     load     --x-x---x------x-------S-----S-----S----x--x----x      x not shown, S served
 *     result   ---------------x-------S------------------------x
 */
export const settledConclusions =
  (clock: Clock): OperatorFunction<LoadEvent | Swapped, LoadEvent> =>
  (flight$: Observable<LoadEvent | Swapped>) =>
    flight$.pipe(
      filter((load) => load.type !== 'certificate/swapped'),
      scan<LoadEvent, Fold>(
        ({ sinceMs: before, load: last, passed: lastPassed }, load) => {
          const passed = last ?? lastPassed;
          if (load.type !== 'certificate/not-shown')
            return { sinceMs: null, passed, load: isRepeated(load, passed) ? null : load };
          const nowMs = clock.monotonicMs();
          const sinceMs = before ?? nowMs;
          const isDue = nowMs - sinceMs >= PATIENCE_MS && !isRepeated(load, passed);
          return { sinceMs, passed, load: isDue ? load : null };
        },
        { load: null, sinceMs: null, passed: null },
      ),
      map(({ load }) => load),
      filter((load) => load !== null),
    );
