import { defer, EMPTY, map, merge, type Observable, shareReplay, Subject, withLatestFrom } from 'rxjs';
import { applyStep, type StepEvent, type StepPorts } from './apply-step.ts';
import { retryDelayMs } from './backoff.ts';
import type { PlannerInput } from './cluster-state.ts';
import { repairOf, repairPace } from './contention.ts';
import type { Fence } from './events.ts';
import type { Issuer } from './issuers.ts';
import type { LeaseSnapshot } from './model.ts';
import {
  type ClusterState,
  type ObservationPorts,
  observeCluster,
  type WatchFailed,
  type WriteResult,
} from './observe-cluster.ts';
import type { IssuancePolicy } from './planner-input.ts';
import type { WatchPolicy } from './resuming-watch.ts';
import { singleFlight } from './single-flight.ts';

export type { LeaseStep, ObjectStep } from './apply-step.ts';

export interface LeaderPorts extends ObservationPorts, StepPorts {
  readonly random: () => number;
}

export interface LeaderPolicy extends IssuancePolicy {
  readonly issuer: Issuer;
}

export type LeaderEvent =
  StepEvent | { readonly type: 'cluster/observed'; readonly observed: ClusterState } | WatchFailed;

/**
 * Level-triggered: observe everything, plan the one next write, do it, observe again. The only memory is how often each
 * object was repaired, and it can only slow down.
 *
 *     observed   1-----2--3-------4-----      3 is the answer to the write planned on 2
 *     plan       0     w  w'      0
 *     result     ------d--d'------------
 */
export const leader = (
  { lease$, tick$ }: { readonly lease$: Observable<LeaseSnapshot>; readonly tick$: Observable<unknown> },
  fence: Fence,
  ports: LeaderPorts,
  policy: LeaderPolicy & WatchPolicy,
): Observable<LeaderEvent> =>
  defer(() => {
    const { clock, random } = ports;
    const touched$ = new Subject<WriteResult>();
    const pace = repairPace();
    const { observed$, trouble$ } = observeCluster(lease$, touched$, ports, policy);

    const withHeld = (observation: ClusterState): PlannerInput => ({
      ...observation,
      targets: observation.targets.map((target) => ({ ...target, held: pace.isHeld(target.id, clock.monotonicMs()) })),
    });

    const attempt = ({ observation }: { readonly observation: ClusterState }): Observable<StepEvent> =>
      defer(() => {
        const observed = withHeld(observation);
        const step = fence() ? policy.issuer.plan(observed, policy, clock.wallMs()) : null;
        if (step === null) return EMPTY;
        const repair = repairOf(step, observed);
        const isHeld = repair !== null && pace.isHeld(repair.object, clock.monotonicMs());
        return isHeld ? EMPTY : applyStep(step, observed, { ports, fence, pace, touched$ });
      });

    const seen$ = observed$.pipe(shareReplay({ bufferSize: 1, refCount: true }));
    const occasion$ = merge(seen$, tick$.pipe(withLatestFrom(seen$, (_, observation) => observation))).pipe(
      map((observation) => ({ observation })),
    );

    return merge(
      trouble$,
      seen$.pipe(map((observed) => ({ type: 'cluster/observed', observed }) as const)),
      occasion$.pipe(
        singleFlight(attempt, {
          retryInMs: (event, failures) => (event.type === 'step/failed' ? retryDelayMs(failures, random()) : null),
          supersedes: (next, flown) => next.observation !== flown.observation,
        }),
      ),
    );
  });
