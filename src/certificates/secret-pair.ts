import type { X509Certificate } from 'node:crypto';
import type { CertificateInfo } from '../../streams/model.ts';
import { sha256Hex } from '../util/hash.ts';
import { describeCertificate } from './certificate-info.ts';
import { readCertificates } from './pem.ts';
import { privateKey } from './private-key.ts';

/** A kubernetes.io/tls Secret as the leader looks at it; the key is looked at and let go. */
interface SecretPair {
  readonly hash: string | null;
  readonly leaf: CertificateInfo | null;
  /** Fingerprint of the certificate that signed the leaf, out of `ca.crt` and the leaf itself; also of one whose key is lost. */
  readonly issuer: string | null;
  readonly trust: readonly CertificateInfo[];
  readonly problem: string | null;
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : 'unreadable');

const readOr = <T>(read: () => T, otherwise: (reason: string) => T): T => {
  try {
    return read();
  } catch (error) {
    return otherwise(reasonOf(error));
  }
};

const signedBy = (leaf: X509Certificate, authority: X509Certificate): boolean =>
  readOr(
    () => leaf.checkIssued(authority) && leaf.verify(authority.publicKey),
    () => false,
  );

/** Looks at the three values of a TLS Secret. Never throws: what is wrong is its `problem`. */
export const secretPair = (values: Readonly<Record<string, Buffer>>): SecretPair => {
  const { 'tls.crt': certificate, 'tls.key': key, 'ca.crt': authorities } = values;
  const authorityCertificates = readOr(
    () => readCertificates(authorities ?? Buffer.alloc(0)),
    () => [],
  );
  const trust = authorityCertificates.map(describeCertificate);
  if (certificate === undefined || certificate.length === 0) {
    return { hash: null, leaf: null, issuer: null, trust, problem: null };
  }
  const hash = sha256Hex(certificate);
  const unusable = (problem: string, issuer: string | null = null): SecretPair => ({
    hash,
    leaf: null,
    issuer,
    trust,
    problem,
  });

  const chain = readOr<readonly X509Certificate[] | string>(() => readCertificates(certificate), String);
  if (typeof chain === 'string') return unusable(`tls.crt: ${chain}`);
  const [leaf] = chain;
  if (leaf === undefined) return unusable('tls.crt holds no certificate');
  const signer = [...authorityCertificates, leaf].find((authority) => signedBy(leaf, authority));
  const issuer = signer === undefined ? null : sha256Hex(signer.raw);
  const reading = privateKey(key ?? Buffer.alloc(0));
  if (!reading.ok) return unusable(`tls.key: ${reading.detail}`, issuer);
  if (!leaf.checkPrivateKey(reading.key)) return unusable('tls.key belongs to another certificate', issuer);
  return { hash, leaf: describeCertificate(leaf), issuer, trust, problem: null };
};
