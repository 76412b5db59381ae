import { allAcknowledged } from './acknowledged.ts';
import { isPast } from './kubernetes.ts';
import type { LeaseSnapshot } from './model.ts';
import type { IssuancePolicy, PlannerInput, SecretState, TargetState } from './planner-input.ts';
import { type NextCertificate, settling } from './settle.ts';
import type { LeaseStep, Step } from './step.ts';
import { alive, type Certificates, includes, isRefusing, same, union, without } from './trust.ts';

/** The CAs that the Secret's leaf is to be trusted by; a leaf that signed itself is its own CA. */
export const desiredTrust = ({ trust, leaf, issuer }: SecretState): Certificates => {
  if (trust.length > 0) return trust;
  return leaf !== null && leaf.fingerprint === issuer ? [leaf] : [];
};

/** Whether a target's calls would begin to fail with the Secret's leaf; one that trusts nothing rejects every leaf. */
export const wouldBeginToReject = ({ bundles }: TargetState, { issuer }: SecretState, desired: Certificates): boolean =>
  bundles.some(
    (bundle) =>
      bundle.length > 0 &&
      !(issuer === null ? includes(bundle, desired) : bundle.some(({ fingerprint }) => fingerprint === issuer)),
  );

interface Seen {
  readonly id: string;
  readonly state: TargetState;
  readonly held: boolean;
  readonly isRefused: boolean;
}

/**
 * The targets, each with whether its caBundle lacks the new trust or holds an expired CA, and which of them block.
 *
 * @param kept what the caBundles must go on trusting besides
 */
export const viewOf = ({ targets }: PlannerInput, secret: SecretState, nowMs: number, kept: Certificates = []) => {
  const desired = desiredTrust(secret);
  const seen = targets.flatMap((target): readonly Seen[] => {
    const { id, state, held } = target;
    return typeof state === 'string' || desired.length === 0
      ? []
      : [{ id, state, held, isRefused: isRefusing(target) }];
  });
  const trusted = alive(union(...seen.flatMap(({ state }) => state.bundles)), nowMs);
  const wide = union(desired, kept, trusted);
  const wrong = seen.filter(
    ({ state }) => !state.bundles.every((own) => includes(own, union(desired, kept)) && includes(wide, own)),
  );
  // A target that refuses the write blocks only what it would reject: a renewal under the CA that it trusts goes on (L9).
  const rejecting = wrong.filter(({ state, isRefused }) => !isRefused || wouldBeginToReject(state, secret, desired));
  // What an unreadable target trusts is unknown: it blocks unless all others show that the CA has not changed.
  const isChangingCa = seen.length === 0 || !same(trusted, desired);
  const unreadable = targets.filter(({ state }) => state === 'unreadable' && isChangingCa).map(({ id }) => id);
  const blocking = [...rejecting.map(({ id }) => id), ...unreadable];
  const delaying = [...rejecting.filter(({ isRefused }) => isRefused).map(({ id }) => id), ...unreadable];
  return { desired, seen, trusted, wide, wrong, blocking, delaying };
};

/** Of a leaf whose signer is not in `ca.crt`, only a single CA there can be the one that accepts it. */
export const nextOf = ({ issuer }: SecretState, desired: Certificates): Omit<NextCertificate, 'standing'> => {
  const cas = issuer === null ? desired.map(({ fingerprint }) => fingerprint) : [issuer];
  return { cas, acceptedBy: cas.length === 1 ? cas : [] };
};

const isUsable = (secret: PlannerInput['secret']): secret is SecretState & { readonly hash: string } =>
  typeof secret !== 'string' && secret.hash !== null && secret.problem === null;

export const isAnnounced = ({ announcement }: LeaseSnapshot, { hash, validUntil }: SecretState): boolean =>
  announcement?.hash === hash && announcement.validUntil === validUntil;

/**
 * The planner for `CERT_ISSUER=external`: it never writes a Secret (L6). Replicas load only what is announced, so the
 * order is that of L1: widen every caBundle by the new `ca.crt`, announce, wait, hold, prune. The older CAs are
 * remembered in the caBundles themselves.
 */
export const planExternal = (
  observed: PlannerInput,
  policy: Pick<IssuancePolicy, 'identity' | 'caOverlapMs' | 'trustSettleMs'>,
  nowMs: number,
): Step | null => {
  const { lease, secret, targets, replicas } = observed;
  const { announcement, rotate, servedSinceMs } = lease;
  const { identity, caOverlapMs } = policy;
  const onLease = (step: LeaseStep): LeaseStep | null => (observed.paused?.has('announcement') === true ? null : step);
  const record = (sinceMs: number | null): Step | null => onLease({ kind: 'record-served', sinceMs });

  const answer = rotate === null ? null : onLease({ kind: 'set-rotation-request', rotate: null });
  if (answer !== null) return answer;
  if (!isUsable(secret)) return null;
  if (targets.some(({ state }) => state === 'pending')) return null;

  const { desired, seen, trusted, wide, wrong, blocking } = viewOf(observed, secret, nowMs);
  const inject = (target: string, trust: Certificates, plannedOn: TargetState): Extract<Step, { kind: 'inject' }> => ({
    kind: 'inject',
    target,
    trust,
    plannedOn,
  });

  const isValid = announcement !== null && !isPast(announcement.validUntil, nowMs);
  // Only an unreadable target may know the CA of the announced leaf: one that trusts nothing gets both at once (L2).
  const isOlderCaUnknown =
    trusted.length === 0 &&
    isValid &&
    !isAnnounced(lease, secret) &&
    targets.some(({ state }) => state === 'unreadable');
  const next = isOlderCaUnknown ? undefined : wrong.find(({ held }) => !held);
  if (next) return inject(next.id, wide, next.state);

  if (!isAnnounced(lease, secret)) {
    // The announced leaf stays in use, as long as it is valid, while a target would reject the next one (L2).
    if (isValid && (blocking.length > 0 || isTrustUnreadable(secret, targets))) return null;
    const wait = settling(observed, { ...nextOf(secret, desired), standing: trusted }, policy, nowMs);
    if (wait !== null) return wait === 'settling' ? null : onLease(wait);
    return onLease({
      kind: 'announce',
      announcement: { hash: secret.hash, validUntil: secret.validUntil },
      clearsRotationRequest: false,
    });
  }

  if (without(trusted, desired).length === 0) return servedSinceMs === null ? null : record(null);
  if (replicas === 'pending') return null;
  if (!allAcknowledged(replicas, secret.hash, { identity, nowMs })) return servedSinceMs === null ? null : record(null);
  if (servedSinceMs === null || servedSinceMs > nowMs) return record(nowMs);
  if (nowMs < servedSinceMs + caOverlapMs) return null;

  const older = seen.find(({ state, held }) => !held && !state.bundles.every((own) => same(own, desired)));
  // Two replicas lead for a while after the Lease was deleted: the one whose watches are silent must not remove what the
  // other has just injected for the next certificate.
  return older === undefined
    ? null
    : { ...inject(older.id, desired, older.state), precondition: { object: 'secret', state: secret } };
};

/** The targets that the announcement of a certificate under another CA waits for: they refuse the write or are unreadable. */
export const externalWaitsFor = (observed: PlannerInput, _policy: unknown, nowMs: number): readonly string[] => {
  const { lease, secret } = observed;
  if (!isUsable(secret) || lease.announcement === null || isAnnounced(lease, secret)) return [];
  return viewOf(observed, secret, nowMs).delaying;
};

/** `ca.crt` exists and nothing in it can be read, while targets trust certain CAs only: perhaps not the leaf's. */
const isTrustUnreadable = (secret: SecretState, targets: PlannerInput['targets']): boolean =>
  (secret.trustProblems ?? []).length > 0 &&
  desiredTrust(secret).length === 0 &&
  targets.some(({ state }) => typeof state !== 'string' && state.bundles.some((bundle) => bundle.length > 0));
