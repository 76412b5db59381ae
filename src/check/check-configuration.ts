import type { Config } from '../config/config.ts';
import { type CheckResult, ok } from './result.ts';

/** Summarizes the configuration. An invalid one ends the program before any check. */
export const checkConfiguration = (config: Config): readonly CheckResult[] => {
  const targets = config.caBundleTargets.length;
  const parts = [
    `namespace ${config.namespace}`,
    `Lease ${config.leaseName}`,
    `Secret ${config.secretName}`,
    `Service ${config.serviceName}`,
    targets === 0 ? 'no caBundle target' : targets === 1 ? '1 caBundle target' : `${targets} caBundle targets`,
    ...(!config.issuer.writesSecret ? ['certificates from an external issuer'] : []),
  ];
  return [ok('configuration is complete', parts.join(', '))];
};
