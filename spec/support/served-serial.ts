import { once } from 'node:events';
import { connect } from 'node:tls';

/** Serial of the certificate that a fresh handshake with this loopback port gets, lower-case hex. */
export const servedSerial = async (port: number): Promise<string> => {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const serial = socket.getPeerCertificate().serialNumber.toLowerCase();
  socket.destroy();
  return serial;
};
