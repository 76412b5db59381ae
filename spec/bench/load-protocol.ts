import type { CallerTarget } from './keep-alive-caller.ts';

/** What the load generator, a process of its own, is to do. */
export interface LoadOrder {
  readonly target: CallerTarget;
  /** Opened for the occasion; each has one request on the way, all the time. */
  readonly connections: number;
  readonly ms: number;
}

/** What came of it. Handshakes are not part of it. */
export interface LoadResult {
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Share of a core that the generator itself took: near 1, the figure is the generator's. */
  readonly generatorBusy: number;
}
