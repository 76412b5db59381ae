import type { Replica } from './model.ts';

/** Whether calls may reach a replica: it is alive, and it is ready or has once served. */
const counts = ({ goneAtMs, ready, servingHash }: Replica, nowMs: number): boolean =>
  (goneAtMs === null || nowMs < goneAtMs) && (ready || servingHash !== null);

/**
 * Whether every live replica says that it serves this hash. False when nobody can say so: when the replicas cannot be
 * seen, or when this one is not among them (a selector that matches somebody else's Pods proves nothing).
 *
 * @param identity the name of this replica's Pod
 */
export const acknowledged = (
  replicas: readonly Replica[] | 'unreadable',
  hash: string,
  { identity, nowMs }: { readonly identity: string; readonly nowMs: number },
): boolean => {
  if (replicas === 'unreadable') return false;
  const live = replicas.filter((replica) => counts(replica, nowMs));
  return live.some(({ name }) => name === identity) && live.every(({ servingHash }) => servingHash === hash);
};
