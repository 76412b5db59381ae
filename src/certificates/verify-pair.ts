import type { X509Certificate } from 'node:crypto';
import type { VerifiedPair } from '../../streams/model.ts';
import { sha256Hex } from '../util/hash.ts';
import { describeCertificate } from './certificate-info.ts';
import { missingNames } from './names.ts';
import { type Fault, fault } from './pair-fault.ts';
import { readCertificates } from './pem.ts';
import { privateKey } from './private-key.ts';
import { verifyChain } from './verify-chain.ts';

export interface PairFiles {
  readonly certificate: Buffer;
  readonly key: Buffer;
  readonly trust: Buffer | null;
}

export interface PairExpectation {
  /** SHA-256 that tls.crt was announced with. */
  readonly hash: string;
  readonly generation: string;
  /** Every name that clients call by. */
  readonly names: readonly string[];
  readonly nowMs: number;
  /** Somebody else issues: usage, names and chain are advice then, not faults. */
  readonly external: boolean;
}

/**
 * A verified pair with its bytes, for the TLS server. The certificate is written anew from what was parsed: OpenSSL knows
 * more labels and other line ends than we do, and might find another leaf in the file than the one that was checked.
 */
export interface ServablePair extends VerifiedPair, PairFiles {}

type PairVerdict = { readonly ok: true; readonly pair: ServablePair } | ({ readonly ok: false } & Fault);

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : 'unknown error');

const refuse = (...why: Parameters<typeof fault>): PairVerdict => ({ ok: false, ...fault(...why) });

const untimeliness = (leaf: X509Certificate, nowMs: number): PairVerdict | null => {
  const { validFromDate: from, validToDate: to } = leaf;
  if (nowMs < from.getTime()) return refuse('not-yet-valid', `valid from ${from.toISOString()} only`, true);
  return nowMs < to.getTime() ? null : refuse('expired', `expired at ${to.toISOString()}`);
};

const parsed = (pem: Buffer): readonly X509Certificate[] | string => {
  try {
    return readCertificates(pem);
  } catch (error) {
    return messageOf(error);
  }
};

/** The authorities of ca.crt, or why there are none. */
const anchorsOf = (trust: Buffer | null): readonly X509Certificate[] | string => {
  if (trust === null) return 'no ca.crt is mounted';
  const found = parsed(trust);
  if (typeof found === 'string') return `ca.crt: ${found}`;
  return found.length === 0 ? 'ca.crt holds no certificate' : found;
};

const verdictOf = (files: PairFiles, expectation: PairExpectation): PairVerdict => {
  const { certificate, key, trust } = files;
  const { names, nowMs } = expectation;

  const hash = sha256Hex(certificate);
  if (hash !== expectation.hash) return refuse('hash-mismatch', `announced ${expectation.hash}, mounted ${hash}`);

  const chain = parsed(certificate);
  if (typeof chain === 'string') return refuse('not-pem', `tls.crt: ${chain}`);
  const [leaf, ...intermediates] = chain;
  if (leaf === undefined) return refuse('not-pem', 'tls.crt holds no PEM certificate');

  const reading = privateKey(key);
  if (!reading.ok) return refuse(reading.reason, `tls.key: ${reading.detail}`);
  if (!leaf.checkPrivateKey(reading.key)) return refuse('key-mismatch', 'tls.key belongs to another certificate');

  const untimely = untimeliness(leaf, nowMs);
  if (untimely !== null) return untimely;

  const anchors = anchorsOf(trust);
  const objections = verifyForClients({ leaf, intermediates, anchors, names, nowMs });
  const [first] = objections;
  if (first !== undefined && !expectation.external) return { ok: false, ...first };

  const advice = objections.map(({ reason, detail }) => `${reason}: ${detail}`);
  const pair = {
    hash,
    generation: expectation.generation,
    leaf: describeCertificate(leaf),
    bundle: typeof anchors === 'string' ? [] : anchors.map(describeCertificate),
    advice,
    certificate: Buffer.from(chain.map(String).join('')),
    key,
    trust,
  };
  return { ok: true, pair };
};

/**
 * Law F1: whether these bytes may be served. The leaf is the announced one, its key belongs to it, it is valid now,
 * carries the names and chains to the mounted bundle. What else the TLS library may find fault with (a key that is too
 * short) it says when the pair is served, and keeps the one before. Never throws.
 */
export const verifyPair = (files: PairFiles, expectation: PairExpectation): PairVerdict => {
  try {
    return verdictOf(files, expectation);
  } catch (error) {
    return refuse('tls-refused', messageOf(error));
  }
};

interface ClientView {
  readonly leaf: X509Certificate;
  readonly intermediates: readonly X509Certificate[];
  /** What ca.crt holds, or why it holds nothing. */
  readonly anchors: readonly X509Certificate[] | string;
  readonly names: readonly string[];
  readonly nowMs: number;
}

/** serverAuth, anyExtendedKeyUsage. */
const SERVER_USAGES: readonly string[] = ['1.3.6.1.5.5.7.3.1', '2.5.29.37.0'];

const usageFaults = ({ leaf }: ClientView): readonly Fault[] => {
  // Node calls it keyUsage but lists the extended ones; none at all means any.
  const usages = leaf.keyUsage as readonly string[] | undefined;
  const fits = usages?.some((oid) => SERVER_USAGES.includes(oid)) ?? true;
  return fits ? [] : [fault('not-for-servers', 'the extended key usage of the certificate lacks serverAuth')];
};

const nameFaults = ({ leaf, names }: ClientView): readonly Fault[] => {
  const missing = missingNames(leaf, names);
  return missing.length === 0 ? [] : [fault('missing-names', `the certificate lacks ${missing.join(', ')}`)];
};

const chainFaults = ({ leaf, intermediates, anchors, nowMs }: ClientView): readonly Fault[] => {
  if (typeof anchors === 'string') return [fault('trust-unreadable', anchors)];
  const objection = verifyChain({ leaf, intermediates, anchors }, nowMs);
  return objection === null ? [] : [fault('untrusted-chain', objection.detail, objection.retryable)];
};

/** What a client would object to although the server could serve it; most telling first. */
const verifyForClients = (view: ClientView): readonly Fault[] => [
  ...usageFaults(view),
  ...nameFaults(view),
  ...chainFaults(view),
];
