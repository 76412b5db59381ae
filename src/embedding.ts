import { hostname } from 'node:os';
import { Problem } from '../streams/problem.ts';
import { parseConfig } from './config.ts';
import type { Config } from './config.ts';
import { version } from './config/version.ts';
import type { EmbedOptions } from './embed-types.ts';
import { inClusterOf } from './in-cluster-of.ts';
import { podNamespace } from './pod-namespace.ts';
import type { LogLevel, Logger } from './logger.ts';
import { replicaClient } from './replica-client.ts';
import type { DaemonSurroundings } from './surroundings.ts';

export interface Embedding {
  readonly config: Config;
  readonly surroundings: DaemonSurroundings;
}

const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

const atLeast = (logger: Logger | undefined, least: LogLevel): Logger => {
  const at = (level: LogLevel): Logger[LogLevel] =>
    logger === undefined || levels.indexOf(level) < levels.indexOf(least)
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
    client: () => replicaClient(config, inClusterOf(env), version),
    version,
    directory: '.',
  };
  return { config, surroundings };
};
