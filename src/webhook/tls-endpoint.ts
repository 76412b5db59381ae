import type { AddressInfo } from 'node:net';
import type { ServablePair } from '../certificates/verify-pair.ts';
import type { Handshake } from './loopback-handshake.ts';

/** Where verified pairs go to be served: the webhook's own server, or that of whoever embeds the daemon. */
export interface TlsEndpoint {
  /** A pair that cannot be served rejects and leaves the last one in place. */
  serve(pair: ServablePair): Promise<unknown>;
  /** Parts with connections greeted with an earlier pair, whose CA nobody trusts any more. */
  retire(): void;
  /** One handshake with itself. @throws Problem saying why a caller would have refused */
  handshake(servername: string, trust: Buffer | string | null): Promise<Handshake>;
  drain(graceMs: number, lingerMs?: number): Promise<void>;
  /** Null while nothing is served. */
  readonly address: AddressInfo | null;
}
