import { SocketAddress } from 'node:net';

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
