import { allAcknowledged } from './acknowledged.ts';
import { isPast } from './kubernetes.ts';
import type { LeaseSnapshot } from './model.ts';
import { desiredTrust, isAnnounced, nextOf, viewOf, wouldBeginToReject } from './plan-external.ts';
import type { IssuancePolicy, PlannerInput, SecretState } from './planner-input.ts';
import { settling } from './settle.ts';
import { isLeaseStep, type LeaseStep, type Step } from './step.ts';
import { alive, type Certificates, includes, same, trustedBy, union, without } from './trust.ts';

type UsablePair = SecretState & { readonly hash: string; readonly leaf: NonNullable<SecretState['leaf']> };

/**
 * Why the certificate in SOURCE_SECRET is not relayed; null when it is, or when nothing is known of it yet. Everything
 * but its dates was verified when it was read.
 */
export const sourceProblem = (source: NonNullable<PlannerInput['source']>, nowMs: number): string | null => {
  if (source === 'pending') return null;
  if (source === 'absent') return 'it does not exist';
  if (source === 'forbidden') return 'it cannot be read: get, list or watch is forbidden';
  const { problem, leaf, validUntil } = source;
  if (problem !== null) return problem;
  if (leaf === null) return 'it has no tls.crt';
  if (nowMs < leaf.notBeforeMs) return 'its certificate is not valid yet';
  return nowMs < leaf.notAfterMs ? null : `its certificate expired at ${validUntil}`;
};

const usable = (secret: NonNullable<PlannerInput['source']>, nowMs: number): UsablePair | null =>
  typeof secret !== 'string' && sourceProblem(secret, nowMs) === null ? (secret as UsablePair) : null;

type Policy = Pick<IssuancePolicy, 'identity' | 'caOverlapMs' | 'trustSettleMs'>;

type Situation = ReturnType<typeof situationOf>;

/** Of a mounted Secret that was torn while its certificate is in use: the CA that signed that. */
const signerOf = (secret: PlannerInput['secret'], { announcement }: LeaseSnapshot): Certificates =>
  typeof secret === 'string' || secret.hash !== announcement?.hash
    ? []
    : secret.trust.filter(({ fingerprint }) => fingerprint === secret.issuer);

/** What the source and the mounted Secret hold that may be used. */
const situationOf = ({ lease, secret, source = 'pending', paused }: PlannerInput, nowMs: number) => {
  const next = usable(source, nowMs);
  const isForeign = typeof secret !== 'string' && secret.foreign != null;
  const mounted = isForeign ? null : usable(secret, nowMs);
  // What another writer has put into the mounted Secret gains no trust from that.
  const isInUse = mounted?.hash === next?.hash || mounted?.hash === lease.announcement?.hash;
  const inUse = isInUse ? mounted : null;
  // The older CAs stand in ca.crt of the mounted Secret too, so that a caBundle that was emptied gets them back.
  const kept = alive(inUse === null ? signerOf(secret, lease) : desiredTrust(inUse), nowMs);
  const isCopied = next !== null && next.hash === mounted?.hash && includes(kept, alive(desiredTrust(next), nowMs));
  return { next, mounted, goal: next ?? inUse, kept, isCopied, mayCopy: !isForeign && paused?.has('secret') !== true };
};

const announcing = ({ hash, validUntil }: UsablePair): LeaseStep => ({
  kind: 'announce',
  announcement: { hash, validUntil },
  clearsRotationRequest: false,
});

const isAnnouncementValid = ({ lease: { announcement } }: PlannerInput, nowMs: number): boolean =>
  announcement !== null && !isPast(announcement.validUntil, nowMs);

const isUnreadable = ({ state }: PlannerInput['targets'][number]): boolean => state === 'unreadable';

/** Announces what is mounted while its successor waits, if no caBundle would begin to reject it. */
const announceMeanwhile = (
  observed: PlannerInput,
  { mounted }: Situation,
  policy: Policy,
  nowMs: number,
): LeaseStep | null => {
  const { lease, targets } = observed;
  if (mounted === null || isAnnounced(lease, mounted)) return null;
  const desired = desiredTrust(mounted);
  const isValid = isAnnouncementValid(observed, nowMs);
  const isRejected = targets.some((target) =>
    typeof target.state === 'string'
      ? isUnreadable(target) && isValid
      : wouldBeginToReject(target.state, mounted, desired),
  );
  // A caBundle that was wiped rejects nothing that it accepted before, and so says nothing of what another writer has mounted.
  const isWiped = targets.some(({ state }) => typeof state !== 'string') && trustedBy(targets).length === 0;
  if (isRejected || (isValid && isWiped)) return null;
  const wait = settling(observed, { ...nextOf(mounted, desired), standing: trustedBy(targets) }, policy, nowMs);
  return wait === null ? announcing(mounted) : null;
};

/**
 * What must accept a pair whose CA is unknown: each caBundle that trusts something, or what they trusted before they were
 * deleted. Empty where its CA is known, and stands in each of them.
 */
const mustAccept = (
  targets: PlannerInput['targets'],
  { desired, kept }: { readonly desired: Certificates; readonly kept: Certificates },
): readonly Certificates[] => {
  if (desired.length > 0) return [];
  const bundles = targets.flatMap(({ state }) => (typeof state === 'string' ? [] : state.bundles));
  const trusting = bundles.filter((bundle) => bundle.length > 0);
  return trusting.length === 0 && kept.length > 0 ? [kept] : trusting;
};

/** What is left to do about the older CAs once the source's pair is mounted and announced. */
const narrow = (
  observed: PlannerInput,
  { next, kept, mayCopy }: Situation & { readonly next: UsablePair },
  { identity, caOverlapMs }: Policy,
  nowMs: number,
): Step | null => {
  const { lease, secret, replicas } = observed;
  const { servedSinceMs } = lease;
  const record = (sinceMs: number | null): LeaseStep => ({ kind: 'record-served', sinceMs });
  const noLongerServed = (): LeaseStep | null => (servedSinceMs === null ? null : record(null));
  const { desired, seen, trusted } = viewOf(observed, next, nowMs);

  if (without(union(trusted, kept), desired).length === 0) return noLongerServed();
  if (replicas === 'pending') return null;
  if (!allAcknowledged(replicas, next.hash, { identity, nowMs })) return noLongerServed();
  if (servedSinceMs === null || servedSinceMs > nowMs) return record(nowMs);
  if (nowMs < servedSinceMs + caOverlapMs) return null;
  // The mounted Secret first: what it names is given back to the caBundles.
  if (without(kept, desired).length > 0)
    return mayCopy ? { kind: 'update-secret-ca', trust: desired, plannedOn: secret as SecretState } : null;
  const older = seen.find(({ state, held }) => !held && !state.bundles.every((own) => same(own, desired)));
  // Two replicas lead for a while after the Lease was deleted: the one whose watches are silent must not remove what the
  // other has just injected for the next certificate.
  const precondition = { object: 'source', state: next } as const;
  return older === undefined
    ? null
    : { kind: 'inject', target: older.id, trust: desired, plannedOn: older.state, precondition };
};

/**
 * The planner for `CERT_ISSUER=relay`: another program issues into SOURCE_SECRET, which no Pod mounts, and the leader
 * copies into the Secret that is mounted. So the order is that of L1, whenever the other program writes:
 *
 *     widen every caBundle → settle → copy → announce → wait for acknowledgements → hold CA_OVERLAP → narrow
 *
 * The older CAs are remembered in the caBundles and in `ca.crt` of the mounted Secret. Nothing is taken away while the
 * source cannot be used, and SOURCE_SECRET is never written.
 */
export const planRelay = (observed: PlannerInput, policy: Policy, nowMs: number): Step | null => {
  const { lease, secret, targets, paused } = observed;
  const onLease = (step: Step | null): Step | null =>
    step !== null && isLeaseStep(step) && paused?.has('announcement') === true ? null : step;

  const answer = lease.rotate === null ? null : onLease({ kind: 'set-rotation-request', rotate: null });
  if (answer !== null) return answer;
  if (secret === 'pending' || secret === 'forbidden' || targets.some(({ state }) => state === 'pending')) return null;
  const situation = situationOf(observed, nowMs);
  const { next, mounted, goal, kept, isCopied, mayCopy } = situation;
  if (goal === null) return onLease(announceMeanwhile(observed, situation, policy, nowMs));
  const { desired, trusted, wide, wrong, blocking } = viewOf(observed, goal, nowMs, kept);

  const isValid = isAnnouncementValid(observed, nowMs);
  // Only an unreadable target may know the CA of the announced leaf: one that trusts nothing gets both at once (L2).
  const isOlderCaUnknown =
    trusted.length === 0 &&
    isValid &&
    lease.announcement?.hash !== goal.hash &&
    lease.announcement?.hash !== mounted?.hash &&
    targets.some(isUnreadable);
  const lacking = isOlderCaUnknown ? undefined : wrong.find(({ held }) => !held);
  if (lacking) return { kind: 'inject', target: lacking.id, trust: wide, plannedOn: lacking.state };

  // What is in use stays so, as long as it is valid, while a target would reject the next certificate (L2).
  const isBlocked = isValid && blocking.length > 0;
  const standing = union(trustedBy(targets), kept);
  // One of the CAs that are trusted signed it, and nobody says which: all of them must have settled.
  const unknown = { cas: standing.map(({ fingerprint }) => fingerprint), acceptedBy: [] };
  const trustOf = desired.length === 0 ? unknown : nextOf(goal, desired);
  const wait = isBlocked ? 'settling' : settling(observed, { ...trustOf, standing }, policy, nowMs);

  if (next !== null && !isCopied) {
    if (wait === null && mayCopy) {
      const trust = desired.length === 0 ? standing : wide;
      const acceptedBy = mustAccept(targets, { desired, kept });
      return { kind: 'copy-secret', source: next, plannedOn: secret, trust, acceptedBy };
    }
    const meanwhile = onLease(announceMeanwhile(observed, situation, policy, nowMs));
    return meanwhile ?? (wait === 'settling' ? null : onLease(wait));
  }
  if (!isAnnounced(lease, goal)) return wait === 'settling' ? null : onLease(wait ?? announcing(goal));
  return next === null || desired.length === 0
    ? null
    : onLease(narrow(observed, { ...situation, next }, policy, nowMs));
};

/** The targets that the next certificate waits for: they refuse the write of another CA, or are unreadable. */
export const relayWaitsFor = (observed: PlannerInput, _policy: unknown, nowMs: number): readonly string[] => {
  const { goal, kept } = situationOf(observed, nowMs);
  const { announcement } = observed.lease;
  if (goal === null || announcement === null || isAnnounced(observed.lease, goal)) return [];
  return viewOf(observed, goal, nowMs, kept).delaying;
};
