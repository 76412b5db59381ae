import type { RequestListener } from 'node:http';
import type { Config } from './config.ts';
import type { Logger } from './logger.ts';
import type { DaemonSurroundings } from './surroundings.ts';
import type { OnAnswered } from './webhook/answered.ts';

/** Who answers the AdmissionReviews: the module of WEBHOOK_HANDLER, or whoever listens at UPSTREAM_URL. */
export interface AdmissionSide extends AsyncDisposable {
  readonly answer: RequestListener;
  reachable(): Promise<boolean>;
}

const hosted = async (
  config: Config,
  { logger, directory, handler }: DaemonSurroundings,
  onAnswered: OnAnswered,
): Promise<AdmissionSide> => {
  const [{ createAdmission }, { loadHandler }, { routes }] = await Promise.all([
    import('./webhook/admission.ts'),
    import('./webhook/load-handler.ts'),
    import('./webhook/routes.ts'),
  ]);
  const route =
    handler === undefined ? await loadHandler(config.handlerModule ?? '', directory) : routes(handler, 'the handler');
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
    onFault: (status, reason, untold) => logger.warn('Upstream failed', { status, reason, untold }),
    onRefused: (status, reason, untold) => logger.warn('Admission request refused', { status, reason, untold }),
  });
};

/**
 * Opens the one that the configuration names, or the handler that comes with the surroundings.
 *
 * @throws Problem when the handler cannot be loaded
 */
export const openAdmissionSide = (
  config: Config,
  surroundings: DaemonSurroundings,
  onAnswered: OnAnswered,
): Promise<AdmissionSide> => {
  const { handlerModule, upstream } = config;
  if (handlerModule !== null || surroundings.handler !== undefined) return hosted(config, surroundings, onAnswered);
  if (upstream === null) throw new Error('the configuration names neither handler nor upstream');
  const url = upstream.kind === 'unix' ? `unix:${upstream.path}` : upstream.url;
  return fronted(url, config, surroundings.logger, onAnswered);
};
