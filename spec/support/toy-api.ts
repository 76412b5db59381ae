import { concatMap, defer, EMPTY, map, type Observable, of, startWith, Subject, timer } from 'rxjs';
import type { ObjectStep, StepPorts } from '../../streams/apply-step.ts';
import { leaseWriter } from '../../streams/lease-writer.ts';
import type { LeaseSnapshot, Replica } from '../../streams/model.ts';
import type { ObservationPorts, WriteResult } from '../../streams/observe-cluster.ts';
import type { ObservedTarget, TargetState } from '../../streams/planner-input.ts';
import { Problem } from '../../streams/problem.ts';
import type { Step } from '../../streams/step.ts';
import type { WatchFrame, WatchPort } from '../../streams/watch-port.ts';
import type { ToyCluster } from './toy-cluster.ts';

interface Versioned {
  readonly resourceVersion: string;
}

/** A toy cluster behind an API server that takes a millisecond for everything and tells its watches at once. */
export const toyApi = (cluster: ToyCluster) => {
  const changed$ = new Subject<unknown>();
  const landed$ = new Subject<Step>();
  const writings: Step[] = [];

  const frames = <T extends Versioned>(
    now: () => T | Exclude<ObservedTarget, TargetState>,
  ): Observable<WatchFrame<T>> =>
    defer(() => {
      let last = now();
      return changed$.pipe(
        concatMap((): Observable<WatchFrame<T>> => {
          const [before, after] = [last, now()];
          last = after;
          if (typeof after !== 'string') {
            const { resourceVersion } = after;
            const isOld = typeof before !== 'string' && before.resourceVersion === resourceVersion;
            return isOld ? EMPTY : of({ type: 'applied', resourceVersion, object: after });
          }
          return typeof before === 'string' ? EMPTY : of({ type: 'deleted', resourceVersion: '0', object: before });
        }),
        startWith({ type: 'opened' } as const),
      );
    });

  const byName = <T extends Versioned>(now: () => T | Exclude<ObservedTarget, TargetState>): WatchPort<T> => ({
    list: () =>
      timer(1).pipe(
        map(now),
        map((object) => ({ resourceVersion: '1', items: typeof object === 'string' ? [] : [object] })),
      ),
    watch: () => frames(now),
  });

  const pods = () => cluster.observed().replicas as readonly Replica[];
  const replicaWatch: WatchPort<Replica> = {
    list: () => timer(1).pipe(map(() => ({ resourceVersion: '1', items: pods() }))),
    watch: () =>
      changed$.pipe(
        concatMap(() => pods().map((object) => ({ type: 'applied', resourceVersion: '2', object }) as const)),
        startWith({ type: 'opened' } as const),
      ),
  };

  const target = (id: string) => cluster.observed().targets.find((one) => one.id === id)!.state;

  const standing = (step: ObjectStep): WriteResult | null => {
    const { secret, ca: authority } = cluster.observed();
    if (step.kind === 'inject') {
      const state = target(step.target);
      return typeof state === 'string' ? null : { object: 'target', id: step.target, state };
    }
    if (step.kind === 'issue-leaf' || step.kind === 'update-secret-ca') {
      return typeof secret === 'string' ? null : { object: 'secret', state: secret };
    }
    return typeof authority === 'string' ? null : { object: 'ca', state: authority };
  };

  const land = (step: Step): void => {
    if (cluster.write(step) === 'conflict') throw new Problem('it has changed', 409);
    writings.push(step);
    changed$.next(null);
    landed$.next(step);
  };

  const lease = (): LeaseSnapshot => cluster.observed().lease;

  return {
    writings: (): readonly Step[] => writings,
    /** Each write, once it stands and its watches have been told, before its writer is. */
    landed$: landed$.asObservable(),
    /** Somebody else does something. */
    meddle: (action: () => unknown): void => {
      action();
      changed$.next(null);
    },
    lease$: changed$.pipe(startWith(null), map(lease)),
    /** A queue of its own for each replica. */
    queue: () =>
      leaseWriter({
        writeLease: (change, plannedOn) =>
          timer(1).pipe(
            map(() => {
              if (plannedOn?.resourceVersion !== lease().resourceVersion)
                throw new Problem('the Lease has changed', 409);
              land(change as Step);
              return lease();
            }),
          ),
      }),
    watches: {
      secretWatch: byName(() => cluster.observed().secret),
      caWatch: byName(() => cluster.observed().ca),
      targets: cluster.observed().targets.map(({ id }) => ({ id, watch: byName(() => target(id)) })),
      replicaWatch,
    } satisfies ObservationPorts,
    writes: {
      perform: (step, fence) =>
        timer(1).pipe(
          map(() => {
            if (!fence()) throw new Problem('no longer the leader, nothing was written');
            land(step);
            return standing(step)!;
          }),
        ),
      refresh: (step) =>
        timer(1).pipe(
          concatMap(() => {
            const touched = standing(step);
            return touched === null ? EMPTY : of(touched);
          }),
        ),
    } satisfies Pick<StepPorts, 'perform' | 'refresh'>,
  };
};
