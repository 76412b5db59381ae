import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { type Answer, answerResource } from './answer-resource.ts';
import * as failures from './failures.ts';
import type { Json } from './kube-object.ts';
import type { ObjectStore } from './object-store.ts';
import { acceptedRepresentation, represented } from './representation.ts';
import { discovery } from './resource-types.ts';
import { type ResourceRequest, route } from './route.ts';
import { serveWatch, type WatchLine, type WatchTally } from './serve-watch.ts';
import { authenticate, authorize, isAnonymous, type User } from './users.ts';

interface ListenerOptions {
  readonly store: ObjectStore;
  /** Grows while the server runs. */
  readonly users: readonly User[];
  readonly log: RequestLog;
  readonly watchEvents: WatchTally;
  readonly bookmarkIntervalMs: number;
  /** Resolves when requests may proceed; pending while the server is frozen. */
  thawed(): Promise<void>;
  /** Called for each watch that starts. */
  onWatch(response: ServerResponse): void;
}

const send = (response: ServerResponse, { code, body }: Answer) => {
  const isText = typeof body === 'string';
  response.writeHead(code, { 'content-type': isText ? 'text/plain; charset=utf-8' : 'application/json' });
  response.end(isText ? body : `${JSON.stringify(body)}\n`);
};

const answerPath = (user: User, method: string, path: string): Answer => {
  const body = discovery.get(path);
  const isOpenToAll = typeof body === 'string' || path === '/version';
  if (isAnonymous(user) ? !isOpenToAll : body === undefined && user.rules !== undefined) {
    throw failures.pathForbidden(user.user, method.toLowerCase(), path);
  }
  return body === undefined ? { code: 404, body: '404 page not found' } : { code: 200, body };
};

const authorizeResource = (user: User, { type, verb, subresource, namespace, name }: ResourceRequest) => {
  // Every authenticated user may review its own permissions.
  if (!type.isStored && !isAnonymous(user)) return;
  authorize(user, type, { verb, group: type.group, resource: type.resource, subresource, namespace, name });
};

const writeDetails = async (incoming: IncomingMessage, query: URLSearchParams) => ({
  body: await readBody(incoming),
  contentType: incoming.headers['content-type'] ?? 'application/json',
  manager: query.get('fieldManager') ?? incoming.headers['user-agent']?.split('/')[0] ?? 'unknown',
  isDryRun: query.get('dryRun') === 'All',
});

/** Handles every request: authentication, authorization, execution. */
export const apiListener =
  (options: ListenerOptions): RequestListener =>
  (incoming, response) => {
    const { store, log } = options;
    const method = incoming.method ?? 'GET';
    const url = new URL(incoming.url ?? '/', 'https://localhost');
    const found = route(method, url);
    const request = found.to === 'resource' ? found.request : null;
    let user = '';
    const note = (code: number) => {
      const { namespace = null, name = null, subresource = null } = request ?? {};
      const asked = { verb: request?.verb ?? method, resource: request?.type.resource ?? null };
      log.append({ atMs: Date.now(), user, ...asked, subresource, namespace, name, code } satisfies LoggedRequest);
    };
    const answer = async (): Promise<Answer | null> => {
      const caller = authenticate(options.users, incoming.headers.authorization);
      user = caller.user;
      if (found.to === 'nothing') throw failures.noSuchResource();
      if (found.to === 'unfit') throw failures.methodNotAllowed();
      if (found.to === 'path') return answerPath(caller, method, found.path);
      authorizeResource(caller, found.request);
      const representation = acceptedRepresentation(incoming.headers.accept);
      if (found.request.verb !== 'watch') {
        const details = await writeDetails(incoming, url.searchParams);
        const { code, body } = answerResource(store, caller, { ...found.request, ...details });
        return { code, body: typeof body === 'string' ? body : represented(representation, body) };
      }
      const onLine = (type: WatchLine['type']) => options.watchEvents.add(user, type);
      serveWatch(store, found.request, response, { ...options, representation, onLine });
      options.onWatch(response);
      note(200);
      return null;
    };
    options
      .thawed()
      .then(answer)
      .catch((error: unknown) => {
        if (error instanceof failures.ApiFailure) return { code: error.status.code, body: error.status };
        // A bug, or a client that disconnected while it sent its body: neither must end the process.
        const { status } = new failures.ApiFailure(500, 'InternalError', `Internal error: ${String(error)}`);
        return { code: status.code, body: status };
      })
      .then((result) => {
        if (result === null || response.writableEnded) return;
        note(result.code);
        send(response, result);
      })
      .catch(() => response.destroy());
  };

/** Same limit as kube-apiserver. */
const LIMIT_BYTES = 3 * 1_024 * 1_024;

/** Reads the JSON body of a request; undefined when it has none. @throws ApiFailure 400, 413; 415 for protobuf or YAML */
const readBody = async (request: IncomingMessage): Promise<Json | undefined> => {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > LIMIT_BYTES) throw failures.tooLarge();
    chunks.push(chunk);
  }
  if (sizeBytes === 0) return undefined;
  const { 'content-type': contentType = 'application/json' } = request.headers;
  if (!contentType.includes('json')) throw failures.unsupportedMediaType(['application/json']);
  try {
    return JSON.parse(Buffer.concat(chunks).toString()) as Json;
  } catch {
    throw failures.badRequest('the object provided is unrecognized: it is not JSON');
  }
};

/** One answered request. */
interface LoggedRequest {
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  readonly user: string;
  /** A Kubernetes verb, or the HTTP method for a path outside the API groups. */
  readonly verb: string;
  /** The plural; null for a path outside the API groups. */
  readonly resource: string | null;
  readonly subresource: string | null;
  readonly namespace: string | null;
  readonly name: string | null;
  /** The HTTP status. A watch is logged when it starts. */
  readonly code: number;
}

/** The latest requests, for specs that count calls. */
export class RequestLog {
  readonly #limit: number;
  readonly #entries: LoggedRequest[] = [];
  #total = 0;

  constructor(limit = 10_000) {
    this.#limit = limit;
  }

  /** Oldest first; beyond the limit the oldest are dropped. */
  get entries(): readonly LoggedRequest[] {
    return this.#entries;
  }

  /** Number of all requests, dropped ones included. */
  get total(): number {
    return this.#total;
  }

  append(entry: LoggedRequest): void {
    this.#total += 1;
    this.#entries.push(entry);
    if (this.#entries.length > this.#limit) this.#entries.shift();
  }

  /** Number of kept requests that match every given field, such as `{ verb: 'patch', resource: 'leases' }`. */
  count(fields: Partial<LoggedRequest>): number {
    const parts = Object.entries(fields) as [keyof LoggedRequest, unknown][];
    return this.#entries.filter((entry) => parts.every(([key, value]) => entry[key] === value)).length;
  }

  clear(): void {
    this.#entries.length = 0;
  }
}
