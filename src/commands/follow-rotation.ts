import { combineLatest, filter, map, scan, take, takeWhile, timeout, timer } from 'rxjs';
import type { Observable } from 'rxjs';
import type { Observation } from '../../streams/observe-cluster.ts';
import { rotationHint } from './rotation-hint.ts';
import { initialReport, nextReport } from './rotation-report.ts';
import type { RotationReport } from './rotation-report.ts';
import type { RotationTerms } from './rotation-stages.ts';
import type { RotationStart } from './rotation-start.ts';

export interface FollowTerms extends Omit<RotationTerms, 'nowMs'> {
  readonly namespace: string;
  /** How long nothing may happen before it is given up. */
  readonly patienceMs: number;
}

/** A Pod can be past its end without an event. */
const LOOK_AGAIN_MS = 1_000;

/**
 * Follows a rotation until it has ended or stands still.
 *
 * @param seen$ replays the last look
 */
export const followRotation = (
  seen$: Observable<Observation>,
  start: RotationStart,
  terms: FollowTerms,
): Observable<RotationReport> => {
  const { namespace, patienceMs } = terms;

  const standstill = (seen: Observation): RotationReport => {
    const hint = rotationHint(start, seen, { namespace, nowMs: Date.now() });
    return { ...initialReport, fresh: [`nothing has happened for ${patienceMs / 1000} s: ${hint}`], exitCode: 1 };
  };

  return combineLatest([seen$, timer(0, LOOK_AGAIN_MS)]).pipe(
    scan((report, [seen]) => nextReport(report, start, seen, { ...terms, nowMs: Date.now() }), initialReport),
    filter(({ fresh, exitCode }) => fresh.length > 0 || exitCode !== null),
    timeout({ each: patienceMs, with: () => seen$.pipe(take(1), map(standstill)) }),
    takeWhile(({ exitCode }) => exitCode === null, true),
  );
};
