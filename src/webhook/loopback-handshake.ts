import type { X509Certificate } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:tls';
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

/**
 * Makes one TLS handshake with the server at this address. The presented certificate must carry the name and chain to
 * `trust` (PEM) by the rules of kube-apiserver's verifier, not of OpenSSL, which refuses some certificates that calls
 * accept: the pair has passed the same rules before, and a stricter answer after the swap would take every replica out.
 * With `trust` null the handshake alone counts.
 *
 * @throws Problem with the reason why a caller would refuse
 */
export const loopbackHandshake = (
  address: AddressInfo,
  servername: string,
  trust: Buffer | string | null,
  timeoutMs = 5_000,
): Promise<Handshake> =>
  new Promise((resolve, reject) => {
    const socket = connect({
      host: 'loopback',
      port: address.port,
      lookup: (_host, _options, found) => found(null, addressesOf(address)),
      servername,
      ALPNProtocols: ['http/1.1'],
      // Verified below.
      rejectUnauthorized: false,
      ca: [],
    });
    const fail = (reason: string) => {
      socket.destroy();
      reject(new Problem(`loopback handshake failed: ${reason}`));
    };
    const timer = setTimeout(() => fail(`no answer within ${timeoutMs} ms`), timeoutMs);
    socket.once('close', () => clearTimeout(timer));
    socket.on('error', (error) => fail(error.message));
    socket.once('secureConnect', () => {
      const leaf = socket.getPeerX509Certificate();
      const chain = leaf === undefined ? [] : presentedChain(leaf);
      const objection = trust === null ? null : verifyPresented(chain, trust, servername, Date.now());
      if (leaf === undefined) fail('no certificate was presented');
      else if (objection !== null) fail(objection);
      else resolve({ fingerprint: sha256Hex(leaf.raw) });
      socket.end();
    });
  });
