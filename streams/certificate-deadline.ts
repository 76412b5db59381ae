import { EMPTY, filter, map, type Observable, startWith, takeUntil, timer, withLatestFrom } from 'rxjs';
import type { Readiness } from './readiness.ts';

export interface DeadlineEvent {
  readonly type: 'certificate/timed-out';
  readonly timeoutMs: number;
  /** What it was still waiting for. */
  readonly reason: string;
}

/**
 * Says, once, that no certificate was served in time.
 *
 *     readiness  --(no-announcement)---(hash-mismatch)--------
 *     result     -----------------------------------------(T|)     after timeoutMs
 *
 * @param timeoutMs null waits for ever
 */
export const certificateDeadline = (
  readiness$: Observable<Readiness>,
  timeoutMs: number | null,
): Observable<DeadlineEvent> => {
  if (timeoutMs === null) return EMPTY;
  const reason$ = readiness$.pipe(
    map(({ reasons }) => reasons.join(', ')),
    startWith('no-announcement'),
  );
  return timer(timeoutMs).pipe(
    withLatestFrom(reason$),
    map(([, reason]) => ({ type: 'certificate/timed-out', timeoutMs, reason }) as const),
    takeUntil(readiness$.pipe(filter(({ served }) => served !== null))),
  );
};
