import type { Config } from '../config/config.ts';
import { type CheckResult, result } from './result.ts';

/** That it was read at all: a bad one never comes this far. */
export const checkConfiguration = (config: Config): readonly CheckResult[] => {
  const targets = config.caBundleTargets.length;
  const said = [
    `namespace ${config.namespace}`,
    `Lease ${config.leaseName}`,
    `Secret ${config.secretName}`,
    `Service ${config.serviceName}`,
    targets === 0 ? 'no caBundle' : targets === 1 ? '1 caBundle target' : `${targets} caBundle targets`,
    ...(!config.issuer.writesSecret ? ['certificates by somebody else'] : []),
  ];
  return [result.ok('configuration is complete', said.join(', '))];
};
