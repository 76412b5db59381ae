import { CLOCK_SKEW_MS } from './clock.ts';
import type { Replica } from './model.ts';

/**
 * Whether every replica that may be serving acknowledges this hash. False when that cannot be known: when the replicas
 * cannot be read, or when this one is not among them (a selector that matches the Pods of another program proves nothing).
 *
 * @param identity the name of this replica's Pod
 */
export const allAcknowledged = (
  replicas: readonly Replica[] | 'forbidden',
  hash: string,
  { identity, nowMs }: { readonly identity: string; readonly nowMs: number },
): boolean => {
  if (replicas === 'forbidden') return false;
  const serving = replicas.filter((replica) => mayBeServing(replica, nowMs));
  return serving.some(({ name }) => name === identity) && serving.every(({ servingHash }) => servingHash === hash);
};

/**
 * Whether a replica may be serving something, or may yet. One that starts counts: what it has read before it was stopped
 * in the middle of its first load, it will serve when it goes on. So does one that is being deleted, until its object is
 * gone: the date by which that should have happened is read on another clock than it was written by.
 */
export const mayBeServing = ({ goneAtMs }: Replica, nowMs: number): boolean =>
  goneAtMs === null || nowMs < goneAtMs + CLOCK_SKEW_MS;
