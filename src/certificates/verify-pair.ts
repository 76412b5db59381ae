import type { X509Certificate } from 'node:crypto';
import type { VerifiedPair } from '../../streams/model.ts';
import { sha256Hex } from '../util/hash.ts';
import { describeCertificate, missingNames } from './certificate-info.ts';
import { readBundle, readCertificates, withoutByteOrderMark } from './pem.ts';
import { keyMismatch, privateKey } from './private-key.ts';
import { type ChainFault, goParseError, mayServe, verifyChain } from './verify-chain.ts';

/** Why a pair must not be served. */
export type PairFault =
  /** tls.crt differs from the announced one. */
  | 'hash-mismatch'
  /** tls.crt is torn or contains no PEM certificate. */
  | 'not-pem'
  /** tls.key is torn, contains no private key, or one of a kind that Node or the API server cannot use. */
  | 'key-unusable'
  /** tls.key is protected by a passphrase; there is no way to enter one. */
  | 'key-encrypted'
  /** The key belongs to another certificate. */
  | 'key-mismatch'
  | 'expired'
  | 'not-yet-valid'
  /** The extended key usage forbids serving TLS. */
  | 'not-for-servers'
  | 'missing-names'
  /** ca.crt is absent, torn or empty. */
  | 'trust-unreadable'
  | 'untrusted-chain'
  /** The certificate or its key cannot be parsed at all. */
  | 'tls-refused';

export interface Fault {
  readonly reason: PairFault;
  /** What the chain fails by; null where that is no matter, or it is no fault of the chain. */
  readonly chainFault: ChainFault | null;
  /** One line for a log; never any of the key or the PEM. */
  readonly detail: string;
  /** The same bytes may pass later. */
  readonly retryable: boolean;
}

/** Builds a fault. It is permanent until the bytes change, unless `retryable` says that it may pass later. */
const fault = (reason: PairFault, detail: string, retryable = false): Fault => ({
  reason,
  chainFault: null,
  detail,
  retryable,
});

const chainFault = (detail: string, by: ChainFault | null, retryable = false): Fault => ({
  ...fault('untrusted-chain', detail, retryable),
  chainFault: by,
});

export interface PairFiles {
  readonly certificate: Buffer;
  readonly key: Buffer;
  readonly trust: Buffer | null;
}

export interface PairExpectation {
  /** Announced SHA-256 of tls.crt. */
  readonly hash: string;
  readonly generation: string;
  /** Every name that clients connect to. */
  readonly names: readonly string[];
  readonly nowMs: number;
  /** Another program issues the certificate: usage, names and chain are then reported, but do not block. */
  readonly external: boolean;
  /** A pair without ca.crt may be served: callers know its CA from elsewhere. */
  readonly mayLackTrust?: boolean;
}

/**
 * A verified pair with its bytes, for the TLS server. The certificate is encoded anew from what was parsed: OpenSSL accepts
 * more labels and other line ends than this parser, and might find another leaf in the file than the verified one.
 */
export interface ServablePair extends VerifiedPair, PairFiles {}

type PairResult = { readonly ok: true; readonly pair: ServablePair } | ({ readonly ok: false } & Fault);

/**
 * Verifies that these bytes may be served (law F1): the leaf is the announced one, its key belongs to it, it is valid now,
 * carries the names and chains to the mounted bundle, all by the rules of a Go client. This happens before the server
 * switches to the pair, so that a certificate that callers refuse never replaces one that they accept. The TLS library
 * may refuse further pairs (a key that is too short) when they are served; the previous one then stays. Never throws.
 */
export const verifyPair = (files: PairFiles, expectation: PairExpectation): PairResult => {
  try {
    return checkPair(files, expectation);
  } catch (error) {
    return reject('tls-refused', messageOf(error));
  }
};

/**
 * Everything that a client would refuse about what a server presented in a handshake, by the same rules; it reports the
 * first. Nothing is said about a chain when there is no anchor.
 */
export const presentedFaults = (
  [leaf, ...intermediates]: readonly X509Certificate[],
  anchors: readonly X509Certificate[],
  name: string,
  nowMs: number,
): readonly Fault[] => {
  if (leaf === undefined) return [];
  const untimely = validityFault(leaf, nowMs);
  const faults = clientFaults({ leaf, intermediates, anchors, names: [name], nowMs });
  return untimely === null ? faults : [untimely, ...faults];
};

/**
 * Verifies what a server presented in a handshake, by the same rules.
 *
 * @returns why a client would refuse it, or null when it would not
 */
export const verifyPresented = (
  [leaf, ...intermediates]: readonly X509Certificate[],
  trust: Buffer | string,
  name: string,
  nowMs: number,
): string | null => {
  if (leaf === undefined) return 'no certificate was presented';
  const expired = validityFault(leaf, nowMs);
  if (expired !== null) return expired.detail;
  const anchors = readBundle(trust).certificates;
  if (anchors.length === 0) return 'the trust bundle holds no certificate';
  const [first] = clientFaults({ leaf, intermediates, anchors, names: [name], nowMs });
  return first?.detail ?? null;
};

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : 'unknown error');

const reject = (...why: Parameters<typeof fault>): PairResult => ({ ok: false, ...fault(...why) });

const validityFault = (leaf: X509Certificate, nowMs: number): Fault | null => {
  const { validFromDate: from, validToDate: to } = leaf;
  if (nowMs < from.getTime()) return fault('not-yet-valid', `valid from ${from.toISOString()} only`, true);
  return nowMs < to.getTime() ? null : fault('expired', `expired at ${to.toISOString()}`);
};

const parse = (pem: Buffer): readonly X509Certificate[] | string => {
  try {
    return readCertificates(pem);
  } catch (error) {
    return messageOf(error);
  }
};

interface Anchors {
  readonly certificates: readonly X509Certificate[];
  /** What could not be read of ca.crt. */
  readonly problems: readonly string[];
}

const readAnchors = (trust: Buffer | null): Anchors => {
  if (trust === null) return { certificates: [], problems: ['no ca.crt is mounted'] };
  const { certificates, problems } = readBundle(trust);
  if (certificates.length > 0 || problems.length > 0)
    return { certificates, problems: problems.map((problem) => `ca.crt: ${problem}`) };
  return { certificates, problems: ['ca.crt holds no certificate'] };
};

const checkPair = (files: PairFiles, expectation: PairExpectation): PairResult => {
  const { certificate, key, trust } = files;
  const { names, nowMs } = expectation;

  const hash = sha256Hex(certificate);
  if (hash !== expectation.hash) return reject('hash-mismatch', `announced ${expectation.hash}, mounted ${hash}`);

  const chain = parse(certificate);
  if (typeof chain === 'string') return reject('not-pem', `tls.crt: ${chain}`);
  const [leaf, ...intermediates] = chain;
  if (leaf === undefined) return reject('not-pem', 'tls.crt holds no PEM certificate');

  const reading = privateKey(key);
  if (!reading.ok) return reject(reading.reason, `tls.key: ${reading.detail}`);
  const mismatch = keyMismatch(chain, reading.key);
  if (mismatch !== null) return reject('key-mismatch', mismatch);

  const untimely = validityFault(leaf, nowMs);
  if (untimely !== null) return { ok: false, ...untimely };

  const anchors = readAnchors(trust);
  const faults = [
    ...clientFaults({ leaf, intermediates, anchors: anchors.certificates, names, nowMs }),
    ...anchors.problems.map((problem) => fault('trust-unreadable', problem)),
  ];
  // A bundle that is readable in part blocks nothing as long as the chain ends in what remains of it.
  const lacksTrust = trust === null || trust.length === 0;
  const blocking =
    anchors.certificates.length === 0 && !(lacksTrust && expectation.mayLackTrust === true)
      ? faults
      : faults.filter(({ reason }) => reason !== 'trust-unreadable');
  const [first] = blocking;
  if (first !== undefined && !expectation.external) return { ok: false, ...first };

  const pair = {
    hash,
    generation: expectation.generation,
    leaf: describeCertificate(leaf),
    bundle: anchors.certificates.map(describeCertificate),
    advice: faults.map(({ reason, detail }) => `${reason}: ${detail}`),
    certificate: Buffer.from(chain.map(String).join('')),
    key: withoutByteOrderMark(key),
    trust: lacksTrust ? null : trust,
  };
  return { ok: true, pair };
};

interface ClientView {
  readonly leaf: X509Certificate;
  readonly intermediates: readonly X509Certificate[];
  readonly anchors: readonly X509Certificate[];
  readonly names: readonly string[];
  readonly nowMs: number;
}

const usageFaults = ({ leaf }: ClientView): readonly Fault[] =>
  mayServe(leaf) ? [] : [fault('not-for-servers', 'the extended key usage of the certificate lacks serverAuth')];

const nameFaults = ({ leaf, names }: ClientView): readonly Fault[] => {
  const missing = missingNames(leaf, names);
  return missing.length === 0 ? [] : [fault('missing-names', `the certificate lacks ${missing.join(', ')}`)];
};

/** Go parses every certificate of the presented chain, also those that the path does not need. */
const parseFaults = ({ intermediates }: ClientView): readonly Fault[] =>
  intermediates.flatMap((certificate, at) => {
    const error = goParseError(certificate);
    return error === null
      ? []
      : [chainFault(`Go refuses the chain for certificate ${at + 2} of tls.crt: ${error}`, 'refused-by-go')];
  });

const chainFaults = ({ leaf, intermediates, anchors, nowMs }: ClientView): readonly Fault[] => {
  // Without any anchor, the reason why ca.crt holds none is the fault to report.
  if (anchors.length === 0) return [];
  const objection = verifyChain({ leaf, intermediates, anchors }, nowMs);
  return objection === null ? [] : [chainFault(objection.detail, objection.by, objection.retryable)];
};

/** What a client would refuse although the server could serve it; the most specific first. */
const clientFaults = (view: ClientView): readonly Fault[] => [
  ...usageFaults(view),
  ...nameFaults(view),
  ...parseFaults(view),
  ...chainFaults(view),
];
