import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { isIpAddress } from '../is-ip-address.ts';

/** Within this a network either connects or has lost the packet; a request's own deadline is longer. */
const connectTimeoutMs = 5_000;

/** Opens one connection: HTTP/1.1 only, TCP keep-alive on. A bad one is destroyed with the reason. */
export function connectSocket({ hostname, port, protocol }: URL, tls: ConnectionOptions, keepAliveMs: number): Socket {
  const secure = protocol === 'https:';
  const host = hostname.replace(/^\[|\]$/g, '');
  const target = { host, port: Number(port || (secure ? 443 : 80)) };
  const servername = tls.servername ?? (isIpAddress(host) ? '' : host);
  const socket = secure
    ? connectTls({ ...tls, ...target, servername, ALPNProtocols: ['http/1.1'] })
    : connectTcp(target);
  const timer = setTimeout(() => {
    socket.destroy(new Error(`no connection within ${connectTimeoutMs / 1000} s`));
  }, connectTimeoutMs);
  const settle = (): void => clearTimeout(timer);
  socket.setKeepAlive(true, keepAliveMs).setNoDelay(true);
  // Stays on for the socket's life: an error without a listener ends the process. After a record that cannot be decrypted
  // Node leaves a TLS socket open, until the peer ends it, if ever.
  socket.on('error', (error) => socket.destroy(error));
  socket.once('close', settle).once(secure ? 'secureConnect' : 'connect', settle);
  return socket;
}
