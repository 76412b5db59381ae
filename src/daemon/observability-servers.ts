import type { Observable } from 'rxjs';
import type { Mount } from '../certificates/mount.ts';
import { addressText } from '../config/addresses.ts';
import type { Config } from '../config/config.ts';
import { snapshotOf, startMetrics } from '../metrics/endpoint.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { ProcessUsage } from '../metrics/process-usage.ts';
import { nextAction } from '../status/next-action.ts';
import { startProbes } from '../status/probes.ts';
import { isAnnouncedMounted, neighbourNotes, type ReplicaState } from '../status/replica-state.ts';
import { mountedLeaf, type StatusInput, statusOf } from '../status/status.ts';
import { replicaPolicy } from './ports.ts';

interface Sources {
  readonly state: () => ReplicaState;
  /** Why the replica is not ready; empty when it is. */
  readonly reasons: () => readonly string[];
  /** Why the process must be restarted; null while it is healthy. */
  readonly live: () => string | null;
  /** Emits when any of the above may have changed. */
  readonly changed$: Observable<unknown>;
  readonly metrics: Metrics;
  readonly mount: Pick<Mount, 'files'>;
  readonly version: string;
  /** What the process uses; absent where it is not this program's own. */
  readonly usage?: (() => Promise<ProcessUsage>) | undefined;
}

/**
 * Serves probes, status page and, unless disabled, metrics. Their content is computed on each request.
 *
 * @throws Problem when an address cannot be bound
 */
export const startObservabilityServers = async (config: Config, sources: Sources): Promise<AsyncDisposable> => {
  const { state, reasons, live, changed$, metrics, mount, version, usage } = sources;
  const leafOf = mountedLeaf(mount);
  const policy = replicaPolicy(config);
  const statusInput = (): StatusInput => {
    const nowMs = Date.now();
    const { mounted, observation, refused } = state();
    const { identity, namespace, leaseName, leaderElection, kubeletNudge, caOverlapMs, issuer } = config;
    const renewBeforeMs = issuer.keepsCa ? config.renewBeforeMs : null;
    const step = nextAction(observation, policy, nowMs, refused);
    const neighbourAddress = config.serving && addressText(config.serving);
    const names = { version, identity, namespace, leaseName };
    const settings = { ...names, leaderElection, kubeletNudge, caOverlapMs, renewBeforeMs, neighbourAddress };
    return { ...settings, reasons: reasons(), mountedLeaf: leafOf(mounted), step, nowMs };
  };

  await using opened = new AsyncDisposableStack();
  const probes = await startProbes({
    bind: config.probeBind,
    live,
    reasons,
    notes: () => (config.serving === null ? [] : neighbourNotes(state())),
    isMounted: () => isAnnouncedMounted(state()),
    changed$,
    status: () => statusOf(state(), statusInput()),
    // Imported on first use, since most replicas never render it.
    page: async (status) => {
      const { page } = await import('../page/page.ts');
      return page([{ name: status.identity, status }], Date.now(), config.probeBind.port);
    },
  });
  opened.use(probes);
  if (config.metricsBind !== null) {
    const snapshot = () => snapshotOf(state(), statusInput(), version);
    opened.use(await startMetrics({ bind: config.metricsBind, metrics, snapshot, usage }));
  }
  return opened.move();
};
