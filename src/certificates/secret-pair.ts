import type { X509Certificate } from 'node:crypto';
import type { CertificateInfo } from '../../streams/model.ts';
import { sha256Hex } from '../util/hash.ts';
import { describeCertificate } from './certificate-info.ts';
import { readBundle, readCertificates } from './pem.ts';
import { keyMismatch, privateKey } from './private-key.ts';
import { verifyPair } from './verify-pair.ts';

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

type Values = Readonly<Record<string, Buffer>>;

/** The CAs that a relayed pair is verified against: its `ca.crt`, or its leaf when that signed itself; null without any. */
const anchorsOf = ({ 'tls.crt': certificate, 'ca.crt': authorities }: Values): Buffer | null => {
  if (authorities !== undefined && authorities.length > 0) return authorities;
  const [leaf] = readBundle(certificate ?? '').certificates;
  return leaf?.checkIssued(leaf) === true && leaf.verify(leaf.publicKey) ? Buffer.from(leaf.toString()) : null;
};

/**
 * Why callers would refuse a pair that another program has issued, by the rules of F1; null when they would not. Without a
 * `ca.crt` nothing is said about its chain.
 *
 * @param names every name that callers use
 * @param nowMs default: now, moved into the time in which the leaf is valid, since its dates are judged at each decision
 * @param trust what callers trust; default: the `ca.crt` beside the pair
 */
export const relayedPairProblem = (
  values: Values,
  { notBeforeMs, notAfterMs }: Pick<CertificateInfo, 'notBeforeMs' | 'notAfterMs'>,
  names: readonly string[],
  nowMs = Math.min(Math.max(Date.now(), notBeforeMs), notAfterMs - 1),
  trust: Buffer | null = anchorsOf(values),
): string | null => {
  const certificate = values['tls.crt'] ?? Buffer.alloc(0);
  const files = { certificate, key: values['tls.key'] ?? Buffer.alloc(0), trust };
  const hash = sha256Hex(certificate);
  const rules = { hash, generation: '', names, nowMs, external: false, mayLackTrust: true };
  const result = verifyPair(files, rules);
  return result.ok ? null : `${result.reason}: ${result.detail}`;
};
