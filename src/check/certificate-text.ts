import type { X509Certificate } from 'node:crypto';

const HASH_CHARS = 12;

/** The first twelve digits of a certificate's SHA-256, as `openssl x509 -fingerprint -sha256` begins. */
export const shortHash = (certificate: X509Certificate | null): string =>
  certificate === null ? 'nothing' : certificate.fingerprint256.replaceAll(':', '').toLowerCase().slice(0, HASH_CHARS);

/** The subject on one line; the fingerprint for an empty one. */
export const subjectText = (certificate: X509Certificate): string => {
  // Node prints one relative name a line, and returns undefined for an empty name.
  const subject = (certificate.subject as string | undefined) ?? '';
  return subject === '' ? shortHash(certificate) : subject.split('\n').join(', ');
};

/** A certificate in words: a CA by its subject, a leaf by its hash and first name. */
export const certificateText = (certificate: X509Certificate): string => {
  if (certificate.ca) return `CA ${subjectText(certificate)}`;
  return `leaf ${shortHash(certificate)}`;
};
