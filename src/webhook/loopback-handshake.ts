import { createHash } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:tls';
import { Problem } from '../../streams/problem.ts';

export interface Handshake {
  /** Lower-case hex SHA-256 of the DER of the leaf that was presented. */
  readonly fingerprint: string;
}

const loopbacks = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
];

// A wildcard cannot be dialled; where IPv6 is switched off `::` still listens, yet only IPv4 can be reached.
const reach = ({ address }: AddressInfo) =>
  address === '::' || address === '0.0.0.0' ? loopbacks : [{ address, family: address.includes(':') ? 6 : 4 }];

/**
 * One real TLS handshake with the server at this address, as a caller would make it: the certificate must carry the
 * name and chain to `trust` (PEM). With `trust` null the handshake alone is what counts.
 *
 * @throws Problem saying why a caller would have refused.
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
      lookup: (_host, _options, found) => found(null, reach(address)),
      servername,
      ALPNProtocols: ['http/1.1'],
      rejectUnauthorized: trust !== null,
      ...(trust === null ? {} : { ca: trust }),
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
      if (leaf === undefined) fail('no certificate was presented');
      else resolve({ fingerprint: createHash('sha256').update(leaf.raw).digest('hex') });
      socket.end();
    });
  });
