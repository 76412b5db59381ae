import type { X509Certificate } from 'node:crypto';
import { SocketAddress } from 'node:net';
import type { CertificateInfo } from '../../streams/model.ts';
import { sha256Hex } from '../util/hash.ts';
import { isIpAddress } from '../util/ip.ts';
import { readCertificates } from './pem.ts';

/** `DNS:a`, `IP Address:::1` or, when the value has special characters, `DNS:"a, b"` in JSON's quotes. */
const ENTRY = /(?<type>[^:,]+):(?:"(?<quoted>(?:[^"\\]|\\.)*)"|(?<plain>[^,]*))(?:, |$)/gy;

const unquote = (quoted: string): string => {
  try {
    return String(JSON.parse(`"${quoted}"`));
  } catch {
    return quoted;
  }
};

/** Shortens an IPv6 address to its usual form, `2001:db8::1`; OpenSSL prints `2001:DB8:0:0:0:0:0:1`. */
const canonical = (address: string): string =>
  address.includes(':') ? new SocketAddress({ address, family: 'ipv6' }).address : address;

/**
 * Parses the DNS names and IP addresses of a subjectAltName as node:crypto prints it; other kinds are left out.
 *
 * @param printed `X509Certificate.subjectAltName`
 */
export const subjectAltNames = (printed: string | undefined): readonly string[] =>
  [...(printed ?? '').matchAll(ENTRY)].flatMap(({ groups }) => {
    const value = groups?.['quoted'] === undefined ? (groups?.['plain'] ?? '') : unquote(groups['quoted']);
    if (groups?.['type'] === 'DNS') return [value];
    return groups?.['type'] === 'IP Address' ? [canonical(value)] : [];
  });

// As in Go's verifier, the common name is ignored, and a wildcard matches one whole label.
const AS_GO = { subject: 'never', partialWildcards: false } as const;

const carries = (leaf: X509Certificate, name: string): boolean => {
  if (isIpAddress(name)) return leaf.checkIP(name) !== undefined;
  if (name.startsWith('*.')) return subjectAltNames(leaf.subjectAltName).includes(name.toLowerCase());
  return leaf.checkHost(name, AS_GO) !== undefined;
};

/** Lists the names (DNS, DNS wildcards, IP addresses) for which a client would not accept this certificate. */
export const missingNames = (leaf: X509Certificate, names: readonly string[]): readonly string[] =>
  names.filter((name) => !carries(leaf, name));

/** Extracts from a certificate what decisions need. An empty subject becomes an empty string. */
export const describeCertificate = (certificate: X509Certificate): CertificateInfo => ({
  fingerprint: sha256Hex(certificate.raw),
  // Node prints one relative name a line, and returns undefined for an empty name.
  subject: ((certificate.subject as string | undefined) ?? '').split('\n').join(', '),
  serial: certificate.serialNumber.toLowerCase(),
  notBeforeMs: certificate.validFromDate.getTime(),
  notAfterMs: certificate.validToDate.getTime(),
  names: subjectAltNames(certificate.subjectAltName),
  pem: certificate.toString(),
});

/**
 * Describes the certificates of a PEM bundle, in its order.
 *
 * @throws Error with the position of the first malformed block, without any of its content
 */
export const describeCertificates = (pem: string | Uint8Array): readonly CertificateInfo[] =>
  readCertificates(pem).map(describeCertificate);
