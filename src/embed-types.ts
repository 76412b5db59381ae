import type { TlsOptions } from 'node:tls';
import type { Observable } from 'rxjs';
import type { VerifiedPair } from '../streams/model.ts';
import type { Readiness } from '../streams/readiness.ts';
import type { Logger } from './logger.ts';

export interface EmbedOptions {
  /** The variables of the README's table; mostly `process.env`, or that with something changed. Nothing else is read. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Gets what the daemon would log, from LOG_LEVEL up: `console` will do. Silent unless given. */
  readonly logger?: Logger;
  /** To abort it is to call `stop()`. */
  readonly signal?: AbortSignal;
}

/** What runs inside somebody else's process. */
export interface Running extends AsyncDisposable {
  /** Whether and what is served, and why not; replays the newest, completes once stopped. Never errors. */
  readonly readiness$: Observable<Readiness>;
  /**
   * Resolves once stopped. Rejects, after everything has been closed, with a Problem when no certificate came within
   * CERT_TIMEOUT, or with what a bug threw: unhandled, it ends the process with 1, as the daemon's own would.
   */
  readonly closed: Promise<void>;
  /** Releases the Lease, lets calls finish within SHUTDOWN_GRACE, and closes everything. To call it again is to wait. */
  stop(): Promise<void>;
}

/** A verified pair to put into a server of one's own. `secureContext` carries the private key: never log it. */
export interface ServedCertificate extends VerifiedPair {
  /**
   * Complete options for `server.setSecureContext`: what that call is not given falls back to Node's defaults, so a pair
   * alone would allow older TLS again.
   */
  readonly secureContext: TlsOptions;
}
