/** What one client may take from the server. All times in ms. */
export interface WebhookLimits {
  /** Open TCP connections; beyond it the one that is least missed makes room. */
  readonly maxConnections: number;
  readonly maxHeaderBytes: number;
  /** From TCP accept to the end of the TLS handshake. */
  readonly handshakeTimeoutMs: number;
  /** From a request's first byte to the end of its header. */
  readonly headersTimeoutMs: number;
  /** From the end of the header to the end of the body. */
  readonly requestTimeoutMs: number;
  /** From the end of the header until the client has taken the whole answer. */
  readonly exchangeTimeoutMs: number;
  /** How long a connection may rest between requests. */
  readonly keepAliveTimeoutMs: number;
  /** How long a connection that is to go must have rested before it is closed without an answer to say so. */
  readonly quietMs: number;
}

/**
 * A resting connection costs about 90 KiB (measured on Node 26, TLS 1.3): all of them together about 45 MiB.
 *
 * An API server waits at most 30 s for a webhook and drops its own idle connections after 90 s (net/http's
 * IdleConnTimeout); staying longer than it does means that it is never us who close under a request on its way.
 */
export const defaultLimits: WebhookLimits = {
  maxConnections: 512,
  maxHeaderBytes: 16 * 1024,
  handshakeTimeoutMs: 10_000,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  exchangeTimeoutMs: 65_000,
  keepAliveTimeoutMs: 120_000,
  quietMs: 1_000,
};
