import type { MetricsSnapshot } from './probes/metrics-snapshot.ts';
import type { Standing } from './standing.ts';
import type { Surroundings } from './status-of.ts';

const bundlesOf = ({ observation }: Standing): MetricsSnapshot['bundles'] =>
  observation?.targets.flatMap(({ id, state }) => {
    const certificates = typeof state === 'string' ? [] : state.bundles.flat();
    if (certificates.length === 0) return [];
    return [{ target: id, notAfterMs: Math.min(...certificates.map(({ notAfterMs }) => notAfterMs)) }];
  }) ?? null;

const secretNotAfterMs = ({ observation }: Standing): number | null => {
  const secret = observation?.secret;
  return typeof secret === 'object' ? (secret.leaf?.notAfterMs ?? null) : null;
};

/** How things stand, as numbers for `/metrics`. Pure. */
export const snapshotOf = (
  standing: Standing,
  { reasons, mountedLeaf, step }: Pick<Surroundings, 'reasons' | 'mountedLeaf' | 'step'>,
  version: string,
): MetricsSnapshot => {
  const { announced, leading, readiness, observation } = standing;
  const replicas = typeof observation?.replicas === 'object' ? observation.replicas : null;
  return {
    version,
    ready: reasons.length === 0,
    leader: leading,
    mismatch: announced !== null && announced.hash !== readiness.served?.hash,
    servedNotAfterMs: readiness.served?.leaf.notAfterMs ?? null,
    mountedNotAfterMs: mountedLeaf?.notAfterMs ?? null,
    secretNotAfterMs: secretNotAfterMs(standing),
    bundles: bundlesOf(standing),
    servingHashes: replicas?.map(({ servingHash }) => servingHash) ?? null,
    rotationStep: step,
  };
};
