import { randomBytes, type X509Certificate as NodeCertificate } from 'node:crypto';
import { isIP } from 'node:net';
import { type IssuedPair, readCaPair } from './ca-pair.ts';
import { type KeyAlgorithm, makeKey, signingKey } from './keys.ts';
import { readBundle, readCertificates } from './pem.ts';
import { privateKey } from './private-key.ts';
import { goParseError } from './verify-chain.ts';
import { verifyPresented } from './verify-pair.ts';
import {
  authorityExtensions,
  commonName,
  firstCertificate,
  publicKeyOf,
  serialNumber,
  subjectKeyIdentifier,
  type Validity,
  validity,
} from './x509-fields.ts';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Name,
  type PublicKey,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from './x509-library.ts';

interface Issuance {
  readonly subject: Name;
  readonly publicKey: PublicKey;
  readonly validity: Validity;
  readonly extensions: readonly Extension[];
}

interface Issuer {
  readonly certificate: X509Certificate;
  /** Signs a certificate and returns it as PEM, with the CA's key identifier added to the extensions. */
  issue(issuance: Issuance): Promise<string>;
}

/**
 * Opens a CA for signing. Its name is copied byte by byte into what it issues, since Go compares names so.
 *
 * @throws Error when certificate and key do not form a CA, without any text of either
 */
export const issuer = (ca: IssuedPair): Issuer => {
  const pair = readCaPair(ca);
  if (!pair.ok) throw new Error(`the authority cannot issue: ${pair.detail}`);
  const reading = privateKey(Buffer.from(ca.keyPem, 'latin1'));
  if (!reading.ok) throw new Error(`the authority cannot issue: ${reading.detail}`);

  const certificate = new X509Certificate(pair.certificate.raw);
  const { key, algorithm } = signingKey(reading.key);

  return {
    certificate,
    async issue({ subject, publicKey, validity, extensions }) {
      const { keyId } = await subjectKeyIdentifier(certificate);
      const issued = await X509CertificateGenerator.create({
        serialNumber: serialNumber(),
        subject,
        issuer: certificate.subjectName,
        ...validity,
        publicKey,
        signingKey: key,
        signingAlgorithm: algorithm,
        extensions: [...extensions, new AuthorityKeyIdentifierExtension(keyId)],
      });
      return `${issued.toString('pem')}\n`;
    },
  };
};

/**
 * Everything that needs the X.509 library, behind one lazy import: `await import('./certificates/issue.ts')` costs 24 MB
 * and 90 ms, which only a leader that must issue should pay. Nothing that followers load may import it statically.
 */
export type { IssuedPair } from './ca-pair.ts';
export { readCaPair } from './ca-pair.ts';
export type { KeyAlgorithm } from './keys.ts';

interface AuthorityOrder {
  readonly algorithm: KeyAlgorithm;
  /** Common name; eight random hex digits are appended, so that every CA has its own name. */
  readonly subject: string;
  readonly nowMs: number;
  /** Counted from now. */
  readonly validityMs: number;
}

/** X.520's upper bound of a common name is 64 characters (`ub-common-name`). */
const MOST_SUBJECT_CHARACTERS = 64 - ' 01234567'.length;

/** Generates a self-signed CA with a new key. */
export const issueCa = async ({ algorithm, subject, nowMs, validityMs }: AuthorityOrder): Promise<IssuedPair> => {
  const key = await makeKey(algorithm);
  const publicKey = publicKeyOf(key);
  const signing = signingKey(key);
  const name = commonName(`${subject.slice(0, MOST_SUBJECT_CHARACTERS)} ${randomBytes(4).toString('hex')}`.trimStart());

  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name,
    ...validity(nowMs, nowMs + validityMs),
    keys: { publicKey, privateKey: signing.key },
    signingAlgorithm: signing.algorithm,
    extensions: [...authorityExtensions(), await SubjectKeyIdentifierExtension.create(publicKey)],
  });
  return {
    certificatePem: `${certificate.toString('pem')}\n`,
    keyPem: key.export({ type: 'pkcs8', format: 'pem' }),
  };
};

interface BridgeOrder {
  readonly older: IssuedPair;
  readonly newer: Pick<IssuedPair, 'certificatePem'>;
  readonly nowMs: number;
}

/**
 * Signs the newer CA, with the same name and key, by the older one: with it behind the leaf, clients that trust only the
 * older CA accept what the newer one issues (law L8). It expires with the first of the two.
 *
 * @returns the certificate as PEM, or null when the older CA must not have another below it (path length 0, as Go's
 *   `MaxPathLenZero` writes it)
 * @throws Error when the older CA cannot issue or has expired
 */
export const crossSign = async ({ older, newer, nowMs }: BridgeOrder): Promise<string | null> => {
  const authority = issuer(older);
  if (authority.certificate.getExtension(BasicConstraintsExtension)?.pathLength === 0) return null;

  const below = firstCertificate(newer.certificatePem);
  return authority.issue({
    subject: below.subjectName,
    publicKey: below.publicKey,
    validity: validity(nowMs, below.notAfter.getTime(), [authority.certificate]),
    extensions: [...authorityExtensions(), await subjectKeyIdentifier(below)],
  });
};

interface LeafOrder {
  readonly authority: IssuedPair;
  /** DNS names and IP addresses, at least one; the first is the common name too when it is short enough. */
  readonly names: readonly string[];
  readonly algorithm: KeyAlgorithm;
  readonly nowMs: number;
  /** Counted from now; the leaf never outlives its CA (L5). */
  readonly validityMs: number;
}

/** X.520's upper bound of a common name (`ub-common-name`). */
const MOST_COMMON_NAME_CHARACTERS = 64;

const usagesOf = (algorithm: KeyAlgorithm): KeyUsagesExtension =>
  algorithm.startsWith('rsa')
    ? // TLS 1.2 can still exchange keys by RSA encryption.
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature | KeyUsageFlags.keyEncipherment, true)
    : new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true);

/**
 * Issues a serving certificate with a new key.
 *
 * @throws Error when the CA cannot issue or has expired, or when there is no name
 */
export const issueLeaf = async (order: LeafOrder): Promise<IssuedPair> => {
  const { names, algorithm, nowMs, validityMs } = order;
  const [first] = names;
  if (first === undefined) throw new Error('a leaf needs a name');
  const authority = issuer(order.authority);
  const key = await makeKey(algorithm);
  const publicKey = publicKeyOf(key);
  const hasSubject = first.length <= MOST_COMMON_NAME_CHARACTERS;

  const certificatePem = await authority.issue({
    subject: hasSubject ? commonName(first) : new Name([]),
    publicKey,
    validity: validity(nowMs, nowMs + validityMs, [authority.certificate]),
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      usagesOf(algorithm),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension(
        names.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value }) as const),
        // RFC 5280, 4.2.1.6: critical when there is no subject.
        !hasSubject,
      ),
      await SubjectKeyIdentifierExtension.create(publicKey),
    ],
  });
  return { certificatePem, keyPem: key.export({ type: 'pkcs8', format: 'pem' }) };
};

interface CrossSignedOrder {
  readonly authority: IssuedPair;
  /** `ca-bridge.crt` as stored; may be anything. */
  readonly crossSignedPem: string;
  /** The bundle that callers trust. */
  readonly trustPem: string;
}

/**
 * Selects what of `ca-bridge.crt` belongs behind a leaf: certificates of the signing CA's subject and key, and the ones
 * above them, each signed by the next or by a CA of the bundle. Anything else would make the written Secret unreadable.
 */
export const usableCrossSigned = ({ authority, crossSignedPem, trustPem }: CrossSignedOrder): string => {
  const pair = readCaPair(authority);
  if (!pair.ok) return '';
  const candidates = readBundle(crossSignedPem).certificates;
  const trusted = readBundle(trustPem).certificates;
  const isSigned = (child: NodeCertificate): boolean =>
    [...trusted, ...candidates].some(
      (parent) =>
        parent.fingerprint256 !== child.fingerprint256 && child.checkIssued(parent) && child.verify(parent.publicKey),
    );
  const usable = candidates.filter(
    (certificate) => goParseError(certificate) === null && certificate.ca && isSigned(certificate),
  );
  const isOfCa = ({ subject, publicKey }: NodeCertificate): boolean =>
    subject === pair.certificate.subject && publicKey.equals(pair.certificate.publicKey);
  return usable.some(isOfCa) ? usable.map(String).join('') : '';
};

interface IssuedChain {
  /** `tls.crt` as it would be written. */
  readonly chainPem: string;
  readonly authority: IssuedPair;
  readonly names: readonly string[];
  readonly nowMs: number;
}

/** Verifies a chain against the CA that issued it, as a client that trusts only this CA; null when it would accept it. */
export const verifyIssued = ({ chainPem, authority, names, nowMs }: IssuedChain): string | null => {
  const chain = readCertificates(chainPem);
  const pair = readCaPair(authority);
  if (!pair.ok) return pair.detail;
  return (
    names
      .map((name) => verifyPresented(chain, pair.certificate.toString(), name, nowMs))
      .find((fault) => fault !== null) ?? null
  );
};
