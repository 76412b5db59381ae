import { createPublicKey, type KeyObject, randomBytes } from 'node:crypto';
import { CLOCK_SKEW_MS } from '../../streams/clock.ts';
import { readCertificates } from './pem.ts';
import {
  BasicConstraintsExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Name,
  PublicKey,
  SubjectKeyIdentifierExtension,
  X509Certificate,
} from './x509-library.ts';

/** Builds a name of one common name. Not from `CN=…`, in which the library would parse commas and quotes as syntax. */
export const commonName = (text: string): Name => new Name([{ CN: [{ utf8String: text }] }]);

/** Generates 16 random bytes as hex; the two top bits are 01, so that the number is positive and has no leading zero in DER. */
export const serialNumber = (): string => {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
};

/** Extracts the public key in the form that the library puts into a certificate. */
export const publicKeyOf = (key: KeyObject): PublicKey =>
  new PublicKey(createPublicKey(key).export({ type: 'spki', format: 'der' }));

/** Reads the subject key identifier of a certificate, or derives it as the SHA-1 of its key (RFC 5280, 4.2.1.2). */
export const subjectKeyIdentifier = async (certificate: X509Certificate): Promise<SubjectKeyIdentifierExtension> => {
  const own = certificate.getExtension(SubjectKeyIdentifierExtension);
  return own === null
    ? SubjectKeyIdentifierExtension.create(certificate.publicKey)
    : new SubjectKeyIdentifierExtension(own.keyId);
};

/**
 * Reads the first certificate of a PEM text in the library's form.
 *
 * @throws Error when there is none, without any of the text
 */
export const firstCertificate = (pem: string): X509Certificate => {
  const [first] = readCertificates(pem);
  if (first === undefined) throw new Error('there is no PEM certificate');
  return new X509Certificate(first.raw);
};

/** Builds the extensions of a CA. Without a path length, since a later CA may be cross-signed by this one. */
export const authorityExtensions = (): readonly Extension[] => [
  new BasicConstraintsExtension(true, undefined, true),
  new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
];

/** Rounds down to a whole second, since X.509 times have no fractions. */
const wholeSecond = (ms: number): Date => new Date(Math.floor(ms / 1000) * 1000);

export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/**
 * Computes a validity from one hour ago to `notAfterMs`, but never past the end of any issuer above.
 *
 * @throws Error when it would already have ended
 */
export const validity = (
  nowMs: number,
  notAfterMs: number,
  issuers: readonly { readonly notAfter: Date }[] = [],
): Validity => {
  const endMs = Math.min(notAfterMs, ...issuers.map(({ notAfter }) => notAfter.getTime()));
  if (endMs <= nowMs) throw new Error('the certificate would have expired before it is issued');
  return { notBefore: wholeSecond(nowMs - CLOCK_SKEW_MS), notAfter: wholeSecond(endMs) };
};
