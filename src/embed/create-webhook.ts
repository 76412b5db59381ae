import { map, type Observable } from 'rxjs';
import type { VerifiedPair } from '../../streams/model.ts';
import type { HandlerExport } from '../webhook/admission-types.ts';
import { embedding, type EmbedOptions, publicPair, type Running, running } from './embed.ts';

export interface WebhookOptions extends EmbedOptions {
  /** Answers every path, or one function a path. */
  readonly handler: HandlerExport;
}

export interface Webhook extends Running {
  /** What is served, each certificate once; replays the newest, completes once stopped. Never errors. */
  readonly certificate$: Observable<VerifiedPair>;
  /** Where it listens; null until the first certificate is served, since nothing listens before. */
  readonly port: number | null;
}

/**
 * A whole replica in this process: follows and elects, issues, serves TLS and asks the handler. Probes and metrics listen
 * too, as the variables say. Signals and exit codes are left to whoever calls.
 *
 * @throws Problem when a variable is wrong, or something cannot be opened
 */
export const createWebhook = async ({ handler, ...options }: WebhookOptions): Promise<Webhook> => {
  const { config, surroundings } = embedding(options);
  const { startDaemon } = await import('../daemon/daemon.ts');
  const daemon = await startDaemon(config, { ...surroundings, handler });
  return {
    ...running(daemon, options.signal),
    certificate$: daemon.certificate$.pipe(map(publicPair)),
    get port() {
      return daemon.port();
    },
  };
};
