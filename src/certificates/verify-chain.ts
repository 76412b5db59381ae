import type { X509Certificate } from 'node:crypto';
import { type GeneralName, type ParsedX509, parseX509 } from './parse-x509.ts';
import { publicKeyError, signatureError } from './signature-rules.ts';

/** What a chain fails by, where more follows from it than that it fails. */
export type ChainFault =
  /** Go's rules alone: OpenSSL accepts it. */
  | 'refused-by-go'
  /** An issuer has expired: a new leaf of it is refused as well. */
  | 'issuer-expired';

interface ChainObjection {
  readonly detail: string;
  readonly by: ChainFault | null;
  /** The same certificates pass later: an issuer is not valid yet. */
  readonly retryable: boolean;
}

interface Chain {
  readonly leaf: X509Certificate;
  readonly intermediates: readonly X509Certificate[];
  readonly anchors: readonly X509Certificate[];
}

/** A certificate as node:crypto reads it, and as Go's parser does. */
interface Candidate {
  readonly certificate: X509Certificate;
  readonly parsed: ParsedX509;
}

/** serverAuth, anyExtendedKeyUsage. */
const SERVER_USAGES: ReadonlySet<string> = new Set(['1.3.6.1.5.5.7.3.1', '2.5.29.37.0']);

const nameOf = ({ subject, fingerprint256 }: X509Certificate): string =>
  // Typed as a string, undefined for an empty name.
  (subject as string | undefined)?.split('\n').join(', ') ?? `the certificate ${fingerprint256.slice(0, 23)}…`;

/** Whether the extended key usages allow serving TLS; Go asks this of every certificate of the chain. */
const allowsServing = ({ extendedKeyUsages }: ParsedX509): boolean =>
  extendedKeyUsages?.some((oid) => SERVER_USAGES.has(oid)) ?? true;

const candidate = (certificate: X509Certificate): Candidate | string => {
  const result = parseX509(certificate.raw);
  const error = result.ok ? publicKeyError(certificate) : result.error;
  return result.ok && error === null ? { certificate, parsed: result.certificate } : (error ?? 'x509: malformed');
};

/**
 * Names what Go's parser refuses about a certificate that OpenSSL accepts, in Go's words; null when Go parses it.
 * A server that presents such a certificate, in any position of its chain, fails every handshake of a Go client.
 */
export const goParseError = (certificate: X509Certificate): string | null => {
  const parsed = candidate(certificate);
  return typeof parsed === 'string' ? parsed : null;
};

/** Why a certificate may not sign others, in Go's words; null when it may. */
const authorityError = ({ parsed }: Candidate, isAnchor: boolean): string | null => {
  const { version, basicConstraints, mayNotSignCertificates } = parsed;
  // As an anchor, Go accepts a certificate from before version 3, which cannot say that it is a CA.
  const isCa = basicConstraints === null ? isAnchor && version < 3 : basicConstraints.isCa;
  if (!isCa) return 'is not a certificate authority';
  return mayNotSignCertificates ? 'may not sign certificates: its key usage lacks keyCertSign' : null;
};

const unhandledError = ({ parsed: { unhandledCritical } }: Candidate): string | null =>
  unhandledCritical.length === 0 ? null : `x509: unhandled critical extension (${unhandledCritical.join(', ')})`;

/** Why a certificate cannot be the CA that signs serving certificates, whatever their names; null when it can. */
export const caError = (certificate: X509Certificate | null): string | null => {
  if (certificate === null) return 'is missing';
  const parsed = candidate(certificate);
  if (typeof parsed === 'string') return `is refused by Go: ${parsed}`;
  const authority = authorityError(parsed, false);
  if (authority !== null) return authority;
  // OpenSSL knows no CA with extensions that it cannot read, which Go passes over.
  if (!certificate.ca) return 'is not a certificate authority';
  const unhandled = unhandledError(parsed);
  if (unhandled !== null) return `is refused by Go: ${unhandled}`;
  return allowsServing(parsed.parsed) ? null : 'may not sign for servers: its extended key usage lacks serverAuth';
};

/** Whether the extended key usages of a leaf allow serving TLS; without the extension they do. */
export const mayServe = (certificate: X509Certificate): boolean => {
  const result = parseX509(certificate.raw);
  return !result.ok || allowsServing(result.certificate);
};

/** Everything that Go refuses about a certificate by itself, in Go's words, before any chain is built; null when nothing. */
export const goRefusal = (certificate: X509Certificate): string | null => {
  const parsed = candidate(certificate);
  return typeof parsed === 'string' ? parsed : unhandledError(parsed);
};

/** Why this CA may not stand above the chain as built so far (leaf first), in Go's words; null when it may. */
const constraintError = (issuer: Candidate, chain: readonly Candidate[]): string | null => {
  const { parsed } = issuer;
  const maxPathLength = parsed.basicConstraints?.maxPathLength ?? null;
  if (maxPathLength !== null && chain.length - 1 > maxPathLength) return 'x509: too many intermediates for path length';
  if (!allowsServing(parsed)) return 'x509: certificate specifies an incompatible key usage: it lacks serverAuth';
  const [leaf = issuer] = chain;
  const name = forbiddenName(parsed, leaf.parsed) ?? forbiddenName(parsed, parsed);
  return name === null
    ? null
    : `x509: a root or intermediate certificate is not authorized to sign for this name: ${name}`;
};

const signedBy = (issuer: X509Certificate, child: X509Certificate): boolean => {
  try {
    return child.verify(issuer.publicKey);
  } catch {
    // A public key of a kind that Node cannot load.
    return false;
  }
};

/**
 * Walks from the leaf over the intermediates to a certificate of the trust bundle, trying every path, and decides each
 * link as Go's crypto/x509 does. kube-apiserver verifies with Go; OpenSSL is stricter in places (an intermediate as the
 * only anchor, key identifiers) and laxer in others (negative serial numbers, unknown critical extensions, names that
 * differ in their encoding). spec/certificates/go-verifier.spec.ts is the table of these differences.
 *
 * @returns why no path leads to an anchor, or null when one does
 */
export const verifyChain = ({ leaf, intermediates, anchors }: Chain, nowMs: number): ChainObjection | null => {
  const seen = new Set<string>();
  // An obstacle at the right issuer explains more than "no issuer found" further up the chain.
  const obstacles: ChainObjection[] = [];

  const mayFollow = (
    certificate: X509Certificate,
    chain: readonly Candidate[],
    isAnchor: boolean,
  ): Candidate | null => {
    const child = chain.at(-1);
    if (child === undefined || !signedBy(certificate, child.certificate)) return null;
    const issuer = candidate(certificate);
    const refuse = (why: string, by: ChainFault | null = null, retryable = false): null => {
      obstacles.push({ detail: `the issuer ${nameOf(certificate)} ${why}`, by, retryable });
      return null;
    };
    const refuseByGo = (error: string): null => refuse(`is refused by Go: ${error}`, 'refused-by-go');
    if (typeof issuer === 'string') return refuseByGo(issuer);
    // Go compares names byte by byte; OpenSSL ignores case, spaces and the kind of string.
    if (!child.parsed.rawIssuer.equals(issuer.parsed.rawSubject))
      return refuse(
        'is not found by Go: its subject is encoded in other bytes than the issuer of what it signed',
        'refused-by-go',
      );
    const authority = authorityError(issuer, isAnchor);
    if (authority !== null) return refuse(authority);
    if (nowMs < certificate.validFromDate.getTime()) return refuse('is not valid yet', null, true);
    if (nowMs >= certificate.validToDate.getTime()) return refuse('has expired', 'issuer-expired');
    const error = signatureError(child.parsed) ?? unhandledError(issuer) ?? constraintError(issuer, chain);
    return error === null ? issuer : refuseByGo(error);
  };

  const reaches = (chain: readonly Candidate[]): boolean => {
    if (anchors.some((anchor) => mayFollow(anchor, chain, true) !== null)) return true;
    return intermediates.some((certificate) => {
      if (seen.has(certificate.fingerprint256)) return false;
      const issuer = mayFollow(certificate, chain, false);
      if (issuer === null) return false;
      seen.add(certificate.fingerprint256);
      return reaches([...chain, issuer]);
    });
  };

  const start = candidate(leaf);
  const refusal = typeof start === 'string' ? start : unhandledError(start);
  if (typeof start === 'string' || refusal !== null)
    return { detail: `Go refuses the certificate: ${refusal ?? ''}`, by: 'refused-by-go', retryable: false };
  seen.add(leaf.fingerprint256);
  if (anchors.some(({ fingerprint256 }) => fingerprint256 === leaf.fingerprint256) || reaches([start])) return null;
  const unknown = `none of the ${anchors.length} certificates in ca.crt issued ${nameOf(leaf)}, directly or over tls.crt`;
  return obstacles[0] ?? { detail: unknown, by: null, retryable: false };
};

/** The kinds of a general name (RFC 5280, 4.2.1.6) that a serving certificate has. */
const DNS = 2;
const IP = 7;

const lowerCase = (value: Buffer): string => value.toString('latin1').toLowerCase();

/** `.example.com` covers only names below it, `example.com` also itself, and an empty constraint every name. */
const dnsMatches = (name: Buffer, constraint: Buffer): boolean => {
  const [host, suffix] = [lowerCase(name), lowerCase(constraint)];
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

const nameText = ({ kind, value }: GeneralName): string =>
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
    if (nameConstraints.excluded.some(covers)) return `${nameText(name)} is excluded by a name constraint`;
    const permitted = nameConstraints.permitted.filter(({ kind }) => kind === name.kind);
    if (permitted.length > 0 && !permitted.some(covers))
      return `${nameText(name)} is not permitted by any name constraint`;
  }
  return null;
};
