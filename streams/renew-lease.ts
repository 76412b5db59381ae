import {
  connect,
  defer,
  exhaustMap,
  filter,
  map,
  merge,
  type Observable,
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
import type { LeaseWriteAccepted } from './try-acquire-or-renew.ts';

interface RenewalSources {
  /** Hot; null when there is no Lease. */
  readonly lease$: Observable<LeaseSnapshot | null>;
  /** Cold; one renewal, tried until it is taken. */
  readonly renew$: Observable<LeaseWriteAccepted | ElectionEvent>;
}

export interface RenewalPolicy {
  readonly identity: string;
  readonly renewDeadlineMs: number;
  readonly retryPeriodMs: number;
}

/**
 * A leader's time, from its claim to its loss: renews at each retry period and at once when the Lease is deleted, ends
 * when somebody else is seen to hold it or when nothing was renewed for too long.
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
    const fence: Fence = () => !over && clock.monotonicMs() - renewedAtMs < renewDeadlineMs;

    const vanished$ = lease$.pipe(filter((lease) => lease === null));
    const renewal$ = merge(timer(retryPeriodMs, retryPeriodMs), vanished$).pipe(
      exhaustMap(() => renew$),
      map((item): ElectionEvent => {
        if (item.type !== 'lease/held') return item;
        renewedAtMs = item.sentAtMs;
        return { type: 'leadership/renewed' };
      }),
    );
    const deposed$ = lease$.pipe(
      filter((lease) => lease !== null),
      filter(({ holder }) => holder !== identity),
      // What was seen of the time before the claim is no news.
      filter(({ resourceVersion }) => !isOlderVersion(resourceVersion, claimed.lease.resourceVersion)),
      map((): ElectionEvent => ({ type: 'leadership/lost', reason: 'deposed' })),
    );
    const overdue = (): Observable<ElectionEvent> =>
      timer(renewDeadlineMs).pipe(map(() => ({ type: 'leadership/lost', reason: 'renew-deadline' })));

    return merge(
      deposed$,
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
