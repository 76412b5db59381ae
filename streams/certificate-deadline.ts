import { EMPTY, filter, map, merge, NEVER, type Observable, startWith, takeUntil, timer, withLatestFrom } from 'rxjs';
import type { DeadlineEvent } from './events.ts';
import type { Readiness } from './model.ts';

export type { DeadlineEvent } from './events.ts';

/**
 * Says, once, that no certificate was served in time.
 *
 *     readiness  --(no-announcement)---(hash-mismatch)--------
 *     result     -----------------------------------------(T|)     after timeoutMs
 *
 * @param timeoutMs null waits for ever
 * @param usable$ the certificate is there, and only another server keeps it from being served
 */
export const certificateDeadline = (
  readiness$: Observable<Readiness>,
  timeoutMs: number | null,
  usable$: Observable<unknown> = NEVER,
): Observable<DeadlineEvent> => {
  if (timeoutMs === null) return EMPTY;
  const reason$ = readiness$.pipe(
    map(({ reasons }) => reasons.join(', ')),
    startWith('no-announcement'),
  );
  return timer(timeoutMs).pipe(
    withLatestFrom(reason$),
    map(([, reason]) => ({ type: 'certificate/timed-out', timeoutMs, reason }) as const),
    takeUntil(merge(usable$, readiness$.pipe(filter(({ served }) => served !== null)))),
  );
};
