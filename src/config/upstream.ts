import { parsed, type Schema } from './parsed.ts';

/** The HTTP server in this pod that requests are forwarded to. */
export type Upstream =
  | { readonly kind: 'http'; /** The origin, without a trailing slash. */ readonly url: string }
  | { readonly kind: 'unix'; readonly path: string };

/** `sun_path` of unix(7) holds 108 bytes, the closing NUL included. */
const longestSocketPathBytes = 107;

const readHttp = (text: string): Upstream | undefined => {
  const url = URL.parse(text);
  // The caller's own path is kept when forwarding, and the pod's own server needs no password in the environment.
  const isOrigin = url?.protocol === 'http:' && url.hostname !== '' && url.href === `${url.origin}/`;
  return isOrigin ? { kind: 'http', url: url.origin } : undefined;
};

/** `http://127.0.0.1:8080` or `unix:/path`. */
export const upstream: Schema<Upstream> = parsed(
  `http://HOST:PORT without user, path or query, or unix:/PATH of at most ${longestSocketPathBytes} bytes`,
  (text) => {
    const path = /^unix:(?<path>\/.*[^/])$/.exec(text)?.groups?.['path'];
    if (path === undefined) return readHttp(text);
    return Buffer.byteLength(path) <= longestSocketPathBytes && !path.includes('\0')
      ? { kind: 'unix', path: path.replace(/^\/+/, '/') }
      : undefined;
  },
);
