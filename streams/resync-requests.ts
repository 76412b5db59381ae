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
  /** The generation that agreed with its announcement last: one that the next announcement leaves behind is no news. */
  readonly agreed: string | undefined;
  readonly unannounced: string | null;
}

/** How long the first list of the Lease may take before it is asked for besides, ms. */
const LISTING_MS = 500;

/**
 * Asks for as long as something is mounted that nobody has announced: at once, after 2 s, 4 s … 30 s. Once would not do:
 * the kubelet may be ahead of the announcement and the one answer lost, and a dead watch then costs a minute (F7). What
 * is mounted at the start waits for the Lease to be seen, which is being listed.
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
