import type { X509Certificate } from 'node:crypto';
import { SocketAddress } from 'node:net';
import { isIpAddress } from '../util/ip.ts';

/** `DNS:a`, `IP Address:::1` or, when the value has special characters, `DNS:"a, b"` in JSON's quotes. */
const ENTRY = /(?<type>[^:,]+):(?:"(?<quoted>(?:[^"\\]|\\.)*)"|(?<plain>[^,]*))(?:, |$)/gy;

const unquote = (quoted: string): string => {
  try {
    return String(JSON.parse(`"${quoted}"`));
  } catch {
    return quoted;
  }
};

/** OpenSSL prints `2001:DB8:0:0:0:0:0:1`; everybody else writes `2001:db8::1`. */
const canonical = (address: string): string =>
  address.includes(':') ? new SocketAddress({ address, family: 'ipv6' }).address : address;

/**
 * The DNS names and IP addresses in what node:crypto prints for a subjectAltName; other kinds are left out.
 *
 * @param printed `X509Certificate.subjectAltName`
 */
export const subjectAltNames = (printed: string | undefined): readonly string[] =>
  [...(printed ?? '').matchAll(ENTRY)].flatMap(({ groups }) => {
    const value = groups?.['quoted'] === undefined ? (groups?.['plain'] ?? '') : unquote(groups['quoted']);
    if (groups?.['type'] === 'DNS') return [value];
    return groups?.['type'] === 'IP Address' ? [canonical(value)] : [];
  });

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
