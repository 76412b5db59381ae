import { acknowledged } from './acknowledged.ts';
import { certificateSets } from './certificate-sets.ts';
import type { Certificates } from './certificate-sets.ts';
import type { Observed, SecretState, TargetState } from './cluster-state.ts';
import type { IssuancePolicy } from './plan-issuance.ts';
import type { Step } from './step.ts';

const { alive, includes, same, union, without } = certificateSets;

/** What the certificate that stands in the Secret is to be trusted by; one that signs itself is its own CA. */
const wantedTrust = ({ trust, leaf, issuer }: SecretState): Certificates => {
  if (trust.length > 0) return trust;
  return leaf !== null && leaf.fingerprint === issuer ? [leaf] : [];
};

/**
 * The planner for `CERT_ISSUER=external`: no Secret is ever written (L6). Replicas load only what is announced, so the
 * order is L1's all the same: widen every caBundle by the new `ca.crt`, announce, wait, hold, narrow. The older CAs are
 * remembered where they are: in the caBundles.
 */
export const planExternal = (
  { lease, secret, targets, replicas }: Observed,
  { identity, caOverlapMs }: Pick<IssuancePolicy, 'identity' | 'caOverlapMs'>,
  nowMs: number,
): Step | null => {
  if (lease.rotate !== null) return { kind: 'ask-rotation', rotate: null };
  if (typeof secret === 'string' || secret.hash === null || secret.problem !== null) return null;
  if (targets.some(({ state }) => state === 'unknown')) return null;

  const wanted = wantedTrust(secret);
  const seen = targets.flatMap(({ id, state, held }) =>
    typeof state === 'string' || held || wanted.length === 0 ? [] : [{ id, state }],
  );
  const inject = (target: string, trust: Certificates, basis: TargetState): Step => ({
    kind: 'inject',
    target,
    trust,
    basis,
  });
  const standing = alive(union(...seen.flatMap(({ state }) => state.bundles)), nowMs);

  const lacking = seen.find(({ state }) => !state.bundles.every((bundle) => includes(bundle, wanted)));
  if (lacking) return inject(lacking.id, union(wanted, standing), lacking.state);

  const { announcement, servedSinceMs } = lease;
  const announced = announcement?.hash === secret.hash && announcement.validUntil === secret.validUntil;
  if (!announced) {
    return { kind: 'announce', announcement: { hash: secret.hash, validUntil: secret.validUntil }, fulfils: false };
  }

  const wide = seen.find(({ state }) => !state.bundles.every((bundle) => same(bundle, wanted)));
  const older = without(standing, wanted);
  if (wide === undefined)
    return servedSinceMs === null || older.length > 0 ? null : { kind: 'mark-served', sinceMs: null };
  if (replicas === 'unknown') return null;
  if (!acknowledged(replicas, secret.hash, { identity, nowMs })) {
    return servedSinceMs === null ? null : { kind: 'mark-served', sinceMs: null };
  }
  if (servedSinceMs === null || servedSinceMs > nowMs) return { kind: 'mark-served', sinceMs: nowMs };
  return nowMs < servedSinceMs + caOverlapMs ? null : inject(wide.id, wanted, wide.state);
};
