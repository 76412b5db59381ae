import { createPublicKey, type KeyObject, randomBytes } from 'node:crypto';
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

/** A name of one common name. Not written as `CN=…`, whose commas and quotes the library would read as syntax. */
export const commonName = (text: string): Name => new Name([{ CN: [{ utf8String: text }] }]);

/** 16 random bytes as hex; the two top bits are 01, so that it is positive and has no leading zero in DER. */
export const serialNumber = (): string => {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
};

/** The public half of a private key, for the library to put into a certificate. */
export const publicKeyOf = (key: KeyObject): PublicKey =>
  new PublicKey(createPublicKey(key).export({ type: 'spki', format: 'der' }));

/** What a certificate calls its own key, else the SHA-1 of the key (RFC 5280, 4.2.1.2). */
export const subjectKeyIdentifier = async (certificate: X509Certificate): Promise<SubjectKeyIdentifierExtension> => {
  const own = certificate.getExtension(SubjectKeyIdentifierExtension);
  return own === null
    ? SubjectKeyIdentifierExtension.create(certificate.publicKey)
    : new SubjectKeyIdentifierExtension(own.keyId);
};

/**
 * The first certificate of a PEM text, for the library to work with.
 *
 * @throws Error when there is none, without repeating any of the text
 */
export const firstCertificate = (pem: string): X509Certificate => {
  const [first] = readCertificates(pem);
  if (first === undefined) throw new Error('there is no PEM certificate');
  return new X509Certificate(first.raw);
};

/** What makes a certificate an authority's. No path length: a later authority may have to stand below this one. */
export const authorityExtensions = (): readonly Extension[] => [
  new BasicConstraintsExtension(true, undefined, true),
  new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
];

/** X.509 times have no fractions: the whole second that has begun. */
const wholeSecond = (ms: number): Date => new Date(Math.floor(ms / 1000) * 1000);

/** How far a new certificate's validity reaches back (law L5), for clients whose clocks are slow. */
const BACKDATE_MS = 3_600_000;

export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/**
 * From an hour back to `notAfterMs`, but never past any of the certificates it hangs on.
 *
 * @throws Error when nothing would be left of it
 */
export const validity = (
  nowMs: number,
  notAfterMs: number,
  hangsOn: readonly { readonly notAfter: Date }[] = [],
): Validity => {
  const endMs = Math.min(notAfterMs, ...hangsOn.map(({ notAfter }) => notAfter.getTime()));
  if (endMs <= nowMs) throw new Error('the certificate would have expired before it is issued');
  return { notBefore: wholeSecond(nowMs - BACKDATE_MS), notAfter: wholeSecond(endMs) };
};
