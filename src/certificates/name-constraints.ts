import type { GeneralName, ParsedX509 } from './parse-x509.ts';

const DNS = 2;
const IP = 7;

const text = (value: Buffer): string => value.toString('latin1').toLowerCase();

/** `.example.com` covers only names below it, `example.com` also itself, and an empty constraint every name. */
const dnsMatches = (name: Buffer, constraint: Buffer): boolean => {
  const [host, suffix] = [text(name), text(constraint)];
  if (suffix === '') return true;
  if (suffix.startsWith('.')) return host.endsWith(suffix) && host.length > suffix.length;
  return host === suffix || host.endsWith(`.${suffix}`);
};

/** A constraint is an address and a mask of the same length, one after the other. */
const ipMatches = (address: Buffer, constraint: Buffer): boolean => {
  const { length } = address;
  if (constraint.length !== 2 * length) return false;
  return address.every((byte, at) => (byte & (constraint[length + at] ?? 0)) === constraint[at]);
};

const MATCHERS: Readonly<Record<number, (name: Buffer, constraint: Buffer) => boolean>> = {
  [DNS]: dnsMatches,
  [IP]: ipMatches,
};

const shown = ({ kind, value }: GeneralName): string =>
  kind === DNS ? JSON.stringify(value.toString('latin1')) : `address ${[...value].join('.')}`;

/**
 * Finds the first DNS name or IP address of a certificate that a CA's name constraints forbid, in Go's words; null when
 * they forbid none. E-mail addresses and URIs are left out: a serving certificate is never reached by one.
 */
export const forbiddenName = (ca: ParsedX509, certificate: ParsedX509): string | null => {
  const { nameConstraints } = ca;
  if (nameConstraints === null) return null;
  for (const name of certificate.names) {
    const matches = MATCHERS[name.kind];
    if (matches === undefined) continue;
    const covers = (constraint: GeneralName): boolean =>
      constraint.kind === name.kind && matches(name.value, constraint.value);
    if (nameConstraints.excluded.some(covers)) return `${shown(name)} is excluded by a name constraint`;
    const permitted = nameConstraints.permitted.filter(({ kind }) => kind === name.kind);
    if (permitted.length > 0 && !permitted.some(covers))
      return `${shown(name)} is not permitted by any name constraint`;
  }
  return null;
};
