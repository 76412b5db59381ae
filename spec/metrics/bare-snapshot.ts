import type { MetricsSnapshot } from '../../src/metrics/endpoint.ts';

/** A replica that has just started: nothing is served, mounted or known of the cluster. */
export const BARE: MetricsSnapshot = {
  version: '1.2.3',
  ready: false,
  leader: false,
  mismatch: true,
  servedNotAfterMs: null,
  mountedNotAfterMs: null,
  secretNotAfterMs: null,
  bundles: null,
  servingHashes: null,
  refused: [],
  neighbour: null,
  rotationStep: null,
};
