import type { AddressInfo } from 'node:net';
import type { ServablePair } from '../certificates/verify-pair.ts';
import type { Handshake } from './loopback-handshake.ts';

/** A server that presents verified pairs: the webhook's own, or that of the program that embeds the daemon. */
export interface TlsEndpoint {
  /** Presents this pair from now on. Rejects when the pair cannot be used, and leaves the previous one in place. */
  serve(pair: ServablePair): Promise<unknown>;
  /** Closes the connections that were accepted with an earlier pair, because its CA is no longer trusted. */
  retire(): void;
  /** Performs one handshake with itself. @throws Problem with the reason why a caller would have failed */
  handshake(servername: string, trust: Buffer | string | null): Promise<Handshake>;
  drain(graceMs: number, lingerMs?: number): Promise<void>;
  /** Null until the first certificate is served. */
  readonly address: AddressInfo | null;
}
