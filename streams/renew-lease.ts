import {
  concatMap,
  connect,
  defer,
  exhaustMap,
  filter,
  finalize,
  map,
  merge,
  type Observable,
  of,
  startWith,
  switchMap,
  takeWhile,
  tap,
  timer,
} from 'rxjs';
import type { Clock } from './clock.ts';
import type { ElectionEvent, Fence } from './events.ts';
import { isOlderVersion } from './kubernetes.ts';
import type { LeaseSnapshot } from './model.ts';
import type { LeadershipFailed, LeaseWriteAccepted } from './try-acquire-or-renew.ts';

const SHARED_IDENTITY: ElectionEvent = { type: 'leadership/lost', reason: 'shared-identity' };

interface RenewalSources {
  /** Hot; null when there is no Lease. */
  readonly lease$: Observable<LeaseSnapshot | null>;
  /** Cold; one renewal, tried until it is accepted. */
  readonly renew$: Observable<LeaseWriteAccepted | LeadershipFailed>;
}

export interface RenewalPolicy {
  readonly identity: string;
  readonly renewDeadlineMs: number;
  readonly retryPeriodMs: number;
}

/**
 * Detects a renewal of the Lease under this replica's identity that this replica did not write: another process uses the
 * same POD_NAME, and both would lead. A write that got no answer may have been accepted all the same, so each excuses one
 * renewal with an unknown time.
 */
const foreignRenewals = (claimed: LeaseSnapshot) => {
  let own = claimed;
  let newest = claimed;
  let unansweredWrites = 0;

  return {
    /** A renewal of this replica was accepted. */
    accepted(lease: LeaseSnapshot): void {
      own = lease;
      unansweredWrites = 0;
    },
    unanswered(): void {
      unansweredWrites += 1;
    },
    observed(lease: LeaseSnapshot): void {
      newest = lease;
    },
    /** Asked while no write is under way, and this replica holds the Lease: the watch may report one before its response arrives. */
    seen(): boolean {
      const isOwn = newest.renewTime === own.renewTime || isOlderVersion(newest.resourceVersion, own.resourceVersion);
      if (isOwn) return false;
      if (unansweredWrites === 0) return true;
      unansweredWrites -= 1;
      own = newest;
      return false;
    },
  };
};

/**
 * One term of a leader, from its claim to its loss: renews at each retry period and at once when the Lease is deleted.
 * Ends when another holder is seen, when nothing was renewed for RENEW_DEADLINE, or when another process renews under the
 * same identity.
 *
 *     lease    --------------------------b---
 *     renew         h|    h|   #
 *     result   A----r-----r----f---------(L|)     A acquired, r renewed, f failed, L lost
 */
export const renewLease = (
  claimed: LeaseWriteAccepted,
  { lease$, renew$ }: RenewalSources,
  clock: Clock,
  { identity, renewDeadlineMs, retryPeriodMs }: RenewalPolicy,
): Observable<ElectionEvent> =>
  defer(() => {
    let renewedAtMs = claimed.sentAtMs;
    let over = false;
    let renewing = false;
    const foreign = foreignRenewals(claimed.lease);
    const fence: Fence = () => !over && clock.monotonicMs() - renewedAtMs < renewDeadlineMs;

    const vanished$ = lease$.pipe(filter((lease) => lease === null));
    const renewal$ = merge(timer(retryPeriodMs, retryPeriodMs), vanished$).pipe(
      exhaustMap(() =>
        defer(() => {
          renewing = true;
          return renew$;
        }).pipe(finalize(() => (renewing = false))),
      ),
      concatMap((item): Observable<ElectionEvent> => {
        if (item.type === 'lease/held') {
          renewedAtMs = item.sentAtMs;
          foreign.accepted(item.lease);
          return of({ type: 'leadership/renewed' });
        }
        if (item.status === null) foreign.unanswered();
        return item.status !== null && foreign.seen() ? of(item, SHARED_IDENTITY) : of(item);
      }),
    );
    const taken$ = lease$.pipe(
      filter((lease) => lease !== null),
      // Versions older than the claim do not count.
      filter(({ resourceVersion }) => !isOlderVersion(resourceVersion, claimed.lease.resourceVersion)),
      tap((lease) => foreign.observed(lease)),
      map(({ holder }): ElectionEvent | null => {
        if (holder !== identity) return { type: 'leadership/lost', reason: 'deposed' };
        return !renewing && foreign.seen() ? SHARED_IDENTITY : null;
      }),
      filter((event) => event !== null),
    );
    const overdue = (): Observable<ElectionEvent> =>
      timer(renewDeadlineMs).pipe(map(() => ({ type: 'leadership/lost', reason: 'renew-deadline' })));

    return merge(
      taken$,
      renewal$.pipe(
        startWith<ElectionEvent>({ type: 'leadership/acquired', fence }),
        connect((event$) =>
          merge(
            event$,
            event$.pipe(
              filter(({ type }) => type !== 'leadership/failed'),
              switchMap(overdue),
            ),
          ),
        ),
      ),
    ).pipe(
      takeWhile(({ type }) => type !== 'leadership/lost', true),
      tap({ next: ({ type }) => (over = type === 'leadership/lost'), finalize: () => (over = true) }),
    );
  });
