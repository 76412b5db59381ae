import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:tls';

export interface HandshakeParties {
  readonly certificate: string | Buffer;
  readonly key: string | Buffer;
  /** What the client trusts. */
  readonly trust: string | Buffer;
  readonly servername: string;
}

/** One real TLS handshake on loopback: null when the client verified the server, else the code of its refusal. */
export const handshakeError = async ({ certificate, key, trust, servername }: HandshakeParties) => {
  const server = createServer({ cert: certificate, key, minVersion: 'TLSv1.3' }, (socket) => socket.end());
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = connect({ host: '127.0.0.1', port, ca: trust, servername });
  try {
    await once(client, 'secureConnect');
    return null;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown';
  } finally {
    client.destroy();
    server.close();
    await once(server, 'close');
  }
};
