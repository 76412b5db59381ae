import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { openWatch, type RawWatch } from './raw-watch.ts';

/** Parsed JSON as it came: specs look into it freely, so `get` walks it by path. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The value at a path such as `at('metadata', 'name')`, or undefined. Without a path, the whole body. */
  at(...path: readonly (string | number)[]): Json | undefined;
}

const JSON_TYPE = 'application/json';

/** Content types of a PATCH by the short names the specs use. */
const patchTypes = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
} as const;

export interface RawApi extends Disposable {
  /** @param accept the representation to ask for; JSON by default */
  get(path: string, accept?: string): Promise<RawAnswer>;
  post(path: string, body: Json): Promise<RawAnswer>;
  put(path: string, body: Json): Promise<RawAnswer>;
  patch(kind: keyof typeof patchTypes, path: string, body: Json): Promise<RawAnswer>;
  delete(path: string, body?: Json): Promise<RawAnswer>;
  /** Opens a watch and resolves once the headers are there; `path` carries the query, `watch=true` is added. */
  watch(path: string, accept?: string): Promise<RawWatch>;
}

/** The value at a path inside parsed JSON, or undefined. */
export const valueAt = (json: Json | undefined, path: readonly (string | number)[]): Json | undefined =>
  path.reduce<Json | undefined>(
    (value, key) =>
      typeof value === 'object' && value !== null ? (value as Readonly<Record<string, Json>>)[key] : undefined,
    json,
  );

const read = async (message: IncomingMessage): Promise<RawAnswer> => {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  const isJson = message.headers['content-type']?.startsWith('application/json') === true;
  const body = isJson ? (JSON.parse(text) as Json) : undefined;
  return {
    status: message.statusCode ?? 0,
    headers: message.headers,
    text,
    at: (...path) => valueAt(body, path),
  };
};

/** A client that knows nothing of Kubernetes but HTTPS and JSON, so that specs see exactly what the server says. */
export const rawApi = (access: { readonly url: string; readonly caPem: string; readonly token?: string }): RawApi => {
  const agent = new Agent({ ca: access.caPem, keepAlive: true });
  const send = (method: string, path: string, body?: Json, contentType = JSON_TYPE, accept = JSON_TYPE) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      // The length is told by hand: for a DELETE, Node would send the body without any.
      const text = body === undefined ? undefined : JSON.stringify(body);
      const outgoing = request(new URL(path, access.url), {
        agent,
        method,
        headers: {
          'user-agent': 'raw-api/1.0 (spec)',
          accept,
          ...(text === undefined ? {} : { 'content-type': contentType, 'content-length': Buffer.byteLength(text) }),
          ...(access.token === undefined ? {} : { authorization: `Bearer ${access.token}` }),
        },
      });
      let isAnswered = false;
      outgoing.on('response', (answer) => {
        isAnswered = true;
        resolve(answer);
      });
      outgoing.on('error', (error) => {
        // What breaks after the answer has begun is told by the answer itself.
        if (isAnswered) return;
        // The server closed an idle connection in the very moment this request took it.
        if (outgoing.reusedSocket) send(method, path, body, contentType, accept).then(resolve, reject);
        else reject(error);
      });
      outgoing.end(text);
    });
  return {
    get: async (path, accept) => read(await send('GET', path, undefined, JSON_TYPE, accept)),
    post: async (path, body) => read(await send('POST', path, body)),
    put: async (path, body) => read(await send('PUT', path, body)),
    patch: async (kind, path, body) => read(await send('PATCH', path, body, patchTypes[kind])),
    delete: async (path, body) => read(await send('DELETE', path, body)),
    watch: async (path, accept) => {
      const watched = `${path}${path.includes('?') ? '&' : '?'}watch=true`;
      return openWatch(await send('GET', watched, undefined, JSON_TYPE, accept));
    },
    [Symbol.dispose]: () => {
      agent.destroy();
    },
  };
};

/** Waits for an answer, and rejects with its text unless the API server did what it was asked. */
export const accepted = async (asked: Promise<RawAnswer>): Promise<void> => {
  const { status, text } = await asked;
  if (status >= 300) throw new Error(text);
};
