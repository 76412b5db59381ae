import { allAcknowledged } from './acknowledged.ts';
import type { CaState, PlannerInput, SecretState, Target } from './cluster-state.ts';
import type { CertificateInfo } from './model.ts';
import { isOverlapOver, isSettled, type IssuancePolicy, type PlannerView } from './planner-input.ts';
import { leafReason, renewalDue } from './renewal.ts';
import type { Step } from './step.ts';
import { certificateSets, inheritedCas, injectedCas, issuersMissingFromBundle, wouldReject } from './trust.ts';

const { alive, includes, same, union, without } = certificateSets;

/** A CA rotation asked for is bound to the CA it replaces, so that nobody carries it out twice. */
const boundTo = ({ fingerprint }: CertificateInfo): string => `ca/${fingerprint}`;

const foundAuthority = (observed: PlannerInput, authority: CaState | 'absent', nowMs: number): Step => {
  const keep = alive(union(authority === 'absent' ? [] : authority.bundle, inheritedCas(observed)), nowMs);
  return { kind: 'issue-ca', reason: authority === 'absent' ? 'missing' : 'unusable', keep, plannedOn: authority };
};

const requests = ({ observed: { lease }, current }: PlannerView): Step | null => {
  const { rotate } = lease;
  if (rotate === null || rotate === 'leaf' || rotate === boundTo(current)) return null;
  if (rotate === 'ca') return { kind: 'set-rotation-request', rotate: boundTo(current) };
  // A rotation begun that replaced its CA is dropped by the announcement; anything else is a word we do not know.
  return rotate.startsWith('ca/') ? null : { kind: 'set-rotation-request', rotate: null };
};

const renewAuthority = (view: PlannerView): Step | null => {
  const { ca: authority, current, nowMs, caRenewBeforeMs, observed } = view;
  const expired = nowMs >= current.notAfterMs;
  const requested = observed.lease.rotate === boundTo(current);
  // Another party's CA is theirs to renew: replacing it would destroy its key. A request for it is their consent.
  if (!requested && authority.isOwn === true) return null;
  if (!requested && !expired && !renewalDue(current, { nowMs, renewBeforeMs: caRenewBeforeMs })) return null;
  // One rotation at a time: the leaf of the CA before must have been announced, unless there is no time left for that.
  if (!expired && !isSettled(view)) return null;
  const keep = alive(authority.bundle, nowMs);
  return { kind: 'issue-ca', reason: requested ? 'requested' : 'expiring', keep, plannedOn: authority };
};

const completeBundle = (view: PlannerView): Step | null => {
  const { ca: authority, current, nowMs, observed } = view;
  // A backup of SECRET-ca knows nothing of the CAs that came or went after it: what we have given is not taken away.
  const standing = isOverlapOver(view) ? [] : injectedCas(observed);
  const keep = alive(without(union(authority.bundle, issuersMissingFromBundle(view), standing), [current]), nowMs);
  if (same(authority.bundle, union([current], keep))) return null;
  return { kind: 'extend-ca-bundle', keep, plannedOn: authority };
};

const inject = ({ observed, ca: authority }: PlannerView): Step | null => {
  for (const { id, state, held } of observed.targets) {
    if (typeof state === 'string' || held) continue;
    if (state.bundles.every((bundle) => same(bundle, authority.bundle))) continue;
    const step = { kind: 'inject', target: id, trust: authority.bundle, plannedOn: state } as const;
    const takesAway = !state.bundles.every((bundle) => includes(authority.bundle, bundle));
    return takesAway ? { ...step, precondition: { object: 'ca', state: authority } } : step;
  }
  return null;
};

const issueLeaf = (view: PlannerView): Step | null => {
  const { observed, secret, ca: authority, current, nowMs } = view;
  const reason = leafReason(view);
  if (reason === null) return null;
  const usable =
    secret !== 'absent' && secret.problem === null && secret.leaf !== null && nowMs < secret.leaf.notAfterMs;
  // A leaf that still serves is not replaced by one of another CA that some target would refuse (L1).
  if (usable && reason === 'other-ca' && observed.targets.some(wouldReject(current.fingerprint, authority)))
    return null;
  return { kind: 'issue-leaf', reason, ca: authority, plannedOn: secret };
};

const isOurs = ({ issuer }: SecretState, { bundle }: CaState): boolean =>
  bundle.some(({ fingerprint }) => fingerprint === issuer);

const announce = ({ secret, ca: authority, observed, current }: PlannerView): Step | null => {
  if (secret === 'absent' || secret.hash === null || secret.problem !== null || !isOurs(secret, authority)) return null;
  const { announcement, rotate } = observed.lease;
  const replaced = rotate !== null && rotate.startsWith('ca/') && rotate !== boundTo(current);
  const clearsRotationRequest = secret.issuer === current.fingerprint && (rotate === 'leaf' || replaced);
  const announced = announcement?.hash === secret.hash && announcement.validUntil === secret.validUntil;
  if (announced) return clearsRotationRequest ? { kind: 'set-rotation-request', rotate: null } : null;
  // What is announced goes on serving while somebody else keeps a caBundle from trusting what comes (L2).
  const loses = ({ state, ...rest }: Target): boolean =>
    state !== 'forbidden' && wouldReject(secret.issuer, authority)({ state, ...rest });
  if (announcement !== null && observed.targets.some(loses)) return null;
  return {
    kind: 'announce',
    announcement: { hash: secret.hash, validUntil: secret.validUntil },
    clearsRotationRequest: clearsRotationRequest,
  };
};

const narrow = (view: PlannerView): Step | null => {
  const { observed, ca: authority, current, identity, nowMs } = view;
  const older = without(authority.bundle, [current]);
  const hash = observed.lease.announcement?.hash;
  if (older.length === 0 || hash === undefined || !isSettled(view) || observed.replicas === 'pending') return null;
  const { servedSinceMs } = observed.lease;
  if (!allAcknowledged(observed.replicas, hash, { identity, nowMs })) {
    return servedSinceMs === null ? null : { kind: 'record-served', sinceMs: null };
  }
  if (servedSinceMs === null || servedSinceMs > nowMs) return { kind: 'record-served', sinceMs: nowMs };
  return isOverlapOver(view) ? { kind: 'prune-ca-bundle', keep: [], plannedOn: authority } : null;
};

const publishTrust = ({ secret, ca: authority }: PlannerView): Step | null =>
  secret === 'absent' || same(secret.trust, authority.bundle)
    ? null
    : { kind: 'update-secret-ca', trust: authority.bundle, plannedOn: secret };

/** The mark stands until the last caBundle is narrowed, since it is what allows that. */
const unmark = ({ observed, ca: authority }: PlannerView): Step | null => {
  const narrowed = authority.bundle.length === 1 && includes(authority.bundle, injectedCas(observed));
  return narrowed && observed.lease.servedSinceMs !== null ? { kind: 'record-served', sinceMs: null } : null;
};

/** What stands is mended first, then changed in L1's order: nothing happens while something further up is to be written. */
const RULES = [completeBundle, inject, requests, renewAuthority, issueLeaf, announce, publishTrust, narrow, unmark];

/**
 * The one next write that brings the cluster closer to what it should be, or null. Pure: what stands in the cluster and
 * the wall clock decide, so that a leader that dies between two writes is just another observation.
 *
 * Widen every caBundle → write the Secret → announce → wait for acknowledgements → hold CA_OVERLAP → narrow.
 */
export const planIssuance = (observed: PlannerInput, policy: IssuancePolicy, nowMs: number): Step | null => {
  const { secret, ca: authority } = observed;
  if (secret === 'pending' || secret === 'forbidden' || authority === 'pending' || authority === 'forbidden')
    return null;
  if (observed.targets.some(({ state }) => state === 'pending')) return null;
  // Never overwritten: its key may exist nowhere else. The log says why it cannot sign.
  if (authority !== 'absent' && authority.current === null && authority.foreign != null) return null;
  if (authority === 'absent' || authority.current === null) return foundAuthority(observed, authority, nowMs);
  const view: PlannerView = { ...policy, nowMs, observed, secret, ca: authority, current: authority.current };
  // Whether what SECRET-ca lacks was narrowed away or forgotten, the acknowledgements tell.
  if (observed.replicas === 'pending' && !includes(authority.bundle, injectedCas(observed))) return null;
  for (const rule of RULES) {
    const step = rule(view);
    if (step !== null) return step;
  }
  return null;
};
