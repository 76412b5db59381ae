import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:tls';
import type { MountedPair } from '../support/pki.ts';
import type { Endpoint } from './first-answer.ts';

/** The certificate that a fresh verified handshake shows. */
const shown = async ({ port, serverName: servername, ca }: Endpoint): Promise<Buffer> => {
  const socket = connect({ host: '127.0.0.1', port, servername, ca });
  await once(socket, 'secureConnect');
  const { raw } = socket.getPeerCertificate();
  socket.destroy();
  return raw;
};

/** Shakes hands, one after the other, until this certificate is shown. Every handshake must verify. */
export const newHandshake = async (endpoint: Endpoint, { certificate }: MountedPair): Promise<void> => {
  const { raw: wanted } = new X509Certificate(certificate);
  const endMs = performance.now() + 30_000;
  while (!(await shown(endpoint)).equals(wanted)) {
    if (performance.now() > endMs) throw new Error(`port ${endpoint.port} does not take up the new certificate`);
  }
};
