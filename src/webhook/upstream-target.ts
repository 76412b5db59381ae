import type { NetConnectOpts } from 'node:net';
import { Problem } from '../../streams/problem.ts';

export interface UpstreamTarget {
  readonly origin: string;
  /** Null for TCP. */
  readonly socketPath: string | null;
  readonly dial: NetConnectOpts;
}

/**
 * `http://host:port` or `unix:/path`.
 *
 * @throws Problem for anything else.
 */
export const upstreamTarget = (url: string): UpstreamTarget => {
  const socketPath = /^unix:(\/.+)$/.exec(url)?.[1];
  if (socketPath !== undefined) return { origin: 'http://localhost', socketPath, dial: { path: socketPath } };
  const parsed = URL.parse(url);
  if (parsed?.protocol !== 'http:') throw new Problem(`UPSTREAM_URL ${url}: expected http://HOST:PORT or unix:/PATH`);
  const host = parsed.hostname.replace(/^\[(.*)\]$/, '$1');
  return {
    origin: parsed.origin,
    socketPath: null,
    dial: { host, port: Number(parsed.port === '' ? 80 : parsed.port) },
  };
};
