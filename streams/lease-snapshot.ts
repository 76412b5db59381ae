import {
  catchError,
  concatMap,
  connect,
  defer,
  distinctUntilChanged,
  EMPTY,
  exhaustMap,
  filter,
  map,
  merge,
  type Observable,
  of,
  startWith,
  Subject,
  switchMap,
  tap,
  throwError,
} from 'rxjs';
import type { LeaseEvent, Via } from './events.ts';
import { isOlderVersion } from './kubernetes.ts';
import type { LeaseSnapshot } from './model.ts';
import { Problem } from './problem.ts';
import { resumingWatch, type WatchPolicy } from './resuming-watch.ts';
import { singleFlight } from './single-flight.ts';
import type { WatchPort } from './watch-port.ts';

export interface LeaseSources {
  /** The fallback interval. */
  readonly tick$: Observable<unknown>;
  /** Each value asks for one GET: a mounted change that nobody announced. */
  readonly asked$: Observable<unknown>;
  /** Answers to this replica's own writes. */
  readonly written$: Observable<LeaseSnapshot>;
}

export interface LeasePorts {
  readonly leaseWatch: WatchPort<LeaseSnapshot>;
  /** One GET; null when there is no Lease. Errs with a Problem. */
  getLease(): Observable<LeaseSnapshot | null>;
}

/**
 * Everything this replica learns of the Lease, newest first: the watch, a GET at each tick while there is no watch, a
 * GET when somebody asks, and the answers to its own writes. An older version than the one already seen is dropped,
 * unless a list says so that was asked for after it: the cluster may have been restored from a backup.
 *
 *     watch    --E-1---2--C~~~~~~~~~~~~E--5--
 *     tick     t---t---t---t---t---t---t---t-
 *     result   --E-1---2--C-3------4---E--5--     3 and 4 by GET
 */
export const leaseSnapshot = (
  { tick$, asked$, written$ }: LeaseSources,
  ports: LeasePorts,
  policy: WatchPolicy,
): Observable<LeaseEvent> =>
  defer(() => {
    let newest: LeaseSnapshot | null | undefined;
    let newestWhenListing: LeaseSnapshot | null | undefined;
    const list = (): ReturnType<LeasePorts['leaseWatch']['list']> =>
      defer(() => {
        newestWhenListing = newest;
        return ports.leaseWatch.list();
      });

    const isStale = ({ resourceVersion }: { readonly resourceVersion: string }): boolean =>
      newest != null && isOlderVersion(resourceVersion, newest.resourceVersion);

    const observe = (lease: LeaseSnapshot | null, via: Via): Observable<LeaseEvent> => {
      const announces = lease?.announcement?.hash !== newest?.announcement?.hash;
      newest = lease;
      return of({ type: 'lease/observed', lease, via, announces });
    };

    const observeNewer = (lease: LeaseSnapshot | null, via: Via): Observable<LeaseEvent> =>
      lease !== null && isStale(lease) ? EMPTY : observe(lease, via);

    const answered$ = new Subject<void>();
    const get$ = defer(() => {
      const before = newest;
      // An absent Lease has no version: it is news only when nothing was seen since the GET was sent.
      return ports.getLease().pipe(
        tap(() => answered$.next()),
        filter((lease) => lease !== null || newest === before),
      );
    }).pipe(
      concatMap((lease) => observeNewer(lease, 'get')),
      catchError((error: unknown): Observable<LeaseEvent> => {
        if (!(error instanceof Problem)) return throwError(() => error);
        return of({ type: 'lease/unread', status: error.status, error: error.message });
      }),
    );

    return resumingWatch({ ...ports.leaseWatch, list }, { ...policy, wake$: answered$ }).pipe(
      connect((watch$) =>
        merge(
          watch$.pipe(
            concatMap((item): Observable<LeaseEvent> => {
              if (item.type === 'watch/listed') {
                // Something newer was seen while the list was under way: the watch goes on from the list, and repeats it.
                const overtaken = newest !== newestWhenListing && isStale(item);
                return overtaken ? EMPTY : observe(item.items[0] ?? null, 'watch');
              }
              if (item.type === 'watch/applied') return observeNewer(item.object, 'watch');
              if (item.type === 'watch/deleted') return isStale(item.object) ? EMPTY : observe(null, 'watch');
              return of(item);
            }),
          ),
          watch$.pipe(
            filter(
              (item) =>
                item.type === 'watch/established' || item.type === 'watch/closed' || item.type === 'watch/failed',
            ),
            map((item) => item.type !== 'watch/established'),
            startWith(true),
            distinctUntilChanged(),
            switchMap((blind) => (blind ? tick$ : EMPTY)),
            exhaustMap(() => get$),
          ),
          // Each occasion is its own object, so that one that lands during a GET is followed by another GET.
          asked$.pipe(
            map(() => ({})),
            singleFlight(() => get$),
          ),
          written$.pipe(concatMap((lease) => observeNewer(lease, 'write'))),
        ),
      ),
    );
  });
