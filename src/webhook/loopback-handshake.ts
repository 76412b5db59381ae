import type { X509Certificate } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { connect, type ConnectionOptions, createSecureContext, type SecureContext } from 'node:tls';
import { Problem } from '../../streams/problem.ts';
import { verifyPresented } from '../certificates/verify-pair.ts';
import { sha256Hex } from '../util/hash.ts';

export interface Handshake {
  /** Lower-case hex SHA-256 of the DER of the leaf that was presented. */
  readonly fingerprint: string;
}

const LOOPBACKS = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
];

/** The addresses to dial. A wildcard cannot be dialled; where IPv6 is off, `::` still listens but only IPv4 is reachable. */
const addressesOf = ({ address }: AddressInfo) =>
  address === '::' || address === '0.0.0.0' ? LOOPBACKS : [{ address, family: address.includes(':') ? 6 : 4 }];

/** The certificates that the server presented, leaf first. Bounded, since a root names itself as its issuer. */
export const presentedChain = (leaf: X509Certificate): readonly X509Certificate[] => {
  const chain: X509Certificate[] = [];
  let next: X509Certificate | undefined = leaf;
  while (next !== undefined && !chain.some(({ fingerprint256 }) => fingerprint256 === next?.fingerprint256)) {
    chain.push(next);
    next = next.issuerCertificate;
  }
  return chain;
};

/** What one TLS handshake showed. */
export type Shown =
  | {
      readonly type: 'certificates';
      /** Leaf first. */ readonly chain: readonly [X509Certificate, ...X509Certificate[]];
    }
  /** The server could be reached, and the handshake did not come to a certificate. */
  | { readonly type: 'none'; readonly detail: string }
  /** There was no connection. */
  | {
      readonly type: 'unreachable';
      readonly detail: string;
      /** Of the system call: ECONNREFUSED. */ readonly code: string;
    };

/** One for all handshakes: a context of OpenSSL takes a hundred kilobytes, which only the garbage collector gives back. */
let context: SecureContext | null = null;

/** Makes one TLS handshake and closes the connection. Verifies nothing. Never rejects. */
export const shakeHands = (target: ConnectionOptions, servername: string, timeoutMs = 5_000): Promise<Shown> =>
  new Promise((resolve) => {
    const secureContext = (context ??= createSecureContext({ ca: [] }));
    const socket = connect({
      ALPNProtocols: ['http/1.1'],
      ...target,
      servername,
      rejectUnauthorized: false,
      secureContext,
    });
    let isConnected = false;
    const end = (shown: Shown) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(shown);
    };
    const fail = (detail: string, code = '') =>
      end(isConnected ? { type: 'none', detail } : { type: 'unreachable', detail, code });
    const timer = setTimeout(() => fail(`no answer within ${timeoutMs} ms`), timeoutMs);
    socket.once('connect', () => (isConnected = true));
    // OpenSSL's own reason, without the number of a thread in it.
    socket.on('error', (error: NodeJS.ErrnoException & { readonly reason?: string }) =>
      fail(error.reason ?? error.message, error.code),
    );
    socket.once('end', () => fail('the server closed the connection'));
    socket.once('secureConnect', () => {
      const leaf = socket.getPeerX509Certificate();
      const [first, ...rest] = leaf === undefined ? [] : presentedChain(leaf);
      if (first === undefined) {
        fail('no certificate was presented');
        return;
      }
      clearTimeout(timer);
      // An end in good order, so that no server counts a connection that was reset; but not every server closes its side.
      socket.setTimeout(timeoutMs, () => socket.destroy()).end();
      resolve({ type: 'certificates', chain: [first, ...rest] });
    });
  });

/**
 * Makes one TLS handshake with the server at this address. The presented certificate must carry the name and chain to
 * `trust` (PEM) by the rules of kube-apiserver's verifier, not of OpenSSL, which refuses some certificates that calls
 * accept: the pair has passed the same rules before, and a stricter answer after the swap would take every replica out.
 * With `trust` null the handshake alone counts.
 *
 * @throws Problem with the reason why a caller would refuse
 */
export const loopbackHandshake = async (
  address: AddressInfo,
  servername: string,
  trust: Buffer | string | null,
  timeoutMs = 5_000,
): Promise<Handshake> => {
  const target: ConnectionOptions = {
    host: 'loopback',
    port: address.port,
    lookup: (_host, _options, found) => found(null, addressesOf(address)),
  };
  const shown = await shakeHands(target, servername, timeoutMs);
  const failed = (reason: string): Problem => new Problem(`loopback handshake failed: ${reason}`);
  if (shown.type !== 'certificates') throw failed(shown.detail);
  const objection = trust === null ? null : verifyPresented(shown.chain, trust, servername, Date.now());
  if (objection !== null) throw failed(objection);
  return { fingerprint: sha256Hex(shown.chain[0].raw) };
};
