import { acknowledged } from './acknowledged.ts';
import type { AuthorityState, Observed, SecretState, Target } from './cluster-state.ts';
import type { CertificateFacts } from './model.ts';
import { isOutlived, isSettled, type IssuancePolicy, type IssuanceView } from './planner-input.ts';
import { leafReason, renewalDue } from './renewal.ts';
import type { Step } from './step.ts';
import { certificateSets, given, inherited, losesWith, overlooked } from './trust.ts';

const { alive, includes, same, union, without } = certificateSets;

/** A CA rotation asked for is bound to the CA it replaces, so that nobody carries it out twice. */
const boundTo = ({ fingerprint }: CertificateFacts): string => `ca/${fingerprint}`;

const foundAuthority = (observed: Observed, authority: AuthorityState | 'absent', nowMs: number): Step => {
  const keep = alive(union(authority === 'absent' ? [] : authority.bundle, inherited(observed)), nowMs);
  return { kind: 'issue-authority', reason: authority === 'absent' ? 'missing' : 'unusable', keep, basis: authority };
};

const requests = ({ observed: { lease }, current }: IssuanceView): Step | null => {
  const { rotate } = lease;
  if (rotate === null || rotate === 'leaf' || rotate === boundTo(current)) return null;
  if (rotate === 'ca') return { kind: 'ask-rotation', rotate: boundTo(current) };
  // A rotation begun that replaced its CA is dropped by the announcement; anything else is a word we do not know.
  return rotate.startsWith('ca/') ? null : { kind: 'ask-rotation', rotate: null };
};

const renewAuthority = (view: IssuanceView): Step | null => {
  const { authority, current, nowMs, caRenewBeforeMs, observed } = view;
  const expired = nowMs >= current.notAfterMs;
  const requested = observed.lease.rotate === boundTo(current);
  if (!requested && !expired && !renewalDue(current, { nowMs, renewBeforeMs: caRenewBeforeMs })) return null;
  // One rotation at a time: the leaf of the CA before must have been announced, unless there is no time left for that.
  if (!expired && !isSettled(view)) return null;
  const keep = alive(authority.bundle, nowMs);
  return { kind: 'issue-authority', reason: requested ? 'requested' : 'expiring', keep, basis: authority };
};

const completeBundle = (view: IssuanceView): Step | null => {
  const { authority, current, nowMs, observed } = view;
  // A backup of SECRET-ca knows nothing of the CAs that came or went after it: what we have given is not taken away.
  const standing = isOutlived(view) ? [] : given(observed);
  const keep = alive(without(union(authority.bundle, overlooked(view), standing), [current]), nowMs);
  if (same(authority.bundle, union([current], keep))) return null;
  return { kind: 'adopt-authority', keep, basis: authority };
};

const inject = ({ observed, authority }: IssuanceView): Step | null => {
  for (const { id, state, held } of observed.targets) {
    if (typeof state === 'string' || held) continue;
    if (state.bundles.every((bundle) => same(bundle, authority.bundle))) continue;
    const step = { kind: 'inject', target: id, trust: authority.bundle, basis: state } as const;
    const takesAway = !state.bundles.every((bundle) => includes(authority.bundle, bundle));
    return takesAway ? { ...step, account: { object: 'authority', state: authority } } : step;
  }
  return null;
};

const issueLeaf = (view: IssuanceView): Step | null => {
  const { observed, secret, authority, current, nowMs } = view;
  const reason = leafReason(view);
  if (reason === null) return null;
  const usable =
    secret !== 'absent' && secret.problem === null && secret.leaf !== null && nowMs < secret.leaf.notAfterMs;
  // A leaf that still serves is not replaced by one of another CA that some target would refuse (L1).
  if (usable && reason === 'other-authority' && observed.targets.some(losesWith(current.fingerprint, authority)))
    return null;
  return { kind: 'issue-leaf', reason, authority, basis: secret };
};

const isOurs = ({ issuer }: SecretState, { bundle }: AuthorityState): boolean =>
  bundle.some(({ fingerprint }) => fingerprint === issuer);

const announce = ({ secret, authority, observed, current }: IssuanceView): Step | null => {
  if (secret === 'absent' || secret.hash === null || secret.problem !== null || !isOurs(secret, authority)) return null;
  const { announcement, rotate } = observed.lease;
  const replaced = rotate !== null && rotate.startsWith('ca/') && rotate !== boundTo(current);
  const fulfils = secret.issuer === current.fingerprint && (rotate === 'leaf' || replaced);
  const announced = announcement?.hash === secret.hash && announcement.validUntil === secret.validUntil;
  if (announced) return fulfils ? { kind: 'ask-rotation', rotate: null } : null;
  // What is announced goes on serving while somebody else keeps a caBundle from trusting what comes (L2).
  const loses = ({ state, ...rest }: Target): boolean =>
    state !== 'unreadable' && losesWith(secret.issuer, authority)({ state, ...rest });
  if (announcement !== null && observed.targets.some(loses)) return null;
  return { kind: 'announce', announcement: { hash: secret.hash, validUntil: secret.validUntil }, fulfils };
};

const narrow = (view: IssuanceView): Step | null => {
  const { observed, authority, current, identity, nowMs } = view;
  const older = without(authority.bundle, [current]);
  const hash = observed.lease.announcement?.hash;
  if (older.length === 0 || hash === undefined || !isSettled(view) || observed.replicas === 'unknown') return null;
  const { servedSinceMs } = observed.lease;
  if (!acknowledged(observed.replicas, hash, { identity, nowMs })) {
    return servedSinceMs === null ? null : { kind: 'mark-served', sinceMs: null };
  }
  if (servedSinceMs === null || servedSinceMs > nowMs) return { kind: 'mark-served', sinceMs: nowMs };
  return isOutlived(view) ? { kind: 'narrow-authority', keep: [], basis: authority } : null;
};

const publishTrust = ({ secret, authority }: IssuanceView): Step | null =>
  secret === 'absent' || same(secret.trust, authority.bundle)
    ? null
    : { kind: 'publish-trust', trust: authority.bundle, basis: secret };

/** The mark stands until the last caBundle is narrowed, since it is what allows that. */
const unmark = ({ observed, authority }: IssuanceView): Step | null => {
  const narrowed = authority.bundle.length === 1 && includes(authority.bundle, given(observed));
  return narrowed && observed.lease.servedSinceMs !== null ? { kind: 'mark-served', sinceMs: null } : null;
};

/** What stands is mended first, then changed in L1's order: nothing happens while something further up is to be written. */
const RULES = [completeBundle, inject, requests, renewAuthority, issueLeaf, announce, publishTrust, narrow, unmark];

/**
 * The one next write that brings the cluster closer to what it should be, or null. Pure: what stands in the cluster and
 * the wall clock decide, so that a leader that dies between two writes is just another observation.
 *
 * Widen every caBundle → write the Secret → announce → wait for acknowledgements → hold CA_OVERLAP → narrow.
 */
export const planIssuance = (observed: Observed, policy: IssuancePolicy, nowMs: number): Step | null => {
  const { secret, authority } = observed;
  if (secret === 'unknown' || secret === 'unreadable' || authority === 'unknown' || authority === 'unreadable')
    return null;
  if (observed.targets.some(({ state }) => state === 'unknown')) return null;
  if (authority === 'absent' || authority.current === null) return foundAuthority(observed, authority, nowMs);
  const view: IssuanceView = { ...policy, nowMs, observed, secret, authority, current: authority.current };
  // Whether what SECRET-ca lacks was narrowed away or forgotten, the acknowledgements tell.
  if (observed.replicas === 'unknown' && !includes(authority.bundle, given(observed))) return null;
  for (const rule of RULES) {
    const step = rule(view);
    if (step !== null) return step;
  }
  return null;
};
