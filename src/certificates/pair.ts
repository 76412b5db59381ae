import type { X509Certificate } from 'node:crypto';
import type { VerifiedPair } from '../../streams/model.ts';
import { clientFaults } from './client-faults.ts';
import { factsOf } from './facts-of.ts';
import { fault } from './fault.ts';
import type { Fault } from './fault.ts';
import { privateKey } from './private-key.ts';
import { readCertificates } from './read-certificates.ts';
import { sha256Hex } from './sha256-hex.ts';

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

export type PairVerdict = { readonly ok: true; readonly pair: ServablePair } | ({ readonly ok: false } & Fault);

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
  const objections = clientFaults({ leaf, intermediates, anchors, names, nowMs });
  const [first] = objections;
  if (first !== undefined && !expectation.external) return { ok: false, ...first };

  const advice = objections.map(({ reason, detail }) => `${reason}: ${detail}`);
  const pair = {
    hash,
    generation: expectation.generation,
    leaf: factsOf(leaf),
    bundle: typeof anchors === 'string' ? [] : anchors.map(factsOf),
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
export const checkPair = (files: PairFiles, expectation: PairExpectation): PairVerdict => {
  try {
    return verdictOf(files, expectation);
  } catch (error) {
    return refuse('tls-refused', messageOf(error));
  }
};
