import type { ReplicaEvent } from '../../streams/replica.ts';
import type { Metrics } from './metrics.ts';

/**
 * Counts what happens. The kubelet's time runs from the announcement until the announced certificate is mounted.
 *
 * @returns the counter of events; times are ms on a clock that never jumps
 */
export const recordMetrics = (meters: Metrics, nowMs: () => number): ((event: ReplicaEvent) => void) => {
  let served: string | null = null;
  let awaited: { readonly hash: string; readonly sinceMs: number } | null = null;

  return (event) => {
    switch (event.type) {
      case 'watch/closed':
      case 'watch/failed':
        meters.watchRestarts.add(event.type === 'watch/closed' ? event.reason : 'failed');
        return;
      case 'desired/changed': {
        const { lease, mounted } = event.desired;
        const hash = lease?.announcement?.hash ?? null;
        if (hash === null) awaited = null;
        else if (mounted.hash === hash) {
          if (awaited?.hash === hash) meters.kubeletSync.observe((nowMs() - awaited.sinceMs) / 1000);
          awaited = null;
        } else if (awaited?.hash !== hash) awaited = { hash, sinceMs: nowMs() };
        return;
      }
      case 'step/done':
        if (event.step.kind === 'inject') meters.caBundleWrites.add(event.step.target);
        return;
      case 'object/contested':
        meters.contests.add(event.object);
        return;
      case 'object/refused':
        meters.refusedWrites.add(event.object);
        return;
      case 'certificate/concluded':
        if (event.load.type === 'certificate/rejected') meters.loads.add('rejected');
        if (event.load.type !== 'certificate/served') return;
        meters.loads.add('served');
        // The same certificate again, because its bundle changed, is no adoption.
        if (event.load.pair.hash !== served) meters.adoption.observe(event.elapsedMs / 1000);
        served = event.load.pair.hash;
        return;
      default:
    }
  };
};
