import type { IssuanceView } from '../../streams/planner-input.ts';
import { clusterOf, type Sketch } from './cluster-of.ts';

/** What the planner's rules look at, from a sketch that names a CA that signs. */
export const viewOf = (sketch: Sketch & { readonly ca: string }): IssuanceView => {
  const { observed, policy, nowMs } = clusterOf;
  const seen = observed(sketch);
  const { secret, authority } = seen;
  if (secret === 'unknown' || secret === 'unreadable' || typeof authority === 'string' || authority.current === null)
    throw new Error('the planner looks no further at this');
  return { ...policy, nowMs, observed: seen, secret, authority, current: authority.current };
};
