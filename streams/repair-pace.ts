import type { Repair } from './repair-of.ts';

/** So many repairs of one object in a short time are a fight; from then on one a minute (istio's cure for its #36478). */
const FAST_REPAIRS = 5;
const MINUTE_MS = 60_000;

/** More than one object is given in a day of rotations; older ones are forgotten. */
const REMEMBERED = 8;

interface History {
  /** What the object has been given so far, each once. */
  readonly given: readonly string[];
  /** The last five repairs, -Infinity for each that has not been. */
  readonly repairedAtMs: readonly number[];
}

const UNTOUCHED: History = { given: [], repairedAtMs: Array<number>(FAST_REPAIRS).fill(-Infinity) };

export interface RepairPace {
  /** Notes that an object was written; writing what it had been given before is a repair. True when a fight begins. */
  wrote(repair: Pick<Repair, 'object' | 'given'>, nowMs: number): boolean;
  /** Whether the next repair must wait. */
  isHeld(object: string, nowMs: number): boolean;
}

/** Still a fight while the last five repairs lie within five minutes, which at one a minute they just do. */
const isFight = ({ repairedAtMs }: History): boolean =>
  Math.max(...repairedAtMs) - Math.min(...repairedAtMs) < FAST_REPAIRS * MINUTE_MS;

/**
 * How often each object has been repaired by this leader. It decides only how soon a write happens, never which, so
 * that the next leader may start without it. All times are ms on a clock that never jumps.
 */
export const repairPace = (): RepairPace => {
  const histories = new Map<string, History>();
  return {
    wrote: ({ object, given }, nowMs) => {
      const before = histories.get(object) ?? UNTOUCHED;
      const after = before.given.includes(given)
        ? { ...before, repairedAtMs: [...before.repairedAtMs.slice(1), nowMs] }
        : { ...before, given: [...before.given, given].slice(-REMEMBERED) };
      histories.set(object, after);
      return isFight(after) && !isFight(before);
    },
    isHeld: (object, nowMs) => {
      const history = histories.get(object) ?? UNTOUCHED;
      return isFight(history) && nowMs < Math.max(...history.repairedAtMs) + MINUTE_MS;
    },
  };
};
