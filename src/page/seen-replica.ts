import type { Status } from '../status.ts';

/** One replica as the page knows it; no status when it does not answer. */
export interface SeenReplica {
  readonly name: string;
  readonly status: Status | null;
}
