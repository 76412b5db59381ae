import type { ReplicaEvent } from '../../streams/replica.ts';
import type { Metrics } from './metrics.ts';

/**
 * Returns a function that records the metrics of each event. The sync time of the kubelet is measured from the announcement
 * until the announced certificate is mounted.
 *
 * @param nowMs a monotonic clock
 */
export const recordMetrics = (metrics: Metrics, nowMs: () => number): ((event: ReplicaEvent) => void) => {
  let served: string | null = null;
  let awaited: { readonly hash: string; readonly sinceMs: number } | null = null;

  return (event) => {
    switch (event.type) {
      case 'watch/closed':
      case 'watch/failed':
        metrics.watchRestarts.add(event.type === 'watch/closed' ? event.reason : 'failed');
        return;
      case 'desired/changed': {
        const { lease, mounted } = event.desired;
        const hash = lease?.announcement?.hash ?? null;
        if (hash === null) awaited = null;
        else if (mounted.hash === hash) {
          if (awaited?.hash === hash) metrics.kubeletSync.observe((nowMs() - awaited.sinceMs) / 1000);
          awaited = null;
        } else if (awaited?.hash !== hash) awaited = { hash, sinceMs: nowMs() };
        return;
      }
      case 'step/done':
        if (event.step.kind === 'inject') metrics.caBundleWrites.add(event.step.target);
        return;
      case 'object/contested':
        metrics.contests.add(event.object);
        return;
      case 'object/refused':
        metrics.refusedWrites.add(event.object);
        return;
      case 'certificate/concluded':
        if (event.load.type === 'certificate/rejected') metrics.loads.add('rejected');
        if (event.load.type !== 'certificate/served') return;
        metrics.loads.add('served');
        // Loading the same certificate again, because its bundle changed, is not an adoption.
        if (event.load.pair.hash !== served) metrics.adoption.observe(event.elapsedMs / 1000);
        served = event.load.pair.hash;
        return;
      default:
    }
  };
};
