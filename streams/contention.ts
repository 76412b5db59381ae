import type { Observed } from './cluster-state.ts';
import type { CertificateFacts } from './model.ts';
import type { Step } from './step.ts';

/** What a write gives to one object. To give an object the same twice is a repair: somebody else has taken it away. */
interface Repair {
  /** `TYPE/NAME` of a target, else `secret`, `authority` (SECRET-ca) or `announcement`. */
  readonly object: string;
  readonly given: string;
  /** The field manager other than us that wrote it last, as far as anybody can tell. */
  readonly rival: string | null;
}

const setOf = (certificates: readonly CertificateFacts[]): string =>
  certificates
    .map(({ fingerprint }) => fingerprint)
    .sort()
    .join();

/** Null for what replicas and people cause by themselves: marks that follow the acknowledgements, answered requests. */
export const repairOf = (step: Step, { secret, lease }: Observed): Repair | null => {
  switch (step.kind) {
    case 'inject':
      return { object: step.target, given: setOf(step.trust), rival: step.basis.rival };
    case 'issue-authority': {
      const { basis, reason } = step;
      if (basis === 'absent') return { object: 'authority', given: reason, rival: null };
      return { object: 'authority', given: `${reason} ${basis.current?.fingerprint ?? ''}`, rival: basis.rival };
    }
    case 'adopt-authority':
    case 'narrow-authority':
      return { object: 'authority', given: `${step.kind} ${setOf(step.keep)}`, rival: step.basis.rival };
    case 'issue-leaf': {
      const { authority, basis, reason } = step;
      const due = reason === 'requested' || reason === 'expiring';
      // A leaf whose time has come is replaced once; whatever else is wrong is mended once under each CA.
      const given = due && basis !== 'absent' ? basis.hash : authority.current?.fingerprint;
      return { object: 'secret', given: `${reason} ${given ?? ''}`, rival: basis === 'absent' ? null : basis.rival };
    }
    case 'publish-trust':
      return { object: 'secret', given: `trust ${setOf(step.trust)}`, rival: step.basis.rival };
    case 'announce': {
      // An issuer that goes back to an earlier certificate writes the Secret to do so.
      const version = typeof secret === 'string' ? '' : secret.resourceVersion;
      return { object: 'announcement', given: `${step.announcement.hash} ${version}`, rival: lease.rival };
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
