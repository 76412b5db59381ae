import {
  distinctUntilChanged,
  EMPTY,
  map,
  merge,
  type Observable,
  of,
  type OperatorFunction,
  repeat,
  scan,
  switchMap,
  take,
  timer,
} from 'rxjs';
import { pollDelayMs } from './backoff.ts';
import type { Desired } from './load-certificate.ts';

interface Fold {
  /** The last generation that matched its announcement: it needs no resync when the next announcement supersedes it. */
  readonly agreed: string | undefined;
  readonly unannounced: string | null;
}

/** How long the first list of the Lease may take before a GET is requested as well, ms. */
const LISTING_MS = 500;

/**
 * Requests a GET of the Lease while the mounted generation is not announced: at once, after 2 s, 4 s … 30 s. One request
 * is not enough: the kubelet may be ahead of the announcement and the one response lost, and a dead watch then costs a
 * minute (F7). A generation mounted at the start waits for the first list of the Lease.
 *
 *     announced  a---------b------c-----
 *     mounted    a---b------------------
 *     result     ----?-?---?------------
 */
export const resyncRequests =
  (lease$: Observable<unknown>): OperatorFunction<Desired, 'asked'> =>
  (desired$) =>
    desired$.pipe(
      scan<Desired, Fold, Partial<Fold>>(({ agreed }, { lease, mounted }) => {
        if (mounted.hash === null) return { agreed, unannounced: null };
        if (mounted.hash === lease?.announcement?.hash) return { agreed: mounted.generation, unannounced: null };
        return { agreed, unannounced: mounted.generation === agreed ? null : mounted.generation };
      }, {}),
      map(({ unannounced: mount }) => mount),
      distinctUntilChanged(),
      switchMap((mount) =>
        mount === null
          ? EMPTY
          : merge(lease$, timer(LISTING_MS)).pipe(
              take(1),
              switchMap(() => of('asked' as const).pipe(repeat({ delay: (times) => timer(pollDelayMs(times)) }))),
            ),
      ),
    );
