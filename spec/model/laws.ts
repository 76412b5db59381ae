import { issuers } from '../../streams/issuers.ts';
import { type Id, type Leaf, type PlannedStep, type State, type Target, verifies } from './cluster.ts';
import type { Scope } from './scope.ts';
import { isAnnouncementExpired, writes } from './writes.ts';

/** A law of docs/contract.md, section 7, by what is looked at: each plan of a leader when it is made, or each state. */
interface Check {
  /** What is wrong with the plan, or null. */
  readonly ofPlan?: (state: State, step: PlannedStep, issuer: Scope['issuer']) => string | null;
  readonly inState?: (state: State) => string | null;
}

export interface Breach {
  readonly law: Law;
  readonly what: string;
}

/** What a caBundle refuses a leaf, as it is stored and as the API server that lags calls with it; the first, in words. */
const refusing = (
  { targets, expired }: State,
  leaf: Leaf,
  isAsked: (target: Target) => boolean = () => true,
): string | null => {
  const accepts = (bundle: readonly Id[]): boolean => verifies(leaf, bundle, expired);
  /** Over an empty caBundle, or one in which everything has expired, no call succeeds. */
  const isOver = (bundle: readonly Id[]): boolean => bundle.every((id) => expired.cas.includes(id));
  for (const [at, target] of targets.entries()) {
    const { bundle, isTampered, isExcused, behind } = target;
    // What refused to be extended until its CA expired is left behind.
    const isLeft = isTampered || isExcused || (target.refuses && isOver(bundle));
    if (isAsked(target) && !isLeft && !accepts(bundle)) return `target-${at} trusts [${bundle.join(' ')}]`;
    const [seen] = behind;
    if (seen !== undefined && !seen.isExcused && !isOver(seen.bundle) && !accepts(seen.bundle))
      return `an API server still has [${seen.bundle.join(' ')}] for target-${at}`;
  }
  return null;
};

/** L2: what a replica serves verifies against every caBundle, as each API server sees it, until it expires. */
const refusedCall = (state: State): string | null => {
  for (const { serves } of state.replicas) {
    if (serves === null || state.expired.leaves.includes(serves.id)) continue;
    const refusal = refusing(state, serves);
    if (refusal !== null) return `a replica serves leaf ${serves.id} of CA ${serves.ca}, ${refusal}`;
  }
  return null;
};

/** Whether every replica has acknowledged the announced leaf, and CA_OVERLAP has passed since. */
const isServedForLong = ({ secret, announced, served, replicas }: State): boolean =>
  served === 'long' &&
  secret?.leaf.id === announced &&
  replicas.every(({ acknowledged }) => acknowledged === announced);

/**
 * L1: a leaf is written and announced when every caBundle trusts it and every API server had the time to see so; and what
 * callers may need is removed when the leaf after it has been acknowledged by all, for CA_OVERLAP.
 */
const outOfOrder: Check['ofPlan'] = (state, step, issuer) => {
  const { ca, secret, source, targets, expired } = state;
  const early = isServedForLong(state)
    ? null
    : 'although not every replica has served the announced leaf for CA_OVERLAP';
  switch (step.kind) {
    case 'issue-leaf': {
      // Only the announcement waits for a target that refuses its write; and what replaces an expired leaf waits for none.
      if (ca === null || isAnnouncementExpired(state)) return null;
      const refusal = refusing(state, { id: -1, ca: ca.current, via: ca.via }, ({ refuses }) => !refuses);
      return refusal && `a leaf of CA ${ca.current} is about to be written, ${refusal}`;
    }
    case 'copy-secret': {
      if (source === null || isAnnouncementExpired(state)) return null;
      const refusal = refusing(state, source.leaf, ({ refuses }) => !refuses);
      return refusal && `leaf ${source.leaf.id} of CA ${source.leaf.ca} is about to be copied, ${refusal}`;
    }
    case 'announce': {
      if (secret === null || isAnnouncementExpired(state) || expired.leaves.includes(secret.leaf.id)) return null;
      const refusal = refusing(state, secret.leaf);
      return refusal && `leaf ${secret.leaf.id} of CA ${secret.leaf.ca} is about to be announced, ${refusal}`;
    }
    case 'prune-ca-bundle':
      return early && `CAs are about to be removed from SECRET-ca ${early}`;
    case 'inject': {
      const taken = targets[step.target]!.bundle.filter((id) => !step.cas.includes(id) && !expired.cas.includes(id));
      if (issuers[issuer].keepsCa || taken.length === 0) return null;
      return early && `CA ${taken.join(', CA ')} is about to be removed from target-${step.target} ${early}`;
    }
    default:
      return null;
  }
};

/** L5, as far as a planner decides it: what an expired CA would sign ends after it. */
const outlivingLeaf: Check['ofPlan'] = ({ ca, expired }, { kind }) =>
  kind === 'issue-leaf' && ca !== null && expired.cas.includes(ca.current)
    ? `a leaf of CA ${ca.current}, which has expired, is about to be issued`
    : null;

/** L6: where another program issues, SECRET-ca is never written, and with an external issuer the Secret neither. */
const writtenSecret: Check['ofPlan'] = (_, step, issuer) => {
  const { keepsCa, writesSecret } = issuers[issuer];
  const isForbidden = (!keepsCa && writes(step) === 'ca') || (!writesSecret && writes(step) === 'secret');
  return isForbidden ? `${step.kind} is about to be written, with CERT_ISSUER=${issuer}` : null;
};

export const LAWS = {
  L1: { ofPlan: outOfOrder },
  L2: { inState: refusedCall },
  L5: { ofPlan: outlivingLeaf },
  L6: { ofPlan: writtenSecret },
} as const satisfies Readonly<Record<string, Check>>;
export type Law = keyof typeof LAWS;
export const ALL_LAWS = Object.keys(LAWS) as readonly Law[];

const broken = (laws: readonly Law[], judge: (check: Check) => string | null | undefined): readonly Breach[] =>
  laws.flatMap((law) => {
    const what = judge(LAWS[law]) ?? null;
    return what === null ? [] : [{ law, what }];
  });

export const breachesInState = (state: State, { laws = ALL_LAWS }: Scope): readonly Breach[] =>
  broken(laws, ({ inState }) => inState?.(state));

export const breachesOfPlan = (
  state: State,
  step: PlannedStep,
  { issuer, laws = ALL_LAWS }: Scope,
): readonly Breach[] => broken(laws, ({ ofPlan }) => ofPlan?.(state, step, issuer));

/**
 * Nothing is left to do: one CA, one leaf, announced, mounted, served and acknowledged everywhere, and neither due for renewal.
 * While a target refuses its writes, a change of CA may wait for it; the leaf and the other targets may not (L9).
 */
export const isGoal = (state: State): boolean => {
  const { secret, source, ca, rotate, announced, replicas, leaders, due, expired } = state;
  if (source !== null && source.leaf.id !== announced) return false;
  if (secret?.leaf.id !== announced || leaders.some((planned) => planned !== null)) return false;
  if (due.leaf || expired.leaves.includes(secret.leaf.id)) return false;
  if (replicas.some(({ serves, acknowledged }) => serves?.id !== announced || acknowledged !== announced)) return false;
  const writable = state.targets.filter(({ refuses }) => !refuses);
  if (writable.length < state.targets.length)
    return rotate !== 'leaf' && writable.every(({ bundle }) => bundle.includes(secret.leaf.ca));
  const isRotated = rotate === null && !due.ca && state.served === 'no' && (ca === null || ca.bundle.length === 1);
  return isRotated && writable.every(({ bundle }) => bundle.length === 1 && bundle[0] === secret.leaf.ca);
};

/**
 * What a cluster may wait in for ever: a change of CA has begun or is needed, and a target refuses its write and trusts the
 * older CA only; or an external issuer has not renewed its leaf.
 */
export const isWaiting = ({ ca, secret, source, targets, expired }: State, issuer: Scope['issuer']): boolean => {
  const { keepsCa, readsSource } = issuers[issuer];
  const issued = readsSource ? source : secret;
  if (!keepsCa && issued !== null && expired.leaves.includes(issued.leaf.id)) return true;
  const next = !keepsCa ? issued?.leaf.ca : ca?.hasKey === true ? ca.current : undefined;
  return targets.some(
    ({ bundle, refuses }) => refuses && bundle.length > 0 && (next === undefined || !bundle.includes(next)),
  );
};
