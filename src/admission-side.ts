import type { RequestListener } from 'node:http';
import type { Config } from './config.ts';
import type { Logger } from './logger.ts';
import type { OnAnswered } from './webhook/answered.ts';

/** Who answers the AdmissionReviews: the module of WEBHOOK_HANDLER, or whoever listens at UPSTREAM_URL. */
export interface AdmissionSide extends AsyncDisposable {
  readonly answer: RequestListener;
  reachable(): Promise<boolean>;
}

const hosted = async (
  name: string,
  directory: string,
  config: Config,
  logger: Logger,
  onAnswered: OnAnswered,
): Promise<AdmissionSide> => {
  const [{ createAdmission }, { loadHandler }] = await Promise.all([
    import('./webhook/admission.ts'),
    import('./webhook/load-handler.ts'),
  ]);
  const route = await loadHandler(name, directory);
  return {
    answer: createAdmission({ route, maxRequestBytes: config.maxRequestBytes, log: logger, onAnswered }),
    reachable: () => Promise.resolve(true),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
};

const fronted = async (url: string, config: Config, logger: Logger, onAnswered: OnAnswered): Promise<AdmissionSide> => {
  const { createUpstream } = await import('./webhook/upstream.ts');
  return createUpstream({
    url,
    timeoutMs: config.upstreamTimeoutMs,
    maxRequestBytes: config.maxRequestBytes,
    onAnswered,
    onFault: (status, reason) => logger.warn('Upstream failed', { status, reason }),
  });
};

/**
 * Opens the one that the configuration names.
 *
 * @param directory where a relative WEBHOOK_HANDLER starts
 * @throws Problem when the handler cannot be loaded
 */
export const openAdmissionSide = (
  config: Config,
  directory: string,
  logger: Logger,
  onAnswered: OnAnswered,
): Promise<AdmissionSide> => {
  const { handlerModule, upstream } = config;
  if (handlerModule !== null) return hosted(handlerModule, directory, config, logger, onAnswered);
  if (upstream === null) throw new Error('the configuration names neither handler nor upstream');
  return fronted(upstream.kind === 'unix' ? `unix:${upstream.path}` : upstream.url, config, logger, onAnswered);
};
