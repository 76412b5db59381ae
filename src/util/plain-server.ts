import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type Bind, listen } from './listen.ts';

export interface Page {
  readonly code: number;
  readonly contentType: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer that goes on: it is given the response with nothing sent yet. */
export type Stream = (response: ServerResponse) => void;

type Routes = Readonly<Record<string, () => Page | Stream | Promise<Page>>>;

export interface PlainServer extends AsyncDisposable {
  readonly port: number;
}

/** Kubelets and scrapers send a few hundred bytes at once; whoever takes longer is neither. */
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
  if (route === undefined) return textPage(404, `nothing here; there is ${Object.keys(routes).join(' ')}\n`);
  if (method !== 'GET' && method !== 'HEAD') return textPage(405, 'only GET and HEAD\n', { Allow: 'GET, HEAD' });
  return await route();
};

const fixed = { 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' };

const send = (response: ServerResponse, page: Page | Stream): void => {
  for (const [name, value] of Object.entries(fixed)) response.setHeader(name, value);
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
 * A few pages over plain HTTP, GET and HEAD only.
 *
 * @throws Problem when the address cannot be had
 */
export const startPlainServer = async (bind: Bind, routes: Routes, slowMs = SLOW_MS): Promise<PlainServer> => {
  // Node looks for these every 30 s; any oftener, and it would wake up for nobody.
  const limits = { headersTimeout: slowMs, requestTimeout: slowMs };
  const server = createServer(limits, (request, response) => {
    request.socket.setTimeout(0);
    void answer(routes, request)
      .catch((error: unknown) => textPage(500, `${error instanceof Error ? error.message : String(error)}\n`))
      .then((page) => send(response, page));
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.on('connection', (socket) => socket.setTimeout(slowMs, () => socket.destroy()));
  const { port } = await listen(server, bind);
  // A failed accept (too many open files) passes; a listener keeps it from ending the process.
  server.on('error', () => undefined);
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await server[Symbol.asyncDispose]();
    },
  };
};
