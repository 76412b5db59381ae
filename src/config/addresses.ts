import type { BindAddress } from '../util/listen.ts';
import { parsed, type Schema } from './types.ts';

const read = (text: string): BindAddress | undefined => {
  const parts = /^(?:\[(?<v6>[\da-f:.]+)\]|(?<name>[\w.-]+))?:(?<port>\d{1,5})$/i.exec(text)?.groups;
  const port = Number(parts?.['port'] ?? NaN);
  return port <= 65_535 ? { host: parts?.['v6'] ?? parts?.['name'] ?? null, port } : undefined;
};

const ACCEPTS = ':PORT or HOST:PORT with a port from 0 to 65535';

/** `:9443`, `127.0.0.1:0`, `[::1]:9443`. */
export const bindAddress = (): Schema<BindAddress> => parsed(ACCEPTS, read);

/** As {@link bindAddress}, or the text `off`, which disables the server and reads as null. */
export const optionalBindAddress = (off: string): Schema<BindAddress | null> =>
  parsed(`${ACCEPTS}, or ${off} to disable it`, (text) => (text === off ? null : read(text)));

/** The HTTP server in this pod that requests are forwarded to. */
export type Upstream =
  | { readonly kind: 'http'; /** The origin, without a trailing slash. */ readonly url: string }
  | { readonly kind: 'unix'; readonly path: string };

/** `sun_path` of unix(7) holds 108 bytes, the closing NUL included. */
const MAX_SOCKET_PATH_BYTES = 107;

const readHttp = (text: string): Upstream | undefined => {
  const url = URL.parse(text);
  // The path of a request is kept when it is forwarded. A server in the same Pod needs no password.
  const isOrigin = url?.protocol === 'http:' && url.hostname !== '' && url.href === `${url.origin}/`;
  return isOrigin ? { kind: 'http', url: url.origin } : undefined;
};

/** `http://127.0.0.1:8080` or `unix:/path`. */
export const upstream: Schema<Upstream> = parsed(
  `http://HOST:PORT without user, path or query, or unix:/PATH of at most ${MAX_SOCKET_PATH_BYTES} bytes`,
  (text) => {
    const path = /^unix:(?<path>\/.*[^/])$/.exec(text)?.groups?.['path'];
    if (path === undefined) return readHttp(text);
    return Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES && !path.includes('\0')
      ? { kind: 'unix', path: path.replace(/^\/+/, '/') }
      : undefined;
  },
);
