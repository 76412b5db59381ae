import {
  EMPTY,
  Subject,
  catchError,
  concat,
  defer,
  map,
  merge,
  mergeMap,
  of,
  shareReplay,
  tap,
  throwError,
  withLatestFrom,
} from 'rxjs';
import type { Observable } from 'rxjs';
import { backoffMs } from './backoff-ms.ts';
import type { Clock } from './clock.ts';
import type { Observed } from './cluster-state.ts';
import type { Fence } from './election.ts';
import type { LeaseQueue } from './lease-queue.ts';
import type { LeaseSnapshot } from './model.ts';
import { observeCluster } from './observe-cluster.ts';
import type { Observation, ObservationPorts, Touched, Trouble } from './observe-cluster.ts';
import { planExternal } from './plan-external.ts';
import { planIssuance } from './plan-issuance.ts';
import type { IssuancePolicy } from './plan-issuance.ts';
import { Problem } from './problem.ts';
import { repairPace } from './repair-pace.ts';
import type { WatchPolicy } from './resuming-watch.ts';
import { singleFlight } from './single-flight.ts';
import type { Step } from './step.ts';

export type LeaseStep = Extract<Step, { kind: 'announce' | 'mark-served' | 'ask-rotation' }>;
export type ObjectStep = Exclude<Step, LeaseStep>;

export interface LeaderPorts extends ObservationPorts {
  readonly clock: Clock;
  readonly random: () => number;
  readonly queue: LeaseQueue;
  /**
   * Carries out one write and reads it back. Asks the fence right before sending. Errs with a Problem; 409 when the
   * object is no longer the one the step was decided on.
   */
  perform(step: ObjectStep, fence: Fence): Observable<Touched>;
  /** Reads the object of a step that met a conflict; empty when it is gone. */
  refresh(step: ObjectStep): Observable<Touched>;
}

export interface LeaderPolicy extends IssuancePolicy {
  readonly issuer: 'self-signed' | 'external';
}

export type LeaderEvent =
  /** `touched` is the object as it stands now; null for a write to the Lease, which is observed like any other. */
  | { readonly type: 'step/done'; readonly step: Step; readonly touched: Touched | null }
  | { readonly type: 'step/failed'; readonly step: Step; readonly status: number | null; readonly error: string }
  | { readonly type: 'target/contested'; readonly target: string; readonly rival: string | null }
  | { readonly type: 'cluster/observed'; readonly observed: Observation }
  | Trouble;

const isLeaseStep = (step: Step): step is LeaseStep =>
  step.kind === 'announce' || step.kind === 'mark-served' || step.kind === 'ask-rotation';

/**
 * Level-triggered: observe everything, plan the one next write, do it, observe again. The only memory is how often each
 * caBundle was repaired, and it can only slow down.
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
    const { clock, random, queue } = ports;
    const touched$ = new Subject<Touched>();
    const pace = repairPace();
    const plan = policy.issuer === 'external' ? planExternal : planIssuance;
    const { observed$, trouble$ } = observeCluster(lease$, touched$, ports, policy);

    const withHeld = (observation: Observation): Observed => ({
      ...observation,
      targets: observation.targets.map((target) => ({ ...target, held: pace.isHeld(target.id, clock.monotonicMs()) })),
    });

    const write = (step: Step, { lease }: Observed): Observable<LeaderEvent> => {
      if (isLeaseStep(step))
        return queue.write(step, lease).pipe(map(() => ({ type: 'step/done', step, touched: null })));
      return ports.perform(step, fence).pipe(
        mergeMap((touched): Observable<LeaderEvent> => {
          const done$ = of<LeaderEvent>({ type: 'step/done', step, touched });
          const fights = step.kind === 'inject' && pace.wrote(step.target, step.trust, clock.monotonicMs());
          const fight$ = fights
            ? of<LeaderEvent>({ type: 'target/contested', target: step.target, rival: step.basis.rival })
            : EMPTY;
          return concat(
            done$,
            fight$,
            defer(() => {
              touched$.next(touched);
              return EMPTY;
            }),
          );
        }),
      );
    };

    const attempt = ({ observation }: { readonly observation: Observation }): Observable<LeaderEvent> =>
      defer(() => {
        const observed = withHeld(observation);
        const step = fence() ? plan(observed, policy, clock.wallMs()) : null;
        if (step === null) return EMPTY;
        return write(step, observed).pipe(
          catchError((error: unknown) => {
            if (!(error instanceof Problem)) return throwError(() => error);
            const failed$ = of<LeaderEvent>({ type: 'step/failed', step, status: error.status, error: error.message });
            return error.status === 409 && !isLeaseStep(step) ? concat(failed$, refresh(step)) : failed$;
          }),
        );
      });

    const refresh = (step: ObjectStep): Observable<never> =>
      ports.refresh(step).pipe(
        tap((touched) => touched$.next(touched)),
        mergeMap(() => EMPTY),
        catchError((error: unknown) => (error instanceof Problem ? EMPTY : throwError(() => error))),
      );

    const seen$ = observed$.pipe(shareReplay({ bufferSize: 1, refCount: true }));
    const occasion$ = merge(seen$, tick$.pipe(withLatestFrom(seen$, (_, observation) => observation))).pipe(
      map((observation) => ({ observation })),
    );

    return merge(
      trouble$,
      seen$.pipe(map((observed) => ({ type: 'cluster/observed', observed }) as const)),
      occasion$.pipe(
        singleFlight(attempt, {
          retryInMs: (event, failures) => (event.type === 'step/failed' ? backoffMs(failures, random()) : null),
          supersedes: (next, flown) => next.observation !== flown.observation,
        }),
      ),
    );
  });
