import type { KeyObject, X509Certificate } from 'node:crypto';
import { DER_TAGS, readDer, readDerSequence, readOid } from './der.ts';
import type { ParsedX509 } from './parse-x509.ts';

const RSA_PSS = '1.2.840.113549.1.1.10';

/** Signature algorithms that Go verifies: RSA PKCS#1 and ECDSA with SHA-256, -384 and -512, and Ed25519. */
const ACCEPTED: ReadonlySet<string> = new Set([
  '1.2.840.113549.1.1.11',
  '1.2.840.113549.1.1.12',
  '1.2.840.113549.1.1.13',
  '1.2.840.10045.4.3.2',
  '1.2.840.10045.4.3.3',
  '1.2.840.10045.4.3.4',
  '1.3.101.112',
]);

/** Signature algorithms that Go knows and refuses; SHA-1 since Go 1.18. */
const INSECURE: Readonly<Record<string, string>> = {
  '1.2.840.113549.1.1.2': 'MD2-RSA',
  '1.2.840.113549.1.1.4': 'MD5-RSA',
  '1.2.840.113549.1.1.5': 'SHA1-RSA',
  '1.3.14.3.2.29': 'SHA1-RSA',
  '1.2.840.10045.4.1': 'ECDSA-SHA1',
};

/** Hash of RSA-PSS parameters with the salt length that Go requires beside it. */
const PSS_SALTS: Readonly<Record<string, number>> = {
  '2.16.840.1.101.3.4.2.1': 32,
  '2.16.840.1.101.3.4.2.2': 48,
  '2.16.840.1.101.3.4.2.3': 64,
};

const isAcceptedPss = (parameters: Buffer): boolean => {
  const fields = readDerSequence(readDer(parameters)?.content ?? Buffer.alloc(0)) ?? [];
  const inside = (tag: number) => readDer(fields.find((field) => field.tag === tag)?.content ?? Buffer.alloc(0));
  const hash = readDer(inside(0xa0)?.content ?? Buffer.alloc(0));
  const salt = inside(0xa2);
  if (hash?.tag !== DER_TAGS.oid || salt?.tag !== DER_TAGS.integer || salt.content.length !== 1) return false;
  return PSS_SALTS[readOid(hash.content)] === salt.content[0];
};

/** Why Go cannot verify the signature on a certificate, whatever its key; null when it can. */
export const signatureError = ({ signatureOid, signatureParameters }: ParsedX509): string | null => {
  const insecure = INSECURE[signatureOid];
  if (insecure !== undefined) return `x509: cannot verify signature: insecure algorithm ${insecure}`;
  const isKnown = ACCEPTED.has(signatureOid) || (signatureOid === RSA_PSS && isAcceptedPss(signatureParameters));
  return isKnown ? null : 'x509: cannot verify signature: algorithm unimplemented';
};

const GO_CURVES: ReadonlySet<string | undefined> = new Set(['secp224r1', 'prime256v1', 'secp384r1', 'secp521r1']);

/** Since Go 1.24, crypto/rsa neither signs nor verifies with a shorter key; 1024 bits still pass. */
const MIN_RSA_BITS = 1024;

const loadKey = (certificate: X509Certificate): KeyObject | null => {
  try {
    return certificate.publicKey;
  } catch {
    return null;
  }
};

/** Why Go cannot use the public key of a certificate; null when it can. */
export const publicKeyError = (certificate: X509Certificate): string | null => {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = loadKey(certificate) ?? {};
  if (type === 'ec') return GO_CURVES.has(details?.namedCurve) ? null : 'x509: unsupported elliptic curve';
  if (type === 'ed25519') return null;
  if (type !== 'rsa') return `x509: unsupported public key algorithm ${type ?? 'unknown'}`;
  const bits = details?.modulusLength ?? 0;
  return bits < MIN_RSA_BITS ? `crypto/rsa: ${bits}-bit keys are insecure` : null;
};
