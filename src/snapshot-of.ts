import type { MetricsSnapshot } from './probes/metrics-snapshot.ts';
import type { Standing } from './standing.ts';

/** How things stand, as numbers for `/metrics`. */
export const snapshotOf = (
  { leading, readiness, replicas }: Standing,
  { version, ready }: Pick<MetricsSnapshot, 'version' | 'ready'>,
): MetricsSnapshot => ({
  version,
  ready,
  leader: leading,
  servedNotAfterMs: readiness.served?.leaf.notAfterMs ?? null,
  servingHashes: replicas?.map(({ servingHash }) => servingHash) ?? null,
});
