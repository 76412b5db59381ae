import type { CertificateFacts } from './model.ts';

/** How far back notBefore is set, so that a machine whose clock is behind does not refuse it (L5). */
const BACKDATED_MS = 3_600_000;

/**
 * Whether a certificate is to be renewed. One whose CA leaves it less life than `renewBeforeMs` is renewed after two
 * thirds of what it has, instead of at once and for ever.
 */
export const renewalDue = (
  { notBeforeMs, notAfterMs }: CertificateFacts,
  { nowMs, renewBeforeMs }: { readonly nowMs: number; readonly renewBeforeMs: number },
): boolean => {
  const lifeMs = Math.max(0, notAfterMs - notBeforeMs - BACKDATED_MS);
  const aheadMs = lifeMs > renewBeforeMs ? renewBeforeMs : lifeMs / 3;
  return nowMs >= notAfterMs - aheadMs;
};
