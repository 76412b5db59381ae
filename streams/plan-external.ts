import { allAcknowledged } from './acknowledged.ts';
import type { PlannerInput, SecretState, TargetState } from './cluster-state.ts';
import type { IssuancePolicy } from './planner-input.ts';
import type { Step } from './step.ts';
import { type Certificates, certificateSets } from './trust.ts';

const { alive, includes, same, union, without } = certificateSets;

/** What the certificate that stands in the Secret is to be trusted by; one that signs itself is its own CA. */
const wantedTrust = ({ trust, leaf, issuer }: SecretState): Certificates => {
  if (trust.length > 0) return trust;
  return leaf !== null && leaf.fingerprint === issuer ? [leaf] : [];
};

/** Whether `ca.crt` holds something of which nothing can be read: then no target can be made to trust what comes. */
const isTrustUnreadable = ({ trust, trustProblems = [] }: SecretState): boolean =>
  trust.length === 0 && trustProblems.length > 0;

/**
 * The planner for `CERT_ISSUER=external`: no Secret is ever written (L6). Replicas load only what is announced, so the
 * order is L1's all the same: widen every caBundle by the new `ca.crt`, announce, wait, hold, narrow. The older CAs are
 * remembered where they are: in the caBundles.
 */
export const planExternal = (
  { lease, secret, targets, replicas }: PlannerInput,
  { identity, caOverlapMs }: Pick<IssuancePolicy, 'identity' | 'caOverlapMs'>,
  nowMs: number,
): Step | null => {
  const { announcement, rotate, servedSinceMs } = lease;
  if (rotate !== null) return { kind: 'set-rotation-request', rotate: null };
  if (typeof secret === 'string' || secret.hash === null || secret.problem !== null) return null;
  if (targets.some(({ state }) => state === 'pending')) return null;

  const desired = wantedTrust(secret);
  const seen = targets.flatMap(({ id, state, held }) =>
    typeof state === 'string' || desired.length === 0 ? [] : [{ id, state, held }],
  );
  const standing = alive(union(...seen.flatMap(({ state }) => state.bundles)), nowMs);
  const wide = union(desired, standing);
  const inject = (target: string, trust: Certificates, plannedOn: TargetState): Extract<Step, { kind: 'inject' }> => ({
    kind: 'inject',
    target,
    trust,
    plannedOn: plannedOn,
  });
  const mark = (sinceMs: number | null): Step => ({ kind: 'record-served', sinceMs });

  // Too narrow for the new certificate, or with a CA in it that has expired.
  const wrong = seen.filter(
    ({ state }) => !state.bundles.every((own) => includes(own, desired) && includes(wide, own)),
  );
  const next = wrong.find(({ held }) => !held);
  if (next) return inject(next.id, wide, next.state);

  const announced = announcement?.hash === secret.hash && announcement.validUntil === secret.validUntil;
  if (!announced) {
    // What is announced goes on serving while somebody else keeps a caBundle from trusting what comes (L2).
    if (announcement !== null && wrong.length > 0) return null;
    if (announcement !== null && isTrustUnreadable(secret)) return null;
    return {
      kind: 'announce',
      announcement: { hash: secret.hash, validUntil: secret.validUntil },
      clearsRotationRequest: false,
    };
  }

  if (without(standing, desired).length === 0) return servedSinceMs === null ? null : mark(null);
  if (replicas === 'pending') return null;
  if (!allAcknowledged(replicas, secret.hash, { identity, nowMs })) return servedSinceMs === null ? null : mark(null);
  if (servedSinceMs === null || servedSinceMs > nowMs) return mark(nowMs);
  if (nowMs < servedSinceMs + caOverlapMs) return null;

  const older = seen.find(({ state, held }) => !held && !state.bundles.every((own) => same(own, desired)));
  // Two lead for a while when the Lease was deleted; the one that hears nothing any more must not take away what the other
  // has just given for the next certificate.
  return older === undefined
    ? null
    : { ...inject(older.id, desired, older.state), precondition: { object: 'secret', state: secret } };
};
