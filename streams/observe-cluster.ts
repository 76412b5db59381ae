import { combineLatest, filter, map, merge, type Observable, of, share } from 'rxjs';
import type { WatchFailed, WatchItem } from './events.ts';
import type { LeaseSnapshot, Replica } from './model.ts';
import type { CaState, ClusterState, SecretState, TargetState, WriteResult } from './planner-input.ts';
import { resumingWatch, type WatchPolicy } from './resuming-watch.ts';
import { trackedObject, trackedReplicas, trackedTarget } from './tracked-object.ts';
import type { WatchPort } from './watch-port.ts';

export type { WatchFailed } from './events.ts';
export type { ClusterState, WriteResult } from './planner-input.ts';

export interface ObservationPorts {
  readonly secretWatch: WatchPort<SecretState>;
  readonly caWatch: WatchPort<CaState>;
  /** Absent where the issuer reads no SOURCE_SECRET. */
  readonly sourceWatch?: WatchPort<SecretState>;
  readonly targets: readonly { readonly id: string; readonly watch: WatchPort<TargetState> }[];
  readonly replicaWatch: WatchPort<Replica>;
}

/**
 * Everything the leader's decisions rest on, as one value, renewed whenever any part of it changes.
 *
 *     lease      l----------m------
 *     secret     u---s-------------
 *     target     u-----t-----------
 *     result     1---2-3----4------
 */
export const observeCluster = (
  lease$: Observable<LeaseSnapshot>,
  touched$: Observable<WriteResult>,
  ports: ObservationPorts,
  policy: WatchPolicy,
): { readonly observed$: Observable<ClusterState>; readonly trouble$: Observable<WatchFailed> } => {
  const troubles: Observable<WatchFailed>[] = [];

  const watch = <T>(object: string, port: WatchPort<T>): Observable<WatchItem<T>> => {
    const watch$ = resumingWatch(port, policy).pipe(share());
    const failed$ = watch$.pipe(filter((item) => item.type === 'watch/failed'));
    troubles.push(failed$.pipe(map((failed) => ({ ...failed, type: 'watch/unavailable', object }) as const)));
    return watch$;
  };

  const secret$ = touched$.pipe(
    filter((touched) => touched.object === 'secret'),
    map(({ state }) => state),
  );
  const ca$ = touched$.pipe(
    filter((touched) => touched.object === 'ca'),
    map(({ state }) => state),
  );
  const source$ = touched$.pipe(
    filter((touched) => touched.object === 'source'),
    map(({ state }) => state),
  );
  const targetOf = (id: string): Observable<TargetState> =>
    touched$.pipe(
      filter((touched) => touched.object === 'target'),
      filter((touched) => touched.id === id),
      map(({ state }) => state),
    );

  const targets = ports.targets.map(({ id, watch: port }) =>
    trackedTarget(watch(id, port), targetOf(id)).pipe(map((state) => ({ id, state }))),
  );

  const own$: Observable<ClusterState> = combineLatest({
    lease: lease$,
    secret: trackedObject(watch('secret', ports.secretWatch), secret$),
    ca: trackedObject(watch('ca', ports.caWatch), ca$),
    targets: targets.length === 0 ? of([]) : combineLatest(targets),
    replicas: trackedReplicas(watch('replicas', ports.replicaWatch)),
  });

  const observed$ =
    ports.sourceWatch === undefined
      ? own$
      : combineLatest([own$, trackedObject(watch('source', ports.sourceWatch), source$)]).pipe(
          map(([own, source]) => ({ ...own, source })),
        );

  return { observed$, trouble$: merge(...troubles) };
};
