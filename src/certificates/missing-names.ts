import type { X509Certificate } from 'node:crypto';
import { isIpAddress } from '../is-ip-address.ts';
import { subjectAltNames } from './subject-alt-names.ts';

// As Go's verifier does it: the common name counts for nothing, and a wildcard stands for one whole label.
const AS_GO = { subject: 'never', partialWildcards: false } as const;

const carries = (leaf: X509Certificate, name: string): boolean => {
  if (isIpAddress(name)) return leaf.checkIP(name) !== undefined;
  if (name.startsWith('*.')) return subjectAltNames(leaf.subjectAltName).includes(name.toLowerCase());
  return leaf.checkHost(name, AS_GO) !== undefined;
};

/** Which of the names (DNS, DNS wildcards, IP addresses) a client would not accept this certificate for. */
export const missingNames = (leaf: X509Certificate, names: readonly string[]): readonly string[] =>
  names.filter((name) => !carries(leaf, name));
