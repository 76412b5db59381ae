import { catchError, concat, defer, EMPTY, from, mergeMap, type Observable, of, type Subject, throwError } from 'rxjs';
import type { Clock } from './clock.ts';
import { repairOf, type RepairPace } from './contention.ts';
import type { Fence, StepEvent } from './events.ts';
import { basisOf, type FailedWrites, type FailureReport } from './failed-writes.ts';
import type { LeaseWriter } from './lease-writer.ts';
import type { PlannerInput, WriteResult } from './planner-input.ts';
import { Problem } from './problem.ts';
import { isLeaseStep, objectOf, type ObjectStep, type Step } from './step.ts';

export type { LeaseStep, ObjectStep } from './step.ts';

export interface StepPorts {
  readonly clock: Clock;
  readonly queue: LeaseWriter;
  /**
   * Executes one write and reads the object back. Asks the fence right before sending. Errors with a Problem: 409 when
   * the object is no longer the one the step was planned on.
   */
  perform(step: ObjectStep, fence: Fence): Observable<WriteResult>;
  /** Reads the object of a step that met a conflict; empty when it is gone. */
  refresh(step: ObjectStep): Observable<WriteResult>;
}

export type { StepEvent } from './events.ts';

/** A write that was accepted without its effect: why, and the cluster as it is known after it. */
interface Defect {
  readonly message: string;
  readonly after: PlannerInput;
}

/** What is wrong with the result of a write; null when the write had its effect. */
const defectOf = (step: ObjectStep, written: WriteResult, observed: PlannerInput): Defect | null => {
  // Every planned write changes the object. The same version means that an admission plugin has undone the change.
  if (step.plannedOn !== 'absent' && step.plannedOn.resourceVersion === written.state.resourceVersion)
    return { message: 'the write was accepted and changed nothing: admission reverts it', after: observed };
  if (written.object === 'secret' && written.state.problem !== null) {
    const message = `the Secret that was written cannot be used: ${written.state.problem}`;
    return { message, after: { ...observed, secret: written.state } };
  }
  if (written.object === 'ca' && written.state.current === null)
    return { message: 'the CA that was written cannot be used', after: { ...observed, ca: written.state } };
  return null;
};

/**
 * Executes one write and reports the result. After a conflict the object is read again, so that the next plan rests on
 * its current version. A failure is an item, never an error. A write that is accepted without having its effect counts
 * as refused: to repeat it would only overwrite one unusable object with another.
 *
 *     perform   --t|            --#
 *     refresh                     --t|
 *     touched   --t             ----t
 *     result    --d|            --f-|     d done, f failed
 *
 * @param touched$ gets each object as it was written or read, after the event
 */
export const applyStep = (
  step: Step,
  observed: PlannerInput,
  {
    ports,
    fence,
    pace,
    failures,
    touched$,
  }: {
    readonly ports: StepPorts;
    readonly fence: Fence;
    readonly pace: RepairPace;
    readonly failures: FailedWrites;
    readonly touched$: Subject<WriteResult>;
  },
): Observable<StepEvent> => {
  const object = objectOf(step);
  const { clock } = ports;

  const refused = (
    { status, message }: Pick<Problem, 'status' | 'message'>,
    { retryInMs, isNewRefusal }: FailureReport,
  ): readonly StepEvent[] =>
    isNewRefusal ? [{ type: 'object/refused', object, status, error: message, retryInMs }] : [];

  const failed = (problem: Problem): Observable<StepEvent> => {
    const { status, message } = problem;
    const report = failures.failed(object, basisOf(object, observed, problem), problem, clock.monotonicMs());
    const { retryInMs, repeated } = report;
    return from<StepEvent[]>([
      { type: 'step/failed', step, status, error: message, retryInMs, repeated },
      ...refused(problem, report),
    ]);
  };

  const succeeded = (written: WriteResult | null, defect: Defect | null = null): readonly StepEvent[] => {
    const done: StepEvent = { type: 'step/done', step, touched: written };
    if (defect === null) return failures.accepted(object) ? [done, { type: 'object/accepted', object }] : [done];
    const { message, after } = defect;
    const report = failures.ineffective(object, basisOf(object, after), message, clock.monotonicMs());
    return [done, ...refused({ status: null, message }, report)];
  };

  const repair = repairOf(step, observed);
  const contest = (): Observable<StepEvent> =>
    repair !== null && pace.wrote(repair, clock.monotonicMs())
      ? of({ type: 'object/contested', object: repair.object, otherManager: repair.otherManager })
      : EMPTY;

  if (isLeaseStep(step)) {
    return ports.queue.write(step, observed.lease).pipe(
      mergeMap(() => concat(succeeded(null), defer(contest))),
      catchError((error: unknown) => (error instanceof Problem ? failed(error) : throwError(() => error))),
    );
  }

  const echo = (touched: WriteResult): Observable<never> =>
    defer(() => {
      touched$.next(touched);
      return EMPTY;
    });

  const refresh$ = ports.refresh(step).pipe(
    mergeMap(echo),
    // An object that cannot be read now arrives through its watch.
    catchError((error: unknown) => (error instanceof Problem ? EMPTY : throwError(() => error))),
  );

  return ports.perform(step, fence).pipe(
    mergeMap((touched) => concat(succeeded(touched, defectOf(step, touched, observed)), defer(contest), echo(touched))),
    catchError((error: unknown): Observable<StepEvent> => {
      if (!(error instanceof Problem)) return throwError(() => error);
      return concat(failed(error), error.status === 409 ? refresh$ : EMPTY);
    }),
  );
};
