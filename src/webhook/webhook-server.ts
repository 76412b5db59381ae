import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Bind } from '../listen.ts';
import type { WebhookLimits } from './limits.ts';
import type { Handshake } from './loopback-handshake.ts';
import type { Pair, TlsSettings } from './tls-options.ts';
import type { Trouble } from './trouble.ts';

export interface WebhookServerOptions extends TlsSettings {
  readonly bind: Bind;
  readonly answer: RequestListener;
  readonly limits?: Partial<WebhookLimits>;
  readonly onTrouble?: (trouble: Trouble) => void;
}

export interface WebhookServer {
  /**
   * Serves this pair from the next handshake on. The first call begins to listen. A pair that cannot be served throws
   * and leaves the last one in place.
   */
  serve(pair: Pair): Promise<{ readonly port: number }>;
  /**
   * Parts with every connection greeted with an earlier pair: those at rest soon, the busy ones with their next answer.
   * See part-with.ts for why not at once.
   */
  retire(): void;
  /**
   * From the next handshake on client certificates must chain to these authorities, PEM; connections from before are
   * parted with. Only where `clientCa` was set: whether to ask at all is decided once.
   */
  trustClients(pem: Buffer | string): void;
  /** One handshake with ourselves: see loopback-handshake.ts. */
  handshake(servername: string, trust: Buffer | string | null): Promise<Handshake>;
  /**
   * From now on every answer ends its connection. For `lingerMs` new ones are still accepted, since the cluster needs a
   * moment to learn that this replica is leaving; then those at rest are closed and those being answered waited for,
   * until `graceMs` after the call, when whatever is left is cut.
   */
  drain(graceMs: number, lingerMs?: number): Promise<void>;
  /** Null until the first certificate is served. */
  readonly address: AddressInfo | null;
  readonly connections: number;
}
