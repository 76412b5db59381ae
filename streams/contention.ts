import type { CertificateInfo } from './model.ts';
import type { PlannerInput } from './planner-input.ts';
import type { Step } from './step.ts';

/** The value that a write gives to one object. Giving it the same value twice is a repair: another writer reverted it. */
interface Repair {
  /** `TYPE/NAME` of a target, else `secret`, `ca` (SECRET-ca) or `announcement`. */
  readonly object: string;
  readonly value: string;
  /** The field manager other than us that wrote it last, as far as managedFields show. */
  readonly otherManager: string | null;
}

const setOf = (certificates: readonly CertificateInfo[]): string =>
  certificates
    .map(({ fingerprint }) => fingerprint)
    .sort()
    .join();

/** Null for what replicas and people cause by themselves: marks that follow the acknowledgements, answered requests. */
export const repairOf = (step: Step, { secret, lease }: PlannerInput): Repair | null => {
  switch (step.kind) {
    case 'inject':
      return { object: step.target, value: setOf(step.trust), otherManager: step.plannedOn.otherManager };
    case 'issue-ca': {
      const { plannedOn, reason } = step;
      if (plannedOn === 'absent') return { object: 'ca', value: reason, otherManager: null };
      return {
        object: 'ca',
        value: `${reason} ${plannedOn.current?.fingerprint ?? ''}`,
        otherManager: plannedOn.otherManager,
      };
    }
    case 'extend-ca-bundle':
    case 'prune-ca-bundle':
      return { object: 'ca', value: `${step.kind} ${setOf(step.keep)}`, otherManager: step.plannedOn.otherManager };
    case 'issue-leaf': {
      const { ca, plannedOn, reason } = step;
      const due = reason === 'requested' || reason === 'expiring';
      // A leaf whose time has come is replaced once; any other fault is repaired once under each CA.
      const given = due && plannedOn !== 'absent' ? plannedOn.hash : ca.current?.fingerprint;
      return {
        object: 'secret',
        value: `${reason} ${given ?? ''}`,
        otherManager: plannedOn === 'absent' ? null : plannedOn.otherManager,
      };
    }
    case 'copy-secret': {
      // A source that goes back to an earlier certificate is written to do so.
      const { source, plannedOn } = step;
      return {
        object: 'secret',
        value: `copy ${source.resourceVersion}`,
        otherManager: plannedOn === 'absent' ? null : plannedOn.otherManager,
      };
    }
    case 'update-secret-ca':
      return { object: 'secret', value: `trust ${setOf(step.trust)}`, otherManager: step.plannedOn.otherManager };
    case 'announce': {
      // An issuer that goes back to an earlier certificate writes the Secret to do so.
      const version = typeof secret === 'string' ? '' : secret.resourceVersion;
      return {
        object: 'announcement',
        value: `${step.announcement.hash} ${version}`,
        otherManager: lease.otherManager,
      };
    }
    default:
      return null;
  }
};

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
  wrote(repair: Pick<Repair, 'object' | 'value'>, nowMs: number): boolean;
  /** Whether a write must wait: it repeats what the object was given before. A new value is never held back. */
  isHeld(repair: Pick<Repair, 'object' | 'value'>, nowMs: number): boolean;
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
    wrote: ({ object, value: given }, nowMs) => {
      const before = histories.get(object) ?? UNTOUCHED;
      const after = before.given.includes(given)
        ? { ...before, repairedAtMs: [...before.repairedAtMs.slice(1), nowMs] }
        : { ...before, given: [...before.given, given].slice(-REMEMBERED) };
      histories.set(object, after);
      return isFight(after) && !isFight(before);
    },
    isHeld: ({ object, value }, nowMs) => {
      const history = histories.get(object) ?? UNTOUCHED;
      const isRepair = history.given.includes(value);
      return isRepair && isFight(history) && nowMs < Math.max(...history.repairedAtMs) + MINUTE_MS;
    },
  };
};
