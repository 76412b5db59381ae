import { connect, type TLSSocket } from 'node:tls';

/** What the load generator, a process of its own, is to do. */
export interface LoadOrder {
  readonly target: CallerTarget;
  /** Opened for the occasion; each has one request on the way, all the time. */
  readonly connections: number;
  readonly ms: number;
}

/** What came of it. Handshakes are not part of it. */
export interface LoadResult {
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Share of a core that the generator itself took: near 1, the figure is the generator's. */
  readonly generatorBusy: number;
}

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

/** A process of its own, so that it can have a core of its own. Told by IPC what to do. */
const at = (sorted: Float64Array, share: number): number =>
  sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN;

const callUntil = (endMs: number, latenciesMs: number[]) => (connection: KeepAliveCaller) =>
  new Promise<void>((resolve) => {
    const next = () => {
      const sentMs = performance.now();
      connection.call(() => {
        const nowMs = performance.now();
        latenciesMs.push(nowMs - sentMs);
        if (nowMs < endMs) next();
        else resolve();
      });
    };
    next();
  });

const run = async ({ target, connections, ms }: LoadOrder): Promise<LoadResult> => {
  const open = await Promise.all(Array.from({ length: connections }, () => keepAliveCaller(target)));
  const latenciesMs: number[] = [];
  const cpu = process.cpuUsage();
  const startMs = performance.now();
  await Promise.all(open.map(callUntil(startMs + ms, latenciesMs)));
  const tookMs = performance.now() - startMs;
  const { user, system } = process.cpuUsage(cpu);
  for (const connection of open) connection[Symbol.dispose]();
  const sorted = Float64Array.from(latenciesMs).sort();
  return {
    requests: sorted.length,
    requestsPerSecond: sorted.length / (tookMs / 1_000),
    p50Ms: at(sorted, 0.5),
    p99Ms: at(sorted, 0.99),
    generatorBusy: (user + system) / 1_000 / tookMs,
  };
};

process.on('message', (order: LoadOrder) => {
  void run(order).then((result) => process.send?.(result));
});
process.on('disconnect', () => process.exit());
