import {
  BehaviorSubject,
  concatMap,
  connect,
  defer,
  distinctUntilChanged,
  EMPTY,
  exhaustMap,
  filter,
  first,
  ignoreElements,
  map,
  merge,
  type Observable,
  of,
  startWith,
  Subject,
  switchMap,
  tap,
  timer,
} from 'rxjs';
import { timerDelayMs } from './backoff.ts';
import { catchProblem } from './catch-problem.ts';
import type { LeaseEvent, Via } from './events.ts';
import { isOlderVersion } from './kubernetes.ts';
import type { LeaseSnapshot } from './model.ts';
import { resumingWatch, type WatchPolicy } from './resuming-watch.ts';
import { singleFlight } from './single-flight.ts';
import type { WatchPort } from './watch-port.ts';

export interface LeaseSources {
  /** How often the Lease is read while its watch is down. */
  readonly tick$: Observable<unknown>;
  /** Each value requests one GET: a mounted change that the Lease does not announce. */
  readonly asked$: Observable<unknown>;
  /** Responses to this replica's own writes. */
  readonly written$: Observable<LeaseSnapshot>;
}

export interface LeasePorts {
  readonly leaseWatch: WatchPort<LeaseSnapshot>;
  /** One GET; null when the Lease does not exist. Errs with a Problem. */
  getLease(): Observable<LeaseSnapshot | null>;
}

/**
 * Merges everything this replica learns of the Lease: the watch, a GET at each tick while the watch is down, a GET on
 * request, and the responses to its own writes. A version older than the newest one seen is dropped, unless a list that
 * was requested later returns it: the cluster may have been restored from a backup. GETs obey `Retry-After`.
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
    const retryAfter$ = new Subject<number>();
    /** Whether the API server has asked to send no GET for now. */
    const mustWait$ = new BehaviorSubject(false);
    const wait$ = retryAfter$.pipe(
      switchMap((ms) =>
        timer(timerDelayMs(ms)).pipe(
          map(() => false),
          startWith(true),
        ),
      ),
      tap((mustWait) => mustWait$.next(mustWait)),
      ignoreElements(),
    );

    const get$ = defer(() => {
      const before = newest;
      // An absent Lease has no version: it is news only when nothing was seen since the GET was sent.
      return ports.getLease().pipe(
        tap(() => answered$.next()),
        filter((lease) => lease !== null || newest === before),
      );
    }).pipe(
      concatMap((lease) => observeNewer(lease, 'get')),
      catchProblem(({ status, message, retryAfterMs }) => {
        if (retryAfterMs !== null) retryAfter$.next(retryAfterMs);
        return of<LeaseEvent>({ type: 'lease/unread', status, error: message });
      }),
    );
    const permitted$ = mustWait$.pipe(first((mustWait) => !mustWait));

    return resumingWatch({ ...ports.leaseWatch, list }, { ...policy, apiReachable$: answered$ }).pipe(
      connect((watch$) =>
        merge(
          wait$,
          watch$.pipe(
            concatMap((item): Observable<LeaseEvent> => {
              if (item.type === 'watch/listed') {
                // A newer version was seen during the list: the watch resumes from the list, and repeats that version.
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
            filter(() => !mustWait$.value),
            exhaustMap(() => get$),
          ),
          // Each occasion is its own object, so that one that lands during a GET is followed by another GET.
          asked$.pipe(
            map(() => ({})),
            singleFlight(() => permitted$.pipe(concatMap(() => get$))),
          ),
          written$.pipe(concatMap((lease) => observeNewer(lease, 'write'))),
        ),
      ),
    );
  });
