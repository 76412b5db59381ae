import { merge, type Observable } from 'rxjs';
import type { ReplicaPolicy, ReplicaPorts } from '../../streams/replica.ts';
import type { Mount } from '../certificates/mount.ts';
import { leasePorts } from '../cluster/lease.ts';
import { observationPorts } from '../cluster/observe.ts';
import type { ClusterPaths } from '../cluster/paths.ts';
import { podPorts } from '../cluster/pods.ts';
import { selfSignedIssuer } from '../cluster/self-signed-issuer.ts';
import { stepExecutor } from '../cluster/step-executor.ts';
import type { Config } from '../config/config.ts';
import { monotonicMs } from '../util/time.ts';
import { loadPorts } from '../webhook/serving.ts';
import type { Resources } from './resources.ts';

interface PortResources extends Pick<Resources, 'client' | 'server' | 'neighbour'> {
  readonly mount: Mount;
  /** Each emission reads the mount again, in addition to its own events and the tick. */
  readonly refresh$: Observable<unknown>;
}

/** The ports through which the streams of one replica reach the API server, the mount and the TLS server. */
export const replicaPorts = (
  { client, mount, server, neighbour, refresh$ }: PortResources,
  paths: ClusterPaths,
  config: Config,
): ReplicaPorts => {
  const load = loadPorts(mount, server, neighbour, config);
  return {
    random: () => Math.random(),
    clock: { wallMs: () => Date.now(), monotonicMs },
    ...leasePorts(client, paths, config),
    ...load,
    mountMoved$: merge(load.mountMoved$, refresh$),
    ...podPorts(client, paths, config),
    ...observationPorts(client, paths, config),
    ...stepExecutor(client, paths, selfSignedIssuer(config)),
  };
};

/** At best one bookmark per minute arrives on a quiet watch: kube-apiserver's bookmarkFrequency. */
const QUIET_MS = 150_000;

/** The part of the configuration that the streams use. */
export const replicaPolicy = (config: Config): ReplicaPolicy => ({
  identity: config.identity,
  names: config.serviceNames,
  issuer: config.issuer,
  tickMs: config.tickMs,
  certTimeoutMs: config.certTimeoutMs,
  kubeletNudge: config.kubeletNudge,
  reviewEveryMs: config.serving === null ? null : config.tickMs,
  leaderElection: config.leaderElection,
  renewDeadlineMs: config.renewDeadlineMs,
  retryPeriodMs: config.retryPeriodMs,
  staleAfterMs: config.watchStaleAfterMs,
  quietAfterMs: Math.max(QUIET_MS, 2.5 * config.watchStaleAfterMs),
  renewBeforeMs: config.renewBeforeMs,
  caRenewBeforeMs: config.caRenewBeforeMs,
  caOverlapMs: config.caOverlapMs,
  trustSettleMs: config.trustSettleMs,
});
