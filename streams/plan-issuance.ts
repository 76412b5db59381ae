import { allAcknowledged } from './acknowledged.ts';
import { isPast } from './kubernetes.ts';
import type { CertificateInfo } from './model.ts';
import {
  type CaState,
  isOverlapOver,
  isSettled,
  type IssuancePolicy,
  type OwnObject,
  type PlannerInput,
  type PlannerView,
  type SecretState,
  type Target,
} from './planner-input.ts';
import { leafReason, renewalDue } from './renewal.ts';
import { settling } from './settle.ts';
import { ownObjectOf, type Step } from './step.ts';
import {
  alive,
  delaysCaChange,
  includes,
  inheritedCas,
  injectedCas,
  issuersMissingFromBundle,
  same,
  trustedBy,
  union,
  without,
  wouldReject,
} from './trust.ts';

/** Values of another party are never overwritten: their key may exist nowhere else. The log names the reason. */
const isForeign = (secret: PlannerInput['secret']): boolean => typeof secret !== 'string' && secret.foreign != null;

const isPaused = ({ observed: { paused }, secret }: PlannerView, object: OwnObject): boolean =>
  paused?.has(object) === true || (object === 'secret' && isForeign(secret));

/** A rule's answer when no later rule may write before what this rule could not write. */
const WAIT = 'wait';

/** A requested CA rotation names the CA that it replaces, so that it is executed once. */
const boundTo = ({ fingerprint }: CertificateInfo): string => `ca/${fingerprint}`;

const issueFirstCa = (observed: PlannerInput, ca: CaState | 'absent', nowMs: number): Step => {
  const keep = alive(union(ca === 'absent' ? [] : ca.bundle, inheritedCas(observed)), nowMs);
  return { kind: 'issue-ca', reason: ca === 'absent' ? 'missing' : 'unusable', keep, plannedOn: ca };
};

const requests = ({ observed: { lease }, current }: PlannerView): Step | null => {
  const { rotate } = lease;
  if (rotate === null || rotate === 'leaf') return null;
  if (rotate === 'ca') return { kind: 'set-rotation-request', rotate: boundTo(current) };
  // The announcement removes a rotation that has replaced its CA; any other value is unknown.
  return rotate.startsWith('ca/') ? null : { kind: 'set-rotation-request', rotate: null };
};

const isCaDue = ({ current, nowMs, caRenewBeforeMs, observed: { lease } }: PlannerView): boolean =>
  lease.rotate === boundTo(current) || renewalDue(current, { nowMs, renewBeforeMs: caRenewBeforeMs });

/** Targets that cannot be written or read and would, or may, reject a leaf of this issuer. */
const delayingTargets = ({ observed, ca }: PlannerView, issuer: string | null): readonly Target[] =>
  observed.targets.filter((target) => delaysCaChange(target) && wouldReject(issuer, ca)(target));

const isAnnouncementValid = ({ announcement }: PlannerInput['lease'], nowMs: number): boolean =>
  announcement !== null && !isPast(announcement.validUntil, nowMs);

const isUnreadable = ({ state }: Pick<Target, 'state'>): boolean => state === 'unreadable';

const renewCa = (view: PlannerView): Step | typeof WAIT | null => {
  const { ca, current, nowMs, observed } = view;
  const expired = nowMs >= current.notAfterMs;
  // A CA of another party is theirs to renew: replacing it would destroy its key. A request for it is their consent.
  if (ca.isOwn === true && observed.lease.rotate !== boundTo(current)) return null;
  if (!expired && !isCaDue(view)) return null;
  // One rotation at a time: the leaf of the CA before must be announced, unless the current CA has already expired.
  if (!expired && !isSettled(view)) return null;
  // A new CA would end the renewals under the current one, which is all that such a target trusts (L9).
  if (!expired && delayingTargets(view, null).length > 0) return null;
  // An expired CA signs nothing.
  if (isPaused(view, 'ca')) return expired ? WAIT : null;
  const keep = alive(ca.bundle, nowMs);
  const requested = observed.lease.rotate === boundTo(current);
  return { kind: 'issue-ca', reason: requested ? 'requested' : 'expiring', keep, plannedOn: ca };
};

const completeBundle = (view: PlannerView): Extract<Step, { kind: 'extend-ca-bundle' }> | null => {
  const { ca, current, nowMs, observed } = view;
  // A restored backup of SECRET-ca lacks the CAs that came after it: what the leader has injected stays trusted.
  const injected = isOverlapOver(view) ? [] : injectedCas(observed);
  const keep = alive(without(union(ca.bundle, issuersMissingFromBundle(view), injected), [current]), nowMs);
  if (same(ca.bundle, union([current], keep))) return null;
  return { kind: 'extend-ca-bundle', keep, plannedOn: ca };
};

const inject = ({ observed, ca }: PlannerView): Step | null => {
  for (const { id, state, held } of observed.targets) {
    if (typeof state === 'string' || held) continue;
    if (state.bundles.every((bundle) => same(bundle, ca.bundle))) continue;
    const step = { kind: 'inject', target: id, trust: ca.bundle, plannedOn: state } as const;
    const takesAway = !state.bundles.every((bundle) => includes(ca.bundle, bundle));
    return takesAway ? { ...step, precondition: { object: 'ca', state: ca } } : step;
  }
  return null;
};

/** Whether a leaf of the current CA, which is not in use yet, must wait until every API server trusts it. */
const settlingOf = (view: PlannerView) => {
  const { observed, ca, current, nowMs } = view;
  const cas = [current.fingerprint];
  const acceptedBy = [...cas, ...(ca.crossSignedBy ?? [])];
  // An API server may still call over a target that was deleted: what it trusted is in the bundle.
  return settling(observed, { cas, acceptedBy, standing: union(ca.bundle, trustedBy(observed.targets)) }, view, nowMs);
};

const isSecretAnnounced = ({ observed: { lease }, secret }: PlannerView): boolean =>
  secret !== 'absent' && secret.hash === lease.announcement?.hash;

/** The announced leaf is known, and callers that accept it accept one of the current CA. */
const isOfAcceptedCa = (view: PlannerView): boolean => {
  const { secret, ca, current } = view;
  if (secret === 'absent' || secret.issuer === null || !isSecretAnnounced(view)) return false;
  return secret.issuer === current.fingerprint || ca.crossSignedBy?.includes(secret.issuer) === true;
};

const issueLeaf = (view: PlannerView): Step | typeof WAIT | null => {
  const { observed, secret, ca, current, nowMs } = view;
  const reason = leafReason(view);
  if (reason === null) return null;
  const isAlive = secret !== 'absent' && secret.leaf !== null && nowMs < secret.leaf.notAfterMs;
  // A leaf that can be used is not replaced by one of another CA that some target would reject (L1).
  if (isAlive && reason === 'other-ca' && observed.targets.some(wouldReject(current.fingerprint, ca))) return null;
  // Any other leaf that cannot be replaced now must not be announced, or counted as the requested one.
  const waits = isAlive && (reason === 'other-ca' || reason === 'expiring') ? null : WAIT;
  if (isPaused(view, 'secret')) return waits;
  const wait = isOfAcceptedCa(view) ? null : settlingOf(view);
  // Meanwhile a leaf that is about to be replaced is not announced.
  if (wait === 'settling') return isSecretAnnounced(view) ? waits : WAIT;
  if (wait !== null) return wait;
  return { kind: 'issue-leaf', reason, ca, plannedOn: secret };
};

const isOurs = ({ issuer }: SecretState, { bundle }: CaState): boolean =>
  bundle.some(({ fingerprint }) => fingerprint === issuer);

const announce = (view: PlannerView): Step | null => {
  const { secret, ca, observed, current, nowMs } = view;
  if (secret === 'absent' || secret.hash === null || !isOurs(secret, ca)) return null;
  const { announcement, rotate } = observed.lease;
  const replaced = rotate !== null && rotate.startsWith('ca/') && rotate !== boundTo(current);
  const clearsRotationRequest = secret.issuer === current.fingerprint && (rotate === 'leaf' || replaced);
  const announced = announcement?.hash === secret.hash && announcement.validUntil === secret.validUntil;
  if (announced)
    return clearsRotationRequest && leafReason(view) === null ? { kind: 'set-rotation-request', rotate: null } : null;
  // The announced leaf stays in use, as long as it is valid, while a target would reject the next one (L2).
  const isChangingCa = secret.issuer === current.fingerprint && without(ca.bundle, [current]).length > 0;
  const loses = (target: Target): boolean => {
    if (isUnreadable(target)) return isChangingCa;
    return target.state !== 'forbidden' && wouldReject(secret.issuer, ca)(target);
  };
  if (isAnnouncementValid(observed.lease, nowMs) && observed.targets.some(loses)) return null;
  // A leaf that this leader issued has waited; a Secret that was restored from a backup has not.
  const wait = secret.issuer === current.fingerprint ? settlingOf(view) : null;
  if (wait !== null) return wait === 'settling' ? null : wait;
  return {
    kind: 'announce',
    announcement: { hash: secret.hash, validUntil: secret.validUntil },
    clearsRotationRequest,
  };
};

const prune = (view: PlannerView): Step | null => {
  const { observed, ca, current, identity, nowMs } = view;
  const older = without(ca.bundle, [current]);
  const hash = observed.lease.announcement?.hash;
  if (older.length === 0 || hash === undefined || !isSettled(view) || observed.replicas === 'pending') return null;
  const { servedSinceMs } = observed.lease;
  if (!allAcknowledged(observed.replicas, hash, { identity, nowMs })) {
    return servedSinceMs === null ? null : { kind: 'record-served', sinceMs: null };
  }
  if (servedSinceMs === null || servedSinceMs > nowMs) return { kind: 'record-served', sinceMs: nowMs };
  return isOverlapOver(view) ? { kind: 'prune-ca-bundle', keep: [], plannedOn: ca } : null;
};

const publishTrust = ({ secret, ca }: PlannerView): Step | null =>
  secret === 'absent' || same(secret.trust, ca.bundle)
    ? null
    : { kind: 'update-secret-ca', trust: ca.bundle, plannedOn: secret };

/** The record stays until the last caBundle is pruned, since pruning depends on it. */
const clearServed = ({ observed, ca }: PlannerView): Step | null => {
  if (observed.targets.some(isUnreadable)) return null;
  const pruned = ca.bundle.length === 1 && includes(ca.bundle, injectedCas(observed));
  return pruned && observed.lease.servedSinceMs !== null ? { kind: 'record-served', sinceMs: null } : null;
};

/** Repairs come before changes, and changes in the order of L1: each rule applies when none before it has a write. */
const RULES = [inject, requests, renewCa, issueLeaf, announce, publishTrust, prune, clearServed];

/** What the rules see; null when too little is known, or a CA must be issued first. */
const viewOf = (observed: PlannerInput, policy: IssuancePolicy, nowMs: number): PlannerView | null => {
  const { secret, ca } = observed;
  if (secret === 'pending' || secret === 'forbidden' || ca === 'pending' || ca === 'forbidden') return null;
  if (observed.targets.some(({ state }) => state === 'pending')) return null;
  if (ca === 'absent' || ca.current === null) return null;
  // Whether SECRET-ca lacks a CA because it was pruned or because it was lost depends on the acknowledgements.
  if (observed.replicas === 'pending' && !includes(ca.bundle, injectedCas(observed))) return null;
  return { ...policy, nowMs, observed, secret, ca, current: ca.current };
};

const firstCa = (observed: PlannerInput, nowMs: number): Step | null => {
  const { secret, ca, targets } = observed;
  if (secret === 'pending' || secret === 'forbidden' || ca === 'pending' || ca === 'forbidden') return null;
  if (targets.some(({ state }) => state === 'pending') || observed.paused?.has('ca') === true) return null;
  // Replicas serve under a CA that is lost, and perhaps only the unreadable target still holds it.
  if (targets.some(isUnreadable) && isAnnouncementValid(observed.lease, nowMs)) return null;
  // Never overwritten: its key may exist nowhere else. The log says why it cannot sign.
  if (ca !== 'absent' && ca.foreign != null) return null;
  // A CA would sign nothing, and displace in the caBundles what the other party serves.
  if (isForeign(secret)) return null;
  return ca === 'absent' || ca.current === null ? issueFirstCa(observed, ca, nowMs) : null;
};

/**
 * The one next write that brings the cluster closer to its desired state, or null. Pure: only the cluster and the wall
 * clock decide, so that the next leader continues after a crash between any two writes.
 *
 * Widen every caBundle → write the Secret → announce → wait for acknowledgements → hold CA_OVERLAP → prune.
 *
 * An object that is held or paused is passed over, and with it only what depends on it (L9).
 */
export const planIssuance = (observed: PlannerInput, policy: IssuancePolicy, nowMs: number): Step | null => {
  const view = viewOf(observed, policy, nowMs);
  if (view === null) return firstCa(observed, nowMs);
  const completion = completeBundle(view);
  if (completion !== null && !isPaused(view, 'ca')) return completion;
  // While SECRET-ca cannot be written, the rules go by what its bundle should be.
  const { current } = view;
  const seen = completion === null ? view : { ...view, ca: { ...view.ca, bundle: union([current], completion.keep) } };
  for (const rule of RULES) {
    const step = rule(seen);
    if (step === WAIT) return null;
    if (step !== null && (step.kind === 'inject' || !isPaused(seen, ownObjectOf(step)))) return step;
  }
  return null;
};

/** The targets that a due change of CA waits for: unreadable ones, and those that refuse writes and trust only an older CA. */
export const issuanceWaitsFor = (observed: PlannerInput, policy: IssuancePolicy, nowMs: number): readonly string[] => {
  const view = viewOf(observed, policy, nowMs);
  if (view === null) return [];
  const { secret, current } = view;
  const isLeafOutstanding = secret !== 'absent' && !isSettled(view);
  if (!isLeafOutstanding && !isCaDue(view)) return [];
  return delayingTargets(view, isLeafOutstanding ? current.fingerprint : null).map(({ id }) => id);
};
