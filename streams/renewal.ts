import { CLOCK_SKEW_MS } from './clock.ts';
import type { CertificateInfo } from './model.ts';
import type { PlannerView } from './planner-input.ts';
import type { Step } from './step.ts';

type LeafReason = Extract<Step, { kind: 'issue-leaf' }>['reason'];

/**
 * Whether a leaf that is announced a second time is served everywhere cannot be known: an acknowledgement of it may date from
 * the first. It matters only while an older CA is to go.
 */
const isAcknowledgedAlready = ({ secret, ca, observed: { replicas } }: PlannerView): boolean =>
  ca.bundle.length > 1 &&
  typeof replicas !== 'string' &&
  secret !== 'absent' &&
  replicas.some(({ servingHash }) => servingHash === secret.hash);

/** Why there must be another leaf, or null. */
export const leafReason = (view: PlannerView): LeafReason | null => {
  const { secret, current, names, nowMs, renewBeforeMs, observed } = view;
  const { lease } = observed;
  if (secret === 'absent' || secret.hash === null) return 'missing';
  if (secret.problem !== null || secret.leaf === null) return 'unusable';
  if (secret.issuer !== current.fingerprint) return 'other-ca';
  if (!names.every((name) => secret.leaf?.names.includes(name))) return 'names';
  if (renewalDue(secret.leaf, { nowMs, renewBeforeMs })) return 'expiring';
  if (secret.hash !== lease.announcement?.hash && isAcknowledgedAlready(view)) return 'acknowledged-before';
  return lease.rotate === 'leaf' && secret.hash === lease.announcement?.hash ? 'requested' : null;
};

/**
 * When a certificate is to be renewed. One whose CA leaves it less life than `renewBeforeMs` is renewed after two thirds of
 * what it has, instead of at once and for ever.
 */
export const renewalMs = (
  { notBeforeMs, notAfterMs }: Pick<CertificateInfo, 'notBeforeMs' | 'notAfterMs'>,
  renewBeforeMs: number,
): number => {
  const lifeMs = Math.max(0, notAfterMs - notBeforeMs - CLOCK_SKEW_MS);
  const aheadMs = lifeMs > renewBeforeMs ? renewBeforeMs : lifeMs / 3;
  return notAfterMs - aheadMs;
};

/** Whether a certificate is to be renewed. */
export const renewalDue = (
  certificate: CertificateInfo,
  { nowMs, renewBeforeMs }: { readonly nowMs: number; readonly renewBeforeMs: number },
): boolean => nowMs >= renewalMs(certificate, renewBeforeMs);
