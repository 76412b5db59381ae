import { mayServe } from './may-serve.ts';
import type { Replica } from './model.ts';

/**
 * Whether every replica that may serve anything says that it serves this hash. False when nobody can say so: when the
 * replicas cannot be seen, or when this one is not among them (a selector that matches somebody else's Pods proves
 * nothing).
 *
 * @param identity the name of this replica's Pod
 */
export const acknowledged = (
  replicas: readonly Replica[] | 'unreadable',
  hash: string,
  { identity, nowMs }: { readonly identity: string; readonly nowMs: number },
): boolean => {
  if (replicas === 'unreadable') return false;
  const serving = replicas.filter((replica) => mayServe(replica, nowMs));
  return serving.some(({ name }) => name === identity) && serving.every(({ servingHash }) => servingHash === hash);
};
