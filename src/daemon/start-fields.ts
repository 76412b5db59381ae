import { addressText, bindText, upstreamText } from '../config/addresses.ts';
import type { Config } from '../config/config.ts';
import type { DaemonDependencies } from './resources.ts';

/** Who answers the AdmissionReviews, as the setting names it. */
const answeredBy = ({ serving, upstream, handlerModule }: Config, isGiven: boolean): string => {
  if (serving !== null) return addressText(serving);
  if (upstream !== null) return upstreamText(upstream);
  return isGiven ? 'the embedding program' : (handlerModule ?? 'none');
};

/** What the first log line tells: which program this is, where it listens, and what it keeps. An address not in use is null. */
export const startFields = (
  config: Config,
  { version, handler, endpoint }: Pick<DaemonDependencies, 'version' | 'handler' | 'endpoint'>,
): Readonly<Record<string, unknown>> => {
  const isOwnServer = endpoint === undefined;
  const { webhookBind, probeBind, metricsBind } = config;
  return {
    version,
    identity: config.identity,
    namespace: config.namespace,
    lease: config.leaseName,
    secret: config.secretName,
    service: config.serviceName,
    issuer: config.issuer.name,
    targets: config.caBundleTargets.map(({ type, name }) => `${type}/${name}`),
    answeredBy: answeredBy(config, handler !== undefined),
    webhook: isOwnServer && config.serving === null ? bindText(webhookBind) : null,
    probes: isOwnServer ? bindText(probeBind) : null,
    metrics: isOwnServer && metricsBind !== null ? bindText(metricsBind) : null,
  };
};
