import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';

interface Forwarding {
  readonly to: Dispatcher;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly body: Buffer | Readable;
  /** For the whole exchange, ms. */
  readonly leftMs: number;
  readonly maxBytes: number;
}

export class UpstreamTimeoutError extends Error {}
export class ClientClosedRequest extends Error {}

const texts = (raw: Dispatcher.DispatchController['rawHeaders']): string[] =>
  Array.isArray(raw) ? raw.map((one) => (typeof one === 'string' ? one : one.toString('latin1'))) : [];

const declaredBytes = ({ 'content-length': length }: { readonly 'content-length'?: string | string[] | undefined }) =>
  Number(length ?? 0);

/**
 * Forwards one request and its answer, byte for byte, with back-pressure in both directions.
 *
 * Rejects with {@link UpstreamTimeoutError}, {@link ClientClosedRequest} (the caller disconnected) or the error of the
 * upstream; then nothing more is written to the response, of which a part may already have been sent.
 */
export const forward = ({ to, request, response, body, leftMs, maxBytes }: Forwarding): Promise<void> =>
  new Promise((resolve, reject) => {
    let controller: Dispatcher.DispatchController | null = null;
    let ended: Error | 'done' | null = null;
    let bytes = 0;
    const timer = setTimeout(() => abandon(new UpstreamTimeoutError()), leftMs);
    const tooMuch = () => new Error(`answered with more than ${maxBytes} bytes`);
    const onClose = () => abandon(new ClientClosedRequest());
    const resume = () => controller?.resume();
    const end = (how: Error | 'done') => {
      ended = how;
      clearTimeout(timer);
      response.off('close', onClose).off('drain', resume);
      if (how === 'done') resolve();
      else reject(how);
    };
    const abandon = (reason: Error) => {
      end(reason);
      controller?.abort(reason);
    };
    response.once('close', onClose).on('drain', resume);

    to.dispatch(
      { path: request.url ?? '/', method: 'POST', headers: endToEndHeaders(request.rawHeaders), body },
      {
        onRequestStart(started) {
          controller = started;
          if (ended instanceof Error) started.abort(ended);
        },
        onResponseStart({ rawHeaders }, status, headers) {
          // 1xx concerns the connection to the upstream only.
          if (status < 200 || ended !== null) return;
          if (!request.complete) response.shouldKeepAlive = false;
          if (declaredBytes(headers) > maxBytes) abandon(tooMuch());
          else response.writeHead(status, endToEndHeaders(texts(rawHeaders)));
        },
        onResponseData(from, chunk) {
          if (ended !== null) return;
          bytes += chunk.length;
          if (bytes > maxBytes) abandon(tooMuch());
          else if (!response.write(chunk)) from.pause();
        },
        onResponseEnd() {
          if (ended !== null) return;
          end('done');
          response.end();
        },
        onResponseError: (_controller, error) => end(error),
      },
    );
  });

/** Headers that concern one connection and not the message (RFC 9110, 7.6.1), and `Expect`, which is answered here. */
const hopByHop = new Set([
  'connection',
  'expect',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Returns the raw header list (name, value, name, value …) without the hop-by-hop headers. */
const endToEndHeaders = (raw: readonly string[]): string[] => {
  const named = new Set<string>();
  for (let i = 0; i < raw.length; i += 2) {
    if (raw[i]?.toLowerCase() !== 'connection') continue;
    for (const name of raw[i + 1]?.split(',') ?? []) named.add(name.trim().toLowerCase());
  }
  const kept: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] ?? '';
    const lowerCase = name.toLowerCase();
    if (!hopByHop.has(lowerCase) && !named.has(lowerCase)) kept.push(name, raw[i + 1] ?? '');
  }
  return kept;
};
