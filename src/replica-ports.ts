import type { ReplicaPorts } from '../streams/replica.ts';
import { clusterPaths } from './cluster-paths.ts';
import type { Config } from './config.ts';
import { leasePorts } from './lease-ports.ts';
import { loadPorts } from './load-ports.ts';
import { newSecrets } from './new-secrets.ts';
import { observationPorts } from './observation-ports.ts';
import type { Outside } from './open-outside.ts';
import { performStep } from './perform-step.ts';
import { podPorts } from './pod-ports.ts';
import { monotonicMs } from './monotonic-ms.ts';

/** Everything outside that the streams of one replica use. */
export const replicaPorts = (
  { client, mount, server }: Pick<Outside, 'client' | 'mount' | 'server'>,
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
    ...performStep(client, paths, newSecrets(config)),
  };
};
