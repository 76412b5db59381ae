import { DER_TAGS, type DerValue, readDer, readDerSequence, readOid } from './der.ts';

interface X509Extension {
  readonly oid: string;
  readonly critical: boolean;
  readonly value: Buffer;
}

/** One entry of a subjectAltName or of a name constraint: its context tag (2 DNS, 7 IP address) and its bytes. */
export interface GeneralName {
  readonly kind: number;
  readonly value: Buffer;
}

export interface NameConstraints {
  readonly permitted: readonly GeneralName[];
  readonly excluded: readonly GeneralName[];
}

/** The parts of a certificate that node:crypto does not expose and that Go's verifier decides on. */
export interface ParsedX509 {
  readonly version: number;
  readonly rawIssuer: Buffer;
  readonly rawSubject: Buffer;
  readonly signatureOid: string;
  readonly signatureParameters: Buffer;
  /** Null without a basicConstraints extension. */
  readonly basicConstraints: { readonly isCa: boolean; readonly maxPathLength: number | null } | null;
  /** Whether a key usage is present that lacks keyCertSign. */
  readonly mayNotSignCertificates: boolean;
  /** Null without an extended key usage extension. */
  readonly extendedKeyUsages: readonly string[] | null;
  readonly names: readonly GeneralName[];
  readonly nameConstraints: NameConstraints | null;
  /** Object identifiers of the critical extensions that Go does not handle. */
  readonly unhandledCritical: readonly string[];
}

/** What Go's parser says of these bytes: the certificate, or the error it refuses them with. */
export type X509Result =
  { readonly ok: true; readonly certificate: ParsedX509 } | { readonly ok: false; readonly error: string };

const OIDS = {
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  crlDistributionPoints: '2.5.29.31',
  policies: '2.5.29.32',
  authorityKeyId: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  authorityInfoAccess: '1.3.6.1.5.5.7.1.1',
} as const;

/** Extensions whose critical flag Go ignores since it understands them (crypto/x509, processExtensions). */
const HANDLED: ReadonlySet<string> = new Set([
  OIDS.keyUsage,
  OIDS.basicConstraints,
  OIDS.crlDistributionPoints,
  OIDS.policies,
  OIDS.extendedKeyUsage,
]);

/** Extensions that RFC 5280 forbids to be critical, and that Go refuses to parse when they are (since 1.24). */
const NEVER_CRITICAL: Readonly<Record<string, string>> = {
  [OIDS.subjectKeyId]: 'subject key identifier',
  [OIDS.authorityKeyId]: 'authority key identifier',
  [OIDS.authorityInfoAccess]: 'authority info access',
};

/** Kinds of general names that Go compares: e-mail, DNS, URI, IP address. */
const COMPARED_KINDS: ReadonlySet<number> = new Set([1, 2, 6, 7]);

/** Thrown and caught in this file only, so that the reading code needs no result type at each step. */
class Malformed extends Error {}

const fail = (what: string): never => {
  throw new Malformed(`x509: ${what}`);
};

const sequence = (bytes: Buffer, what: string): readonly DerValue[] => {
  const outer = readDer(bytes);
  const values = outer?.tag === DER_TAGS.sequence ? readDerSequence(outer.content) : null;
  return values ?? fail(what);
};

const generalNames = (values: readonly DerValue[]): readonly GeneralName[] =>
  values.map(({ tag, content }) => ({ kind: tag & 0x1f, value: content }));

const readExtension = (value: DerValue): X509Extension => {
  const [oid, ...rest] = sequence(value.bytes, 'malformed extension');
  const critical = rest[0]?.tag === DER_TAGS.boolean ? rest[0].content[0] === 0xff : false;
  const octets = rest.at(-1);
  if (oid?.tag !== DER_TAGS.oid || octets?.tag !== DER_TAGS.octetString) return fail('malformed extension');
  return { oid: readOid(oid.content), critical, value: octets.content };
};

const readExtensions = (wrapped: DerValue | undefined): readonly X509Extension[] => {
  if (wrapped === undefined) return [];
  const extensions = sequence(wrapped.content, 'malformed extensions').map(readExtension);
  if (new Set(extensions.map(({ oid }) => oid)).size !== extensions.length)
    return fail('certificate contains duplicate extensions');
  return extensions;
};

const readBasicConstraints = (value: Buffer): ParsedX509['basicConstraints'] => {
  const [first, second] = sequence(value, 'invalid basic constraints');
  const isCa = first?.tag === DER_TAGS.boolean && first.content[0] !== 0;
  const length = first?.tag === DER_TAGS.integer ? first : second;
  if (length === undefined) return { isCa, maxPathLength: null };
  if (length.tag !== DER_TAGS.integer || length.content.length === 0 || length.content.length > 4)
    return fail('invalid basic constraints');
  return { isCa, maxPathLength: length.content.readIntBE(0, length.content.length) };
};

/** Bit 5 of the key usage; absent or all zero means that nothing is restricted (as in Go). */
const lacksCertSign = (value: Buffer): boolean => {
  const bits = readDer(value);
  if (bits?.tag !== DER_TAGS.bitString) return fail('invalid key usage');
  const [, first = 0, second = 0] = bits.content;
  return (first !== 0 || second !== 0) && (first & 0x04) === 0;
};

const readNameConstraints = (value: Buffer): NameConstraints => {
  const subtrees = sequence(value, 'invalid NameConstraints extension');
  const of = (tag: number): readonly GeneralName[] => {
    const list = subtrees.find((subtree) => subtree.tag === tag);
    const values = list === undefined ? [] : readDerSequence(list.content);
    return (values ?? fail('invalid NameConstraints extension')).flatMap(({ bytes }) =>
      generalNames(sequence(bytes, 'invalid NameConstraints extension').slice(0, 1)),
    );
  };
  return { permitted: of(0xa0), excluded: of(0xa1) };
};

const isUnhandled = (
  { oid }: X509Extension,
  names: readonly GeneralName[],
  constraints: NameConstraints | null,
): boolean => {
  if (oid === OIDS.subjectAltName) return !names.some(({ kind }) => COMPARED_KINDS.has(kind));
  if (oid !== OIDS.nameConstraints) return !HANDLED.has(oid);
  const { permitted, excluded } = constraints ?? { permitted: [], excluded: [] };
  return [...permitted, ...excluded].some(({ kind }) => !COMPARED_KINDS.has(kind));
};

const readVersion = (value: DerValue | undefined): number => {
  if (value?.tag !== 0xa0) return 1;
  const inner = readDer(value.content);
  if (inner?.tag !== DER_TAGS.integer || inner.content.length !== 1) return fail('malformed version');
  const version = inner.content.readInt8(0) + 1;
  return version < 1 || version > 3 ? fail('invalid version') : version;
};

const parse = (der: Buffer): ParsedX509 => {
  const [tbs, outerAlgorithm] = sequence(der, 'malformed certificate');
  const fields = tbs === undefined ? fail('malformed certificate') : sequence(tbs.bytes, 'malformed tbs certificate');
  const version = readVersion(fields[0]);
  const [serial, algorithm, issuer, , subject, , ...optional] = fields[0]?.tag === 0xa0 ? fields.slice(1) : fields;

  if (serial?.tag !== DER_TAGS.integer || serial.content.length === 0) return fail('malformed serial number');
  if ((serial.content[0] ?? 0) >= 0x80) return fail('negative serial number');
  if (algorithm === undefined || issuer === undefined || subject === undefined) return fail('malformed certificate');
  if (outerAlgorithm?.bytes.equals(algorithm.bytes) !== true)
    return fail("inner and outer signature algorithm identifiers don't match");
  const [signature, parameters] = sequence(algorithm.bytes, 'malformed signature algorithm identifier');

  const extensions = version < 3 ? [] : readExtensions(optional.find(({ tag }) => tag === 0xa3));
  const forbidden = extensions.find(({ oid, critical }) => critical && NEVER_CRITICAL[oid] !== undefined);
  if (forbidden !== undefined) return fail(`${NEVER_CRITICAL[forbidden.oid] ?? ''} incorrectly marked critical`);

  const valueOf = <T>(oid: string, read: (value: Buffer) => T): T | null => {
    const found = extensions.find((extension) => extension.oid === oid);
    return found === undefined ? null : read(found.value);
  };
  const names = valueOf(OIDS.subjectAltName, (value) =>
    generalNames(sequence(value, 'invalid subject alternative names')),
  );
  const nameConstraints = valueOf(OIDS.nameConstraints, readNameConstraints);
  return {
    version,
    rawIssuer: issuer.bytes,
    rawSubject: subject.bytes,
    signatureOid: signature === undefined ? '' : readOid(signature.content),
    signatureParameters: parameters?.bytes ?? Buffer.alloc(0),
    basicConstraints: valueOf(OIDS.basicConstraints, readBasicConstraints),
    mayNotSignCertificates: valueOf(OIDS.keyUsage, lacksCertSign) ?? false,
    extendedKeyUsages: valueOf(OIDS.extendedKeyUsage, (value) =>
      sequence(value, 'invalid extended key usages').map(({ content }) => readOid(content)),
    ),
    names: names ?? [],
    nameConstraints,
    unhandledCritical: extensions
      .filter((extension) => extension.critical && isUnhandled(extension, names ?? [], nameConstraints))
      .map(({ oid }) => oid),
  };
};

/**
 * Parses a certificate as Go's crypto/x509 does, and refuses what it refuses although OpenSSL accepts it. kube-apiserver
 * is a Go program: a certificate that only OpenSSL can read is useless to it. Never throws.
 */
export const parseX509 = (der: Buffer): X509Result => {
  try {
    return { ok: true, certificate: parse(der) };
  } catch (error) {
    if (error instanceof Malformed) return { ok: false, error: error.message };
    throw error;
  }
};
