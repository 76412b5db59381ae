import type { ReplicaPolicy, ReplicaPorts } from '../../streams/replica.ts';
import { leasePorts } from '../cluster/lease.ts';
import { observationPorts } from '../cluster/observe.ts';
import { clusterPaths } from '../cluster/paths.ts';
import { podPorts } from '../cluster/pods.ts';
import { selfSignedIssuer } from '../cluster/self-signed-issuer.ts';
import { stepExecutor } from '../cluster/step-executor.ts';
import type { Config } from '../config/config.ts';
import { monotonicMs } from '../util/time.ts';
import { loadPorts } from '../webhook/serving.ts';
import type { Resources } from './resources.ts';

/** Everything outside that the streams of one replica use. */
export const replicaPorts = (
  { client, mount, server }: Pick<Resources, 'client' | 'mount' | 'server'>,
  config: Config,
): ReplicaPorts => {
  const paths = clusterPaths(config);
  return {
    random: () => Math.random(),
    clock: { wallMs: () => Date.now(), monotonicMs: monotonicMs },
    ...leasePorts(client, paths, config),
    ...loadPorts(mount, server, config),
    ...podPorts(client, paths, config),
    ...observationPorts(client, paths, config),
    ...stepExecutor(client, paths, selfSignedIssuer(config)),
  };
};

/** A quiet watch carries a bookmark a minute at best: kube-apiserver's bookmarkFrequency. */
const QUIET_MS = 150_000;

/** What the streams need of the configuration. */
export const replicaPolicy = (config: Config): ReplicaPolicy => ({
  identity: config.identity,
  names: config.serviceNames,
  issuer: config.issuer,
  tickMs: config.tickMs,
  certTimeoutMs: config.certTimeoutMs === 0 ? null : config.certTimeoutMs,
  kubeletNudge: config.kubeletNudge,
  leaderElection: config.leaderElection,
  renewDeadlineMs: config.renewDeadlineMs,
  retryPeriodMs: config.retryPeriodMs,
  staleAfterMs: config.watchStaleAfterMs,
  quietAfterMs: Math.max(QUIET_MS, 2.5 * config.watchStaleAfterMs),
  renewBeforeMs: config.renewBeforeMs,
  caRenewBeforeMs: config.caRenewBeforeMs,
  caOverlapMs: config.caOverlapMs,
});
