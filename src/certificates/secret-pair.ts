import type { X509Certificate } from 'node:crypto';
import type { CertificateInfo } from '../../streams/model.ts';
import { sha256Hex } from '../util/hash.ts';
import { describeCertificate } from './certificate-info.ts';
import { readBundle, readCertificates } from './pem.ts';
import { keyMismatch, privateKey } from './private-key.ts';

/** What the leader reads of a kubernetes.io/tls Secret; the key is checked and not kept. */
interface SecretPair {
  readonly hash: string | null;
  readonly leaf: CertificateInfo | null;
  /** Fingerprint of the certificate in `ca.crt` that signed the leaf, or of the leaf that signed itself; null without one. */
  readonly issuer: string | null;
  readonly trust: readonly CertificateInfo[];
  /** Why the pair cannot be used, else null. */
  readonly problem: string | null;
  /** What could not be read of `ca.crt`; the pair may be usable all the same. */
  readonly trustProblems: readonly string[];
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

/** Reads the three values of a TLS Secret. Never throws: what is wrong is its `problem`. */
export const secretPair = (values: Readonly<Record<string, Buffer>>): SecretPair => {
  const { 'tls.crt': certificate, 'tls.key': key, 'ca.crt': authorities } = values;
  const bundle = readBundle(authorities ?? Buffer.alloc(0));
  const trust = bundle.certificates.map(describeCertificate);
  const trustProblems = bundle.problems.map((problem) => `ca.crt: ${problem}`);
  if (certificate === undefined || certificate.length === 0) {
    return { hash: null, leaf: null, issuer: null, trust, problem: null, trustProblems };
  }
  const hash = sha256Hex(certificate);
  const unusable = (problem: string, issuer: string | null = null): SecretPair => ({
    hash,
    leaf: null,
    issuer,
    trust,
    problem,
    trustProblems,
  });

  const chain = readOr<readonly X509Certificate[] | string>(() => readCertificates(certificate), String);
  if (typeof chain === 'string') return unusable(`tls.crt: ${chain}`);
  const [leaf] = chain;
  if (leaf === undefined) return unusable('tls.crt holds no certificate');
  const signer = [...bundle.certificates, leaf].find((authority) => signedBy(leaf, authority));
  const issuer = signer === undefined ? null : sha256Hex(signer.raw);
  const reading = privateKey(key ?? Buffer.alloc(0));
  if (!reading.ok) return unusable(`tls.key: ${reading.detail}`, issuer);
  const mismatch = keyMismatch(chain, reading.key);
  if (mismatch !== null) return unusable(mismatch, issuer);
  return { hash, leaf: describeCertificate(leaf), issuer, trust, problem: null, trustProblems };
};
