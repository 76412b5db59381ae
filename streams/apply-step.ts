import { catchError, concat, defer, EMPTY, mergeMap, type Observable, of, type Subject, throwError } from 'rxjs';
import type { Clock } from './clock.ts';
import type { PlannerInput } from './cluster-state.ts';
import { repairOf, type RepairPace } from './contention.ts';
import type { Fence } from './events.ts';
import type { LeaseWriter } from './lease-writer.ts';
import type { WriteResult } from './observe-cluster.ts';
import { Problem } from './problem.ts';
import type { Step } from './step.ts';

export type LeaseStep = Extract<Step, { kind: 'announce' | 'record-served' | 'set-rotation-request' }>;
export type ObjectStep = Exclude<Step, LeaseStep>;

export interface StepPorts {
  readonly clock: Clock;
  readonly queue: LeaseWriter;
  /**
   * Carries out one write and reads it back. Asks the fence right before sending. Errs with a Problem; 409 when the
   * object is no longer the one the step was decided on.
   */
  perform(step: ObjectStep, fence: Fence): Observable<WriteResult>;
  /** Reads the object of a step that met a conflict; empty when it is gone. */
  refresh(step: ObjectStep): Observable<WriteResult>;
}

export type StepEvent =
  /** `touched` is the object as it stands now; null for a write to the Lease, which is observed like any other. */
  | { readonly type: 'step/done'; readonly step: Step; readonly touched: WriteResult | null }
  | { readonly type: 'step/failed'; readonly step: Step; readonly status: number | null; readonly error: string }
  /** Somebody else keeps undoing what is written: see {@link repairOf} for what objects are called. */
  | { readonly type: 'object/contested'; readonly object: string; readonly otherManager: string | null };

const isLeaseStep = (step: Step): step is LeaseStep =>
  step.kind === 'announce' || step.kind === 'record-served' || step.kind === 'set-rotation-request';

/**
 * One write, and what became of it. After a conflict the object is read again, so that the next plan rests on what
 * stands there. A failure is an item, never an end.
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
    touched$,
  }: {
    readonly ports: StepPorts;
    readonly fence: Fence;
    readonly pace: RepairPace;
    readonly touched$: Subject<WriteResult>;
  },
): Observable<StepEvent> => {
  const failed = ({ status, message }: Problem): StepEvent => ({ type: 'step/failed', step, status, error: message });

  const repair = repairOf(step, observed);
  const contest = (): Observable<StepEvent> =>
    repair !== null && pace.wrote(repair, ports.clock.monotonicMs())
      ? of({ type: 'object/contested', object: repair.object, otherManager: repair.otherManager })
      : EMPTY;

  if (isLeaseStep(step)) {
    return ports.queue.write(step, observed.lease).pipe(
      mergeMap(() => concat(of<StepEvent>({ type: 'step/done', step, touched: null }), defer(contest))),
      catchError((error: unknown) => (error instanceof Problem ? of(failed(error)) : throwError(() => error))),
    );
  }

  const echo = (touched: WriteResult): Observable<never> =>
    defer(() => {
      touched$.next(touched);
      return EMPTY;
    });

  const refresh$ = ports.refresh(step).pipe(
    mergeMap(echo),
    // What could not be read comes by the watch.
    catchError((error: unknown) => (error instanceof Problem ? EMPTY : throwError(() => error))),
  );

  return ports.perform(step, fence).pipe(
    mergeMap((touched) => concat(of<StepEvent>({ type: 'step/done', step, touched }), defer(contest), echo(touched))),
    catchError((error: unknown): Observable<StepEvent> => {
      if (!(error instanceof Problem)) return throwError(() => error);
      return concat(of(failed(error)), error.status === 409 ? refresh$ : EMPTY);
    }),
  );
};
