import type { TestScheduler } from 'rxjs/testing';
import type { Clock } from '../../streams/clock.ts';

/** Both clocks on virtual time; the wall clock may be off by `skewMs`. */
export const virtualClock = (scheduler: TestScheduler, skewMs = 0): Clock => ({
  wallMs: () => scheduler.now() + skewMs,
  monotonicMs: () => scheduler.now(),
});
