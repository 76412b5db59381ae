import { connect, type TLSSocket } from 'node:tls';

export interface CallerTarget {
  readonly port: number;
  readonly servername: string;
  readonly caPem: string;
  readonly path: string;
  readonly body: string;
}

export interface KeepAliveCaller extends Disposable {
  /** Sends the next request; calls back once its whole answer is here. One at a time. */
  call(answered: () => void): void;
}

const HEADER_END = Buffer.from('\r\n\r\n');

/** Bytes of the whole answer that begins here; null while its header is not all there. */
const answerBytes = (received: Buffer): number | null => {
  const headerEnd = received.indexOf(HEADER_END);
  if (headerEnd === -1) return null;
  const header = received.toString('latin1', 0, headerEnd);
  if (!header.startsWith('HTTP/1.1 200 ')) throw new Error(header);
  const [, length] = /^content-length: *(\d+)/im.exec(header) ?? [];
  if (length === undefined) throw new Error(`no Content-Length in ${header}`);
  return headerEnd + HEADER_END.length + Number(length);
};

const opened = (socket: TLSSocket): Promise<void> =>
  new Promise((resolve, reject) => {
    socket.once('secureConnect', resolve).once('error', reject);
  });

/**
 * One TLS connection that sends the same prepared bytes again and again, as cheap as Node can: no HTTP client could keep
 * a server busy from one core. Whatever is not a 200, or closes, throws.
 */
export const keepAliveCaller = async (target: CallerTarget): Promise<KeepAliveCaller> => {
  const { port, servername, caPem: ca, path, body } = target;
  const request = Buffer.from(
    `POST ${path} HTTP/1.1\r\nHost: ${servername}\r\nUser-Agent: kube-apiserver-admission\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nAccept: application/json, */*\r\n` +
      `Content-Type: application/json\r\nAccept-Encoding: gzip\r\n\r\n${body}`,
  );
  const socket = connect({ host: '127.0.0.1', port, servername, ca, ALPNProtocols: ['http/1.1'] });
  await opened(socket);
  socket.setNoDelay(true);
  let onAnswer: (() => void) | null = null;
  let partial: Buffer | null = null;
  let isDisposed = false;

  socket.on('data', (chunk: Buffer) => {
    const received = partial === null ? chunk : Buffer.concat([partial, chunk]);
    const bytes = answerBytes(received);
    const isWhole = bytes !== null && received.length >= bytes;
    partial = isWhole ? null : received;
    if (isWhole) onAnswer?.();
  });
  socket.on('close', () => {
    if (!isDisposed) throw new Error('the server closed a connection');
  });

  return {
    call: (answered) => {
      onAnswer = answered;
      socket.write(request);
    },
    [Symbol.dispose]: () => {
      isDisposed = true;
      socket.destroy();
    },
  };
};
