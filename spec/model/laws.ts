import { type Leaf, type State, verifies } from './cluster.ts';
import type { Scope } from './scope.ts';

/** What a caBundle accepts, as it is stored and as the API server that lags calls with it; the first that refuses, in words. */
const refusing = ({ targets }: State, leaf: Leaf): string | null => {
  for (const [at, { bundle, isTampered, isExcused, behind }] of targets.entries()) {
    if (!isTampered && !isExcused && !verifies(leaf, bundle)) return `target-${at} trusts [${bundle.join(' ')}]`;
    const [seen] = behind;
    if (seen !== undefined && !seen.isExcused && !verifies(leaf, seen.bundle))
      return `an API server still has [${seen.bundle.join(' ')}] for target-${at}`;
  }
  return null;
};

/** L2: what a replica serves verifies against every caBundle, as each API server sees it. */
export const refusedCall = (state: State): string | null => {
  for (const { serves } of state.replicas) {
    const refusal = serves === null ? null : refusing(state, serves);
    if (refusal !== null && serves !== null) return `a replica serves leaf ${serves.id} of CA ${serves.ca}, ${refusal}`;
  }
  return null;
};

/**
 * Nothing is left to do: one CA, one leaf, announced, mounted, served and acknowledged everywhere. While a target refuses
 * its writes, a change of CA may wait for it; the leaf and the other targets may not (L9).
 */
export const isGoal = (state: State): boolean => {
  const { secret, ca, rotate, announced, replicas, leaders } = state;
  if (secret?.leaf.id !== announced || leaders.some((planned) => planned !== null)) return false;
  if (replicas.some(({ serves, acknowledged }) => serves?.id !== announced || acknowledged !== announced)) return false;
  const writable = state.targets.filter(({ refuses }) => !refuses);
  if (writable.length < state.targets.length)
    return rotate !== 'leaf' && writable.every(({ bundle }) => bundle.includes(secret.leaf.ca));
  const isRotated = rotate === null && state.served === 'no' && (ca === null || ca.bundle.length === 1);
  return isRotated && writable.every(({ bundle }) => bundle.length === 1 && bundle[0] === secret.leaf.ca);
};

/** A change of CA has begun or is needed, and must wait for a target that refuses its write and trusts the older CA only. */
export const isWaiting = ({ ca, secret, targets }: State, issuer: Scope['issuer']): boolean => {
  const next = issuer === 'external' ? secret?.leaf.ca : ca?.hasKey === true ? ca.current : undefined;
  return targets.some(
    ({ bundle, refuses }) => refuses && bundle.length > 0 && (next === undefined || !bundle.includes(next)),
  );
};
