import type { Observable } from 'rxjs';
import type { Mount } from '../certificates/mount.ts';
import type { Config } from '../config/config.ts';
import { startMetrics } from '../metrics/endpoint.ts';
import { snapshotOf } from '../metrics/gauges.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { nextAction } from '../status/next-action.ts';
import { startProbes } from '../status/probes.ts';
import type { ReplicaState } from '../status/replica-state.ts';
import { mountedLeaf, type StatusInput, statusOf } from '../status/status.ts';
import { replicaPolicy } from './ports.ts';

interface Observed {
  readonly standing: () => ReplicaState;
  /** Why calls should not be sent here. */
  readonly reasons: () => readonly string[];
  /** Why the process should be restarted; null while it lives. */
  readonly live: () => string | null;
  /** Emits when any of it may be another one. */
  readonly changed$: Observable<unknown>;
  readonly meters: Metrics;
  readonly mount: Pick<Mount, 'files'>;
  readonly version: string;
}

/**
 * How the replica shows itself: probes and status page, and the metrics unless they are switched off. Whatever is shown
 * is made when somebody looks.
 *
 * @throws Problem when an address cannot be had
 */
export const startObservabilityServers = async (config: Config, viewed: Observed): Promise<AsyncDisposable> => {
  const { standing, reasons, live, changed$, meters, mount, version } = viewed;
  const leafOf = mountedLeaf(mount);
  const policy = replicaPolicy(config);
  const around = (): StatusInput => {
    const nowMs = Date.now();
    const { mounted, observation } = standing();
    const { identity, leaderElection, kubeletNudge, caOverlapMs } = config;
    const step = nextAction(observation, policy, nowMs);
    const own = { identity, leaderElection, kubeletNudge, caOverlapMs };
    return { ...own, reasons: reasons(), mountedLeaf: leafOf(mounted), step, nowMs };
  };

  await using opened = new AsyncDisposableStack();
  const probes = await startProbes({
    bind: config.probeBind,
    live,
    reasons,
    changed$,
    status: () => statusOf(standing(), around()),
    // Who never looks never pays for the drawing.
    page: async (status) => {
      const { page } = await import('../page/page.ts');
      return page([{ name: status.identity, status }], Date.now());
    },
  });
  opened.use(probes);
  if (config.metricsBind !== null) {
    const snapshot = () => snapshotOf(standing(), around(), version);
    opened.use(await startMetrics({ bind: config.metricsBind, meters, snapshot }));
  }
  return opened.move();
};
