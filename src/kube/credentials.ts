import type { ConnectionOptions } from 'node:tls';

/** How to reach the API server and prove who we are, as of one moment. */
export interface Access {
  /** Base URL without a trailing slash; it may have a path. */
  readonly server: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: ConnectionOptions;
  /** `http:`, `https:` or `socks5:` proxy, else null. */
  readonly proxyUrl: string | null;
}

export interface Credentials {
  readonly server: string;
  /** Asked before each request; cheap when nothing has changed. Rejects with a `ApiError`. */
  access(): Promise<Access>;
  /** The server refused what we gave, or we refused its certificate: read everything afresh next time. */
  forget(): void;
}
