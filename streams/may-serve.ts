import type { Replica } from './model.ts';

/** How far apart the clocks of two machines may be, ms: as far as certificates are dated back for the same reason. */
const APART_MS = 3_600_000;

/**
 * Whether a replica may be serving something, or may yet. One that starts counts: what it has read before it was stopped
 * in the middle of its first load, it will serve when it goes on. So does one that is being deleted, until its object is
 * gone: the date by which that should have happened is read on another clock than it was written by.
 */
export const mayServe = ({ goneAtMs }: Replica, nowMs: number): boolean =>
  goneAtMs === null || nowMs < goneAtMs + APART_MS;
