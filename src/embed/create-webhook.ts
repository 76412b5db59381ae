import { map, type Observable } from 'rxjs';
import type { VerifiedPair } from '../../streams/model.ts';
import type { HandlerExport } from '../webhook/admission-types.ts';
import { type EmbedOptions, prepareEmbedding, publicPair, runEmbedded, type Running } from './embed.ts';

export interface WebhookOptions extends EmbedOptions {
  /** One handler for every path, or an object with one handler per path. */
  readonly handler: HandlerExport;
}

export interface Webhook extends Running {
  /** The served pairs. Replays the newest and completes once stopped; never errors. */
  readonly certificate$: Observable<VerifiedPair>;
  /** The port of the webhook; null until the first certificate is served, since it does not listen before. */
  readonly port: number | null;
}

/**
 * Runs a complete replica in this process: it takes part in the election, issues certificates, serves TLS and calls the
 * handler. Probes and metrics listen as configured. Signals and exit codes are left to the caller.
 *
 * @throws Problem when a variable is invalid or a resource cannot be opened
 */
export const createWebhook = async ({ handler, ...options }: WebhookOptions): Promise<Webhook> => {
  const { config, dependencies } = prepareEmbedding(options);
  const { startDaemon } = await import('../daemon/daemon.ts');
  const daemon = await startDaemon(config, { ...dependencies, handler });
  return {
    ...runEmbedded(daemon, options.signal),
    certificate$: daemon.certificate$.pipe(map(publicPair)),
    get port() {
      return daemon.port();
    },
  };
};
