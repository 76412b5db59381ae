import type { BindAddress } from '../util/listen.ts';
import { parsed, type Schema } from './types.ts';

const read = (text: string): BindAddress | undefined => {
  const parts = /^(?:\[(?<v6>[\da-f:.]+)\]|(?<name>[\w.-]+))?:(?<port>\d{1,5})$/i.exec(text)?.groups;
  const port = Number(parts?.['port'] ?? NaN);
  return port <= 65_535 ? { host: parts?.['v6'] ?? parts?.['name'] ?? null, port } : undefined;
};

const ACCEPTS = ':PORT or HOST:PORT with a port from 0 to 65535';

/** The address as it is written in a setting. */
export const bindText = ({ host, port }: BindAddress): string =>
  `${host?.includes(':') === true ? `[${host}]` : (host ?? '')}:${port}`;

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
  const isOrigin = url?.protocol === 'http:' && url.href === `${url.origin}/`;
  return isOrigin ? { kind: 'http', url: url.origin } : undefined;
};

/** The address as it is written in UPSTREAM_URL. */
export const upstreamText = (to: Upstream): string => (to.kind === 'unix' ? `unix:${to.path}` : to.url);

interface UnixSocket {
  readonly kind: 'unix';
  readonly path: string;
}

const UNIX_ACCEPTS = `unix:/PATH of at most ${MAX_SOCKET_PATH_BYTES} bytes`;

/** Null: the text names no socket. Undefined: it names one that cannot exist. */
const readUnix = (text: string): UnixSocket | null | undefined => {
  const path = /^unix:(?<path>\/.*[^/])$/.exec(text)?.groups?.['path'];
  if (path === undefined) return null;
  return Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES && !path.includes('\0')
    ? { kind: 'unix', path: path.replace(/^\/+/, '/') }
    : undefined;
};

/** `http://127.0.0.1:9000` or `unix:/path`. */
export const upstream: Schema<Upstream> = parsed(
  `http://HOST:PORT without user, path or query, or ${UNIX_ACCEPTS}`,
  (text) => {
    const socket = readUnix(text);
    return socket === null ? readHttp(text) : socket;
  },
);

/** The server in this Pod that terminates TLS itself. */
export type ServingAddress = { readonly kind: 'tcp'; readonly host: string; readonly port: number } | UnixSocket;

/** `127.0.0.1:9443`, `localhost:9443`, `[::1]:9443` or `unix:/path`. */
export const servingAddress: Schema<ServingAddress> = parsed(
  `HOST:PORT with a port from 1 to 65535, such as 127.0.0.1:9443, or ${UNIX_ACCEPTS}`,
  (text) => {
    const socket = readUnix(text);
    if (socket !== null) return socket;
    const { host = null, port = 0 } = read(text) ?? {};
    return host === null || port === 0 ? undefined : { kind: 'tcp', host, port };
  },
);

/** The address as it is written in SERVING_ADDRESS. */
export const addressText = (address: ServingAddress): string => {
  if (address.kind === 'unix') return `unix:${address.path}`;
  return bindText(address);
};

/** How a server that does not notice a new certificate by itself is told to read it. */
export type Reload =
  | { readonly kind: 'http'; readonly url: string }
  | {
      readonly kind: 'signal';
      readonly signal: ReloadSignal;
      /** The command name, as `ps -o comm` prints it. */ readonly command: string;
    };

/** Signals that make servers read their files again. Those that end a process are left to the kubelet. */
const RELOAD_SIGNALS = { HUP: 'SIGHUP', USR1: 'SIGUSR1', USR2: 'SIGUSR2' } as const;
export type ReloadSignal = (typeof RELOAD_SIGNALS)[keyof typeof RELOAD_SIGNALS];

const readReloadUrl = (text: string): Reload | undefined => {
  const url = URL.parse(text);
  const isPlain = url?.protocol === 'http:' && url.username === '' && url.password === '';
  return isPlain && url.hash === '' ? { kind: 'http', url: url.href } : undefined;
};

/** `http://127.0.0.1:9901/reload` or `signal:HUP:nginx`. Linux keeps 15 bytes of a command's name. */
export const reload: Schema<Reload> = parsed(
  'http://HOST:PORT/PATH without user, which is sent a POST, or signal:HUP:COMMAND (also USR1, USR2) with a command name of at most 15 characters',
  (text) => {
    const parts = /^signal:(?<name>[A-Z\d]+):(?<command>[\x21-\x7e]{1,15})$/.exec(text)?.groups;
    const signal = RELOAD_SIGNALS[(parts?.['name'] ?? '') as keyof typeof RELOAD_SIGNALS] as ReloadSignal | undefined;
    if (signal === undefined) return readReloadUrl(text);
    return { kind: 'signal', signal, command: parts?.['command'] ?? '' };
  },
);
