import type { X509Certificate } from 'node:crypto';
import type { SecretLook } from './look-at-secret.ts';

/** What the certificate of a Secret is to be trusted by: its `ca.crt`; a leaf that signed itself is its own CA. */
export const trustOf = ({ chain: [leaf], trust }: SecretLook): readonly X509Certificate[] => {
  if (trust.length > 0 || leaf === undefined) return trust;
  return leaf.checkIssued(leaf) && leaf.verify(leaf.publicKey) ? [leaf] : [];
};
