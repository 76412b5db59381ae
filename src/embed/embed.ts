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
  /** The variables of the configuration table, usually `process.env`. The environment of the process is not read. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Receives the log lines of the daemon from LOG_LEVEL up, for example `console`. Default: no log. */
  readonly logger?: Logger;
  /** Aborting it stops the replica. */
  readonly signal?: AbortSignal;
}

/** A replica that runs inside another program. */
export interface Running extends AsyncDisposable {
  /** Readiness with its reasons. Replays the newest and completes once stopped; never errors. */
  readonly readiness$: Observable<Readiness>;
  /**
   * Resolves once stopped. Rejects, after everything has been closed, with a Problem when no certificate was served within
   * CERT_TIMEOUT, or with the error of a bug. Unhandled, the rejection ends the process with 1, as the daemon would.
   */
  readonly closed: Promise<void>;
  /** Releases the Lease, drains requests within SHUTDOWN_GRACE, and closes everything. Further calls wait for the first. */
  stop(): Promise<void>;
}

/** A verified pair for a server of the embedder. `secureContext` contains the private key: never log it. */
export interface ServedCertificate extends VerifiedPair {
  /**
   * Complete options for `server.setSecureContext`. Options missing in that call return to Node's defaults, so that a pair
   * alone would allow older TLS versions.
   */
  readonly secureContext: TlsOptions;
}

interface Embedding {
  readonly config: Config;
  readonly dependencies: DaemonDependencies;
}

const atLeast = (logger: Logger | undefined, least: LogLevel): Logger => {
  const at = (level: LogLevel): Logger[LogLevel] =>
    logger === undefined || LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(least)
      ? () => undefined
      : (message, fields = {}) => logger[level](message, fields);
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
};

/**
 * Parses the variables and prepares what the daemon needs.
 *
 * @throws Problem with all problems of the variables, one per line
 */
export const prepareEmbedding = ({ env, logger, signal }: EmbedOptions): Embedding => {
  signal?.throwIfAborted();
  const read = { namespace: podNamespace, hostname };
  const result = parseConfig({ env, flags: new Map(), serves: false, read });
  if (!result.ok) throw new Problem(result.problems.join('\n'));
  const { config } = result;
  if (config.handlerModule !== null || config.upstream !== null || config.serving !== null)
    throw new Problem(
      'WEBHOOK_HANDLER, UPSTREAM_URL and SERVING_ADDRESS: must not be set when the handler is passed to createWebhook()',
    );
  const dependencies = {
    logger: atLeast(logger, config.logLevel),
    client: () => openClient(config, inClusterAccess(env), VERSION),
    version: VERSION,
    directory: '.',
  };
  return { config, dependencies };
};

/**
 * Wraps a daemon for its embedder.
 *
 * @param signal stops the replica, also when it is aborted already
 */
export const runEmbedded = (daemon: Daemon, signal: AbortSignal | undefined): Running => {
  const requested = Promise.withResolvers<null>();
  let stopping: Promise<void> | null = null;
  const stop = (): Promise<void> => {
    signal?.removeEventListener('abort', abort);
    requested.resolve(null);
    return (stopping ??= daemon.stop());
  };
  const abort = (): void => void stop();
  const failed = daemon.failed.then(
    () => new Problem('no certificate was served within CERT_TIMEOUT'),
    (bug: unknown) => (bug instanceof Error ? bug : new Error(String(bug))),
  );
  const ended = async (): Promise<void> => {
    const failure = await Promise.race([requested.promise, failed]);
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

/** The public part of a pair, without files that it may carry: one of them is the private key. */
export const publicPair = ({ hash, generation, leaf, bundle, advice }: VerifiedPair): VerifiedPair => ({
  hash,
  generation,
  leaf,
  bundle,
  advice,
});
