import { hostname } from 'node:os';
import type { TlsOptions } from 'node:tls';
import { map, type Observable } from 'rxjs';
import type { VerifiedPair } from '../../streams/model.ts';
import { Problem } from '../../streams/problem.ts';
import type { Readiness } from '../../streams/readiness.ts';
import { openClient } from '../cluster/open-client.ts';
import { type Config, parseConfig } from '../config/config.ts';
import { VERSION } from '../config/version.ts';
import type { Daemon } from '../daemon/daemon.ts';
import type { DaemonDependencies } from '../daemon/resources.ts';
import { inClusterAccess, podNamespace } from '../kube/in-cluster.ts';
import type { Logger } from '../logging/logger.ts';
import { LOG_LEVELS, type LogLevel } from '../logging/plain.ts';

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

interface Embedding {
  readonly config: Config;
  readonly surroundings: DaemonDependencies;
}

const atLeast = (logger: Logger | undefined, least: LogLevel): Logger => {
  const at = (level: LogLevel): Logger[LogLevel] =>
    logger === undefined || LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(least)
      ? () => undefined
      : (message, fields = {}) => logger[level](message, fields);
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
};

/** @throws Problem that tells all that is wrong with the variables, one a line */
export const embedding = ({ env, logger, signal }: EmbedOptions): Embedding => {
  signal?.throwIfAborted();
  const read = { namespace: podNamespace, hostname };
  const result = parseConfig({ env, flags: new Map(), serves: false, read });
  if (!result.ok) throw new Problem(result.problems.join('\n'));
  const { config } = result;
  if (config.handlerModule !== null || config.upstream !== null)
    throw new Problem('WEBHOOK_HANDLER and UPSTREAM_URL: expected neither where the handler is in the code');
  const surroundings = {
    logger: atLeast(logger, config.logLevel),
    client: () => openClient(config, inClusterAccess(env), VERSION),
    version: VERSION,
    directory: '.',
  };
  return { config, surroundings };
};

/** @param signal stops it, also when it has been aborted already */
export const running = (daemon: Daemon, signal: AbortSignal | undefined): Running => {
  const asked = Promise.withResolvers<null>();
  let stopping: Promise<void> | null = null;
  const stop = (): Promise<void> => {
    signal?.removeEventListener('abort', abort);
    asked.resolve(null);
    return (stopping ??= daemon.stop());
  };
  const abort = (): void => void stop();
  const failed = daemon.failed.then(
    () => new Problem('no certificate came within CERT_TIMEOUT'),
    (bug: unknown) => (bug instanceof Error ? bug : new Error(String(bug))),
  );
  const ended = async (): Promise<void> => {
    const failure = await Promise.race([asked.promise, failed]);
    await stop();
    if (failure !== null) throw failure;
  };
  signal?.addEventListener('abort', abort, { once: true });
  if (signal?.aborted === true) abort();
  return {
    readiness$: daemon.readiness$.pipe(
      map((now) => ({ ...now, served: now.served === null ? null : publicPair(now.served) })),
    ),
    closed: ended(),
    stop,
    [Symbol.asyncDispose]: stop,
  };
};

/** What is known of a pair, without the files that may come along with it: one of them is the private key. */
export const publicPair = ({ hash, generation, leaf, bundle, advice }: VerifiedPair): VerifiedPair => ({
  hash,
  generation,
  leaf,
  bundle,
  advice,
});
