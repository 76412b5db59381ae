import { retryDelayMs } from './backoff.ts';
import { isPermanentRejection } from './kubernetes.ts';
import type { PlannerInput } from './planner-input.ts';
import type { Problem } from './problem.ts';

const FIRST_REFUSAL_MS = 30_000;
const LONGEST_MS = 600_000;

/** A server that keeps answering with the same 5xx or 429 refuses the write as lastingly as a 403. */
const LASTING_FAILURES = 6;

interface Failure {
  readonly status: number | null;
  readonly error: string;
  /** What the write was decided on: the pause ends when it changes. */
  readonly basis: string;
  /** How often the write failed in a row on the same basis. */
  readonly failures: number;
  readonly dueAtMs: number;
  /** Why the object is set aside; null while it is not. */
  readonly refusal: string | null;
}

export interface FailureReport {
  readonly retryInMs: number;
  /** The write before failed in the same way. */
  readonly repeated: boolean;
  /** The object is set aside, for the first time with this error. */
  readonly isNewRefusal: boolean;
}

export interface FailedWrites {
  failed(object: string, basis: string, problem: Problem, nowMs: number): FailureReport;
  /** Sets an object aside because the leader's own write did not have its effect. */
  ineffective(object: string, basis: string, error: string, nowMs: number): FailureReport;
  /** Forgets the failures of an object. True when it was set aside. */
  accepted(object: string): boolean;
  /** Whether the object must not be written yet. */
  isPaused(object: string, observed: PlannerInput, nowMs: number): boolean;
  /** Why the object is set aside, or null. */
  refusal(object: string): string | null;
  /** The objects whose write has failed. */
  objects(): readonly string[];
}

const versionOf = (state: { readonly resourceVersion: string } | string): string =>
  typeof state === 'string' ? state : state.resourceVersion;

/**
 * What a write of an object is decided on: the versions of the object and of the Secrets, or of the Lease all but its
 * renewals. A conflict on the Lease says that it was not the newest, so that any newer one will do.
 */
export const basisOf = (
  object: string,
  { lease, secret, ca, source, targets }: PlannerInput,
  problem: Pick<Problem, 'status'> | null = null,
): string => {
  const secrets = `${versionOf(secret)} ${versionOf(ca)} ${versionOf(source ?? 'absent')}`;
  if (object !== 'announcement')
    return `${secrets} ${versionOf(targets.find(({ id }) => id === object)?.state ?? 'absent')}`;
  const { announcement, rotate, servedSinceMs, trusted, resourceVersion } = lease;
  const marks = `${servedSinceMs ?? ''} ${trusted?.sinceMs ?? ''}`;
  const content = `${secrets} ${announcement?.hash ?? ''} ${rotate ?? ''} ${marks}`;
  return problem?.status === 409 ? `${content} ${resourceVersion}` : content;
};

/**
 * The leader's memory of writes that failed, one entry an object, so that one object never delays the others (L9).
 *
 * A failure pauses the object: 800 ms doubling to 30 s, and at least Retry-After. A permanent rejection sets it aside: 30 s
 * doubling to 10 min. Only a change of what the write was decided on ends a pause early, so that a renewal of the Lease
 * does not. All times are ms on a clock that never jumps.
 */
export const failedWrites = (random: () => number): FailedWrites => {
  const failuresOf = new Map<string, Failure>();

  const note = (
    object: string,
    basis: string,
    { message: error, status, retryAfterMs }: Pick<Problem, 'message' | 'status' | 'retryAfterMs'>,
    { isLasting, nowMs }: { readonly isLasting: boolean; readonly nowMs: number },
  ): FailureReport => {
    const before = failuresOf.get(object);
    const repeated = before?.status === status && before.error === error;
    const failures = before?.basis === basis ? before.failures + 1 : 1;
    const ownMs = isLasting
      ? Math.min(LONGEST_MS, FIRST_REFUSAL_MS * 2 ** (failures - 1))
      : retryDelayMs(failures, random());
    const retryInMs = Math.max(ownMs, Math.min(LONGEST_MS, retryAfterMs ?? 0));
    const isRefused = isLasting || (status !== null && status !== 409 && failures >= LASTING_FAILURES);
    // A conflict or a lost answer says nothing about whether the API server accepts the write by now.
    const refusal = isRefused ? error : (before?.refusal ?? null);
    failuresOf.set(object, { status, error, basis, failures, dueAtMs: nowMs + retryInMs, refusal });
    return { retryInMs, repeated, isNewRefusal: refusal !== (before?.refusal ?? null) };
  };

  return {
    failed: (object, basis, problem, nowMs) =>
      note(object, basis, problem, { isLasting: isPermanentRejection(problem), nowMs }),
    ineffective: (object, basis, error, nowMs) =>
      note(object, basis, { message: error, status: null, retryAfterMs: null }, { isLasting: true, nowMs }),
    accepted: (object) => {
      const isRefused = failuresOf.get(object)?.refusal != null;
      failuresOf.delete(object);
      return isRefused;
    },
    isPaused: (object, observed, nowMs) => {
      const failure = failuresOf.get(object);
      return failure !== undefined && nowMs < failure.dueAtMs && failure.basis === basisOf(object, observed, failure);
    },
    refusal: (object) => failuresOf.get(object)?.refusal ?? null,
    objects: () => [...failuresOf.keys()],
  };
};
