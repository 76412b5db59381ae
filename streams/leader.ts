import {
  concat,
  defer,
  EMPTY,
  from,
  map,
  merge,
  mergeMap,
  type Observable,
  shareReplay,
  Subject,
  tap,
  timer,
  withLatestFrom,
} from 'rxjs';
import { applyStep, type StepPorts } from './apply-step.ts';
import type { Clock } from './clock.ts';
import { repairOf, type RepairPace, repairPace } from './contention.ts';
import type { Fence, LeaderEvent } from './events.ts';
import { type FailedWrites, failedWrites } from './failed-writes.ts';
import type { Issuer } from './issuers.ts';
import type { LeaseSnapshot } from './model.ts';
import { type ObservationPorts, observeCluster } from './observe-cluster.ts';
import type { ClusterState, IssuancePolicy, PlannerInput, WriteResult } from './planner-input.ts';
import type { WatchPolicy } from './resuming-watch.ts';
import { markAges, settlesFor } from './settle.ts';
import { singleFlight } from './single-flight.ts';
import type { Step } from './step.ts';

export type { LeaseStep, ObjectStep } from './apply-step.ts';

export interface LeaderPorts extends ObservationPorts, StepPorts {
  readonly random: () => number;
}

export interface LeaderPolicy extends IssuancePolicy {
  readonly issuer: Issuer;
}

export type { LeaderEvent } from './events.ts';

const REPLANNED: ReadonlySet<LeaderEvent['type']> = new Set(['step/failed', 'object/refused', 'object/accepted']);

interface Occasion {
  readonly observation: ClusterState;
  /** How many pauses of failed writes are over: each is a reason to plan again. */
  readonly pausesOver: number;
}

const OWN_OBJECTS = ['secret', 'ca', 'announcement'] as const;

interface Memory {
  readonly pace: RepairPace;
  readonly failures: FailedWrites;
  readonly agesOf: ReturnType<typeof markAges>;
}

/** The next write, and the observation that it was planned on: with the objects that are not to be written now. */
interface Plan {
  readonly step: Step | null;
  readonly observed: PlannerInput;
  /** The objects whose repair is left out, since another manager keeps reverting it. */
  readonly contended: ReadonlySet<string>;
}

/** Adds to what is observed which objects are not to be written now, and which refuse the leader's writes. */
const withPauses = (
  observed: ClusterState,
  contended: ReadonlySet<string>,
  failures: FailedWrites,
  nowMs: number,
): PlannerInput => {
  const input: PlannerInput = { ...observed, targets: observed.targets.map((target) => ({ ...target, held: false })) };
  const isPaused = (object: string): boolean => contended.has(object) || failures.isPaused(object, input, nowMs);
  return {
    ...input,
    targets: input.targets.map((target) => ({
      ...target,
      held: isPaused(target.id),
      refused: failures.refusal(target.id),
    })),
    paused: new Set(OWN_OBJECTS.filter(isPaused)),
  };
};

/**
 * Plans without the repairs that another manager keeps reverting: each is left out in turn until the step is due now. A
 * contended object that is to get a new value, such as the CA of the next certificate, gets it at once.
 */
const planNext = (
  observation: ClusterState,
  { pace, failures, agesOf }: Memory,
  policy: LeaderPolicy,
  clock: Clock,
): Plan => {
  const nowMs = clock.monotonicMs();
  const ages = agesOf(observation, nowMs);
  const contended = new Set<string>();
  for (;;) {
    const observed = { ...withPauses(observation, contended, failures, nowMs), ages };
    const step = policy.issuer.plan(observed, policy, clock.wallMs());
    const repair = step === null ? null : repairOf(step, observed);
    if (repair === null || !pace.isHeld(repair, nowMs) || contended.has(repair.object))
      return { step, observed, contended };
    contended.add(repair.object);
  }
};

/**
 * Level-triggered: observe everything, plan the one next write, execute it, observe again. The only memory is how often
 * each object was repaired and which writes failed; it delays writes and never decides which.
 *
 *     observed   1-----2--3-------4-----      3 is the answer to the write planned on 2
 *     plan       0     w  w'      0
 *     result     ------d--d'------------
 *
 * A failed write pauses its own object only, and the leader plans again at once without it (L9).
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
    const pauseMs$ = new Subject<number>();
    const pace = repairPace();
    const failures = failedWrites(random);
    const agesOf = markAges();
    const { observed$, trouble$ } = observeCluster(lease$, touched$, ports, policy);
    let pausesOver = 0;
    let waitingFor = '';
    let settlingFor: LeaseSnapshot['trusted'] = null;

    const waiting = (observed: PlannerInput): readonly LeaderEvent[] => {
      const objects = policy.issuer.caChangeWaitsFor(observed, policy, clock.wallMs());
      const names = objects.join();
      if (names === waitingFor) return [];
      waitingFor = names;
      return [{ type: 'ca-change/waiting', objects }];
    };

    const settles = ({ step, observed }: Plan): readonly LeaderEvent[] => {
      const nowMs = clock.wallMs();
      const inMs = step === null ? settlesFor(policy.issuer.plan, observed, policy, nowMs) : 0;
      const mark = inMs === 0 ? null : observed.lease.trusted;
      if (mark?.sinceMs === settlingFor?.sinceMs) return [];
      settlingFor = mark;
      if (mark === null) return [{ type: 'trust/settling', untilMs: null }];
      // A timer may fire a fraction of a millisecond early.
      pauseMs$.next(inMs + 1);
      return [{ type: 'trust/settling', untilMs: nowMs + inMs }];
    };

    /** With nothing left to write, an object whose pause is over is as it should be without the write that failed. */
    const settled = ({ observed, contended }: Plan): readonly LeaderEvent[] =>
      failures
        .objects()
        .filter((object) => !contended.has(object) && !failures.isPaused(object, observed, clock.monotonicMs()))
        .flatMap((object) => (failures.accepted(object) ? [{ type: 'object/accepted', object } as const] : []));

    const attempt = ({ observation }: Occasion): Observable<LeaderEvent> =>
      defer(() => {
        if (!fence()) return EMPTY;
        const plan = planNext(observation, { pace, failures, agesOf }, policy, clock);
        const { step, observed } = plan;
        const waits = [...waiting(observed), ...settles(plan)];
        if (step === null) return from([...waits, ...settled(plan)]);
        return concat(waits, applyStep(step, observed, { ports, fence, pace, failures, touched$ }));
      }).pipe(
        tap((event) => {
          if (event.type === 'step/failed' || event.type === 'object/refused') pauseMs$.next(event.retryInMs);
        }),
      );

    const seen$ = observed$.pipe(shareReplay({ bufferSize: 1, refCount: true }));
    const pauseOver$ = pauseMs$.pipe(
      mergeMap((ms) => timer(ms)),
      tap(() => (pausesOver += 1)),
    );
    const occasion$ = merge(
      seen$,
      merge(tick$, pauseOver$).pipe(withLatestFrom(seen$, (_, observation) => observation)),
    ).pipe(map((observation) => ({ observation, pausesOver })));

    return merge(
      trouble$,
      seen$.pipe(map((observed) => ({ type: 'cluster/observed', observed }) as const)),
      occasion$.pipe(
        singleFlight(attempt, {
          // A failed write is paused: what does not depend on it is planned at once, as is what waited for it.
          retryInMs: ({ type }) => (REPLANNED.has(type) ? 0 : null),
          supersedes: (next, flown) => next.observation !== flown.observation || next.pausesOver !== flown.pausesOver,
        }),
      ),
    );
  });
