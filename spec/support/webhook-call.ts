import { once } from 'node:events';
import { Agent, request, type RequestOptions } from 'node:https';
import { connect, type ConnectionOptions, TLSSocket } from 'node:tls';
import { pairs } from './plain-webhook-server.ts';

export interface Answer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly text: string;
  /** SHA-256 of the certificate that answered, as OpenSSL prints it. */
  readonly certificate: string;
}

export interface Call extends RequestOptions {
  readonly port: number;
  readonly body?: string | Buffer;
}

const trust = () => pairs().map(({ ca }) => ca);

/** A client that trusts both test authorities and knows the server by its name. */
export const clientAgent = (options: { readonly keepAlive: boolean }): Agent =>
  new Agent({ ...options, ca: trust(), servername: 'hook.ns.svc', maxCachedSessions: 0 });

/** One POST of JSON, unless told otherwise. */
export const call = ({ body = '{}', ...options }: Call): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: '127.0.0.1',
        servername: 'hook.ns.svc',
        ca: trust(),
        agent: false,
        method: 'POST',
        ...options,
        headers: { 'content-type': 'application/json', ...(options.headers as Record<string, string> | undefined) },
      },
      (incoming) => {
        const certificate =
          incoming.socket instanceof TLSSocket ? incoming.socket.getPeerX509Certificate()?.fingerprint256 : undefined;
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.once('error', reject);
        incoming.once('end', () =>
          resolve({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            text: Buffer.concat(chunks).toString(),
            certificate: certificate ?? '',
          }),
        );
      },
    );
    outgoing.once('error', reject);
    outgoing.end(body);
  });

/** A bare TLS connection, for saying what no HTTP client would. */
export const dial = async (port: number, options: ConnectionOptions = {}): Promise<TLSSocket> => {
  const socket = connect({ host: '127.0.0.1', port, servername: 'hook.ns.svc', ca: trust(), ...options });
  await once(socket, 'secureConnect');
  return socket;
};

/** Everything the other side says until it closes; a reset ends it too. */
export const heard = (socket: NodeJS.ReadableStream): Promise<string> =>
  new Promise((resolve) => {
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    // A write may fail after the read has.
    socket.on('error', () => resolve(text));
    socket.once('close', () => resolve(text));
  });
