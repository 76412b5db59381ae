import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { messageOf } from './errors.ts';
import { type BindAddress, listen } from './listen.ts';

/** A complete HTTP response. */
export interface Page {
  readonly code: number;
  readonly contentType: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A response that stays open. It receives the response object before anything has been sent. */
export type Stream = (response: ServerResponse) => void;

type Routes = Readonly<Record<string, () => Page | Stream | Promise<Page>>>;

export interface PlainServer extends AsyncDisposable {
  readonly port: number;
}

/** Time limit for a request. Kubelets and scrapers send a few hundred bytes at once; a slower client is neither. */
const SLOW_MS = 5_000;
const MAX_CONNECTIONS = 256;

export const textPage = (code: number, body: string, headers: Readonly<Record<string, string>> = {}): Page => ({
  code,
  contentType: 'text/plain; charset=utf-8',
  body,
  headers,
});

const answer = async (routes: Routes, { method = '', url = '/' }: IncomingMessage): Promise<Page | Stream> => {
  const path = url.split('?', 1)[0] ?? '/';
  const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
  if (route === undefined) return textPage(404, `not found; available: ${Object.keys(routes).join(' ')}\n`);
  if (method !== 'GET' && method !== 'HEAD')
    return textPage(405, 'only GET and HEAD are allowed\n', { Allow: 'GET, HEAD' });
  return await route();
};

const COMMON_HEADERS = { 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' };

const send = (response: ServerResponse, page: Page | Stream): void => {
  for (const [name, value] of Object.entries(COMMON_HEADERS)) response.setHeader(name, value);
  if (typeof page === 'function') {
    if (response.req.method === 'HEAD') response.end();
    else page(response);
    return;
  }
  const { code, contentType, body, headers } = page;
  const length = Buffer.byteLength(body);
  response.writeHead(code, { 'Content-Type': contentType, 'Content-Length': length, ...headers }).end(body);
};

/**
 * Serves a fixed set of pages over plain HTTP, GET and HEAD only.
 *
 * @throws Problem when the address cannot be bound
 */
export const startPlainServer = async (bind: BindAddress, routes: Routes, slowMs = SLOW_MS): Promise<PlainServer> => {
  // Node checks these limits every 30 s. A shorter interval would only cause needless wake-ups.
  const limits = { headersTimeout: slowMs, requestTimeout: slowMs };
  const server = createServer(limits, (request, response) => {
    request.socket.setTimeout(0);
    void answer(routes, request)
      .catch((error: unknown) => textPage(500, `${messageOf(error)}\n`))
      .then((page) => send(response, page));
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.on('connection', (socket) => socket.setTimeout(slowMs, () => socket.destroy()));
  const { port } = await listen(server, bind);
  // A failed accept, such as too many open files, is temporary. Without a listener it would end the process.
  server.on('error', () => undefined);
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await server[Symbol.asyncDispose]();
    },
  };
};
