import type { X509Certificate } from 'node:crypto';
import type { ConnectionOptions } from 'node:tls';
import type { NotShown, VerifiedPair } from '../../streams/model.ts';
import { describeCertificate } from '../certificates/certificate-info.ts';
import { type ServablePair, verifyPresented } from '../certificates/verify-pair.ts';
import { addressText, type ServingAddress } from '../config/addresses.ts';
import { sha256Hex } from '../util/hash.ts';
import { rfc3339Seconds } from '../util/time.ts';
import { shakeHands, type Shown } from './loopback-handshake.ts';
import type { Reloader } from './reload.ts';

export interface NeighbourOptions {
  readonly address: ServingAddress;
  /** The name that the API server calls, `svc.ns.svc`. */
  readonly servername: string;
  /** Whether what is shown must verify against the mounted CA bundle; else the handshake alone counts. */
  readonly verifies: boolean;
  /** Null where the server notices a new certificate by itself. */
  readonly reloader: Reloader | null;
  /** Called when a pair is seen that was not seen before, or not in the handshake before. */
  readonly onProven: (pair: VerifiedPair, handshakes: number) => void;
  readonly wallMs?: () => number;
}

/** A server that terminates TLS itself with the mounted pair. All that can be known about it is what its handshakes show. */
export interface Neighbour {
  /**
   * Shakes hands under the Service's name until enough handshakes in a row have shown this pair. Asks for a reload where
   * one shows another certificate.
   *
   * @returns null when it shows the pair and callers accept it; why they refuse it; or what it shows instead
   */
  readonly prove: (pair: ServablePair) => Promise<string | NotShown | null>;
}

/**
 * Handshakes that must show a pair in a row before it counts as served: several workers may listen on one port, and each
 * handshake meets one of them. Where a run was once cut short by another certificate, twice its length is required.
 */
const RUN = 8;
const LONGEST_RUN = 64;
/** At once, so that an idle worker does not take them all. */
const PARALLEL = 4;
/** Pairs whose hash is remembered by their leaf. */
const REMEMBERED = 16;

/** Tells whether two handshakes have shown the same certificates. */
const chainText = (chain: readonly X509Certificate[]): string => chain.map(fingerprintOf).join();

const fingerprintOf = ({ raw }: X509Certificate): string => sha256Hex(raw);

/** As kube-apiserver calls. */
const ALPNProtocols = ['h2', 'http/1.1'];

const targetOf = (address: ServingAddress): ConnectionOptions =>
  address.kind === 'unix'
    ? { path: address.path, ALPNProtocols }
    : { host: address.host, port: address.port, ALPNProtocols };

export const neighbour = (options: NeighbourOptions): Neighbour => {
  const { address, servername, verifies, reloader, onProven, wallMs = Date.now } = options;
  const target = targetOf(address);
  const hashes = new Map<string, string>();
  /** What the last handshakes have proven: the leaf, the bundle that it was verified against, and the whole chain. */
  let proven: { readonly leaf: string; readonly trust: Buffer | null; readonly chain: string } | null = null;
  let run = RUN;
  /** What is wrong, and since when it has been. */
  let fault: { readonly what: string; readonly sinceMs: number } | null = null;

  const sinceOf = (what: string): string => {
    if (fault?.what !== what) fault = { what, sinceMs: wallMs() };
    return `since ${rfc3339Seconds(fault.sinceMs)}`;
  };

  const remember = ({ leaf, hash }: VerifiedPair): void => {
    hashes.delete(leaf.fingerprint);
    hashes.set(leaf.fingerprint, hash);
    for (const oldest of hashes.keys()) if (hashes.size > REMEMBERED) hashes.delete(oldest);
  };

  const refusal = (chain: readonly X509Certificate[], { trust }: ServablePair): string | null => {
    // The same certificates under the same bundle: readiness knows when they end.
    if (proven !== null && trust !== null && proven.trust?.equals(trust) && proven.chain === chainText(chain))
      return null;
    return verifies && trust !== null ? verifyPresented(chain, trust, servername, wallMs()) : null;
  };

  /** What a handshake shows that is not the pair. */
  const notShown = (shown: Shown, pair: ServablePair, seen: number): NotShown => {
    if (shown.type === 'unreachable') {
      const what = `${addressText(address)}: ${reasonOf(shown)}`;
      return { kind: 'neighbour-unreachable', detail: `${what} ${sinceOf(what)}`, shown: null, refused: null };
    }
    if (shown.type === 'none') {
      const what = `${addressText(address)}: ${shown.detail}`;
      return { kind: 'neighbour-shows-no-certificate', detail: `${what} ${sinceOf(what)}`, shown: null, refused: null };
    }
    const { chain } = shown;
    const leaf = describeCertificate(chain[0]);
    // A hash that was never mounted here is computed as tls.crt is usually written.
    const hash = hashes.get(leaf.fingerprint) ?? sha256Hex(Buffer.from(chain.map(String).join('')));
    const refused = refusal(chain, pair);
    const beside = seen === 0 ? '' : ` beside ${pair.hash}`;
    const why = refused === null ? '' : ` (callers refuse it: ${refused})`;
    const what = `neighbour shows ${hash}${beside}`;
    return {
      kind: 'served-elsewhere',
      detail: `${what} ${sinceOf(what)}${why}`,
      shown: { hash, generation: '', leaf, bundle: pair.bundle, advice: refused === null ? [] : [refused] },
      refused,
    };
  };

  const shows = (shown: Shown, { leaf }: VerifiedPair): shown is Extract<Shown, { type: 'certificates' }> =>
    shown.type === 'certificates' && fingerprintOf(shown.chain[0]) === leaf.fingerprint;

  const prove: Neighbour['prove'] = async (pair) => {
    remember(pair);
    let seen = 0;
    const isReview = proven?.leaf === pair.leaf.fingerprint;
    const needed = isReview ? 1 : run;
    let chain = '';
    while (seen < needed) {
      // The first one alone: usually it decides.
      const size = seen === 0 ? 1 : Math.min(PARALLEL, needed - seen);
      const answers = await Promise.all(Array.from({ length: size }, () => shakeHands(target, servername)));
      for (const shown of answers) {
        if (!shows(shown, pair)) {
          proven = null;
          run = Math.min(LONGEST_RUN, Math.max(run, 2 * (seen + 1)));
          const found = notShown(shown, pair, seen);
          const failure = shown.type === 'unreachable' ? null : await reloader?.ask(pair.generation);
          return failure == null ? found : { ...found, detail: `${found.detail}; RELOAD failed: ${failure}` };
        }
        const refused = refusal(shown.chain, pair);
        if (refused !== null) return refused;
        chain = chainText(shown.chain);
        seen += 1;
      }
    }
    fault = null;
    if (!isReview) onProven(pair, seen);
    proven = { leaf: pair.leaf.fingerprint, trust: pair.trust, chain };
    return null;
  };
  return { prove };
};

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there (ECONNREFUSED)',
  ENOENT: 'the socket does not exist (ENOENT)',
  EACCES: 'no permission to connect to the socket (EACCES)',
};

const reasonOf = ({ code, detail }: Extract<Shown, { type: 'unreachable' }>): string => REASONS[code] ?? detail;
