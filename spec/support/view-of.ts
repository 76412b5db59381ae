import type { PlannerView } from '../../streams/planner-input.ts';
import { clusterOf, type Sketch } from './cluster-of.ts';

/** What the planner's rules look at, from a sketch that names a CA that signs. */
export const viewOf = (sketch: Sketch & { readonly ca: string }): PlannerView => {
  const { observed, policy, nowMs } = clusterOf;
  const seen = observed(sketch);
  const { secret, ca: authority } = seen;
  if (secret === 'pending' || secret === 'forbidden' || typeof authority === 'string' || authority.current === null)
    throw new Error('the planner looks no further at this');
  return { ...policy, nowMs, observed: seen, secret, ca: authority, current: authority.current };
};
