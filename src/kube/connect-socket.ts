import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import type { buildConnector } from 'undici';

/** Within this a network either connects or has lost the packet; a request's own deadline is longer. */
const connectTimeoutMs = 5_000;

/** As client-go: well below the idle limit of cloud load balancers. Node then probes ten times, a second apart. */
const keepAliveAfterMs = 30_000;

/**
 * Opens sockets for the pool: HTTP/1.1 only, TCP keep-alive on.
 *
 * @param onOpening Told of each socket at once, while it is still connecting, so that it can be given up.
 */
export function connectSocket(tls: ConnectionOptions, onOpening: (socket: Socket) => void): buildConnector.connector {
  return ({ hostname, port, protocol }, callback) => {
    const secure = protocol === 'https:';
    const target = { host: hostname, port: Number(port || (secure ? 443 : 80)) };
    const servername = tls.servername ?? (isIP(hostname) === 0 ? hostname : '');
    const socket = secure
      ? connectTls({ ...tls, ...target, servername, ALPNProtocols: ['http/1.1'] })
      : connectTcp(target);
    socket.setKeepAlive(true, keepAliveAfterMs).setNoDelay(true);
    const timer = setTimeout(() => {
      socket.destroy(new Error(`no connection within ${connectTimeoutMs / 1000} s`));
    }, connectTimeoutMs);
    let settled = false;
    // Stays on for the socket's life: an error without a listener ends the process.
    socket.on('error', (error) => {
      clearTimeout(timer);
      // After a record that cannot be decrypted Node leaves a TLS socket open, until the peer ends it, if ever.
      socket.destroy(error);
      if (!settled) callback(error, null);
      settled = true;
    });
    socket.once(secure ? 'secureConnect' : 'connect', () => {
      clearTimeout(timer);
      settled = true;
      callback(null, socket);
    });
    onOpening(socket);
  };
}
