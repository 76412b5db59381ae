import { defer, map, NEVER, type Observable } from 'rxjs';
import type { Clock } from './clock.ts';
import type { ElectionEvent } from './events.ts';
import type { LeaseWriter } from './lease-writer.ts';
import type { LeaseSnapshot } from './model.ts';
import type { Problem } from './problem.ts';
import { retryWithBackoff } from './retry-with-backoff.ts';

export interface ElectionPorts {
  readonly queue: LeaseWriter;
  readonly clock: Clock;
  readonly random: () => number;
  /** The API server has answered another request. Hot, without a replay. */
  readonly apiReachable$?: Observable<unknown>;
}

/** A write that the API server accepted. Its duration counts from when it was sent, not from when the response came. */
export interface LeaseWriteAccepted {
  readonly type: 'lease/held';
  readonly lease: LeaseSnapshot;
  readonly sentAtMs: number;
}

/**
 * Tries one claim or renewal until it is accepted; each try is based on the newest Lease.
 *
 *     newest   0------1----------
 *     write    #      a|
 *     result   f------(h|)           f failed (a conflict, say), h accepted
 *
 * @param newest read before each try; null: the Lease is created, which is a claim whatever `kind` is
 */
export const tryAcquireOrRenew = (
  kind: 'claim' | 'renew',
  newest: () => LeaseSnapshot | null,
  { queue, clock, random, apiReachable$ = NEVER }: ElectionPorts,
): Observable<LeaseWriteAccepted | ElectionEvent> =>
  defer(() => {
    const sentAtMs = clock.monotonicMs();
    const plannedOn = newest();
    return queue
      .write({ kind: plannedOn === null ? 'claim' : kind }, plannedOn)
      .pipe(map((lease): LeaseWriteAccepted => ({ type: 'lease/held', lease, sentAtMs })));
  }).pipe(retryWithBackoff(random, leadershipFailed, apiReachable$));

type LeadershipFailed = Extract<ElectionEvent, { type: 'leadership/failed' }>;

/** A failed write of the elector, as an item. */
export const leadershipFailed = ({ status, message }: Problem, retryInMs: number): LeadershipFailed => ({
  type: 'leadership/failed',
  status,
  error: message,
  retryInMs,
});
