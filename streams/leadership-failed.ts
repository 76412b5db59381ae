import type { ElectionEvent } from './election-event.ts';
import type { Problem } from './problem.ts';

type LeadershipFailed = Extract<ElectionEvent, { type: 'leadership/failed' }>;

/** A write of the elector that was not taken, as an item. */
export const leadershipFailed = ({ status, message }: Problem, retryInMs: number): LeadershipFailed => ({
  type: 'leadership/failed',
  status,
  error: message,
  retryInMs,
});
