import type { Installation, SpecReplica } from './installation.ts';
import type { StandingObjects } from './standing-objects.ts';
import { until } from './until.ts';

export const LOADED = 'Certificate loaded and verified';

/** Resolves once nothing of a rotation is left to be done; errs with what is. */
export const settled = async (objects: StandingObjects, withinMs: number): Promise<void> => {
  try {
    await until(() => objects.unsettled().length === 0, withinMs);
  } catch {
    throw new Error(`not within ${withinMs} ms: ${objects.unsettled().join(', ')}`);
  }
};

/** Asks for a rotation by the Lease's annotation and resolves with the new hash once every replica serves it. */
export const rotateAll = async (
  what: 'leaf' | 'ca',
  installation: Installation,
  objects: StandingObjects,
  { replicas, withinMs }: { readonly replicas: readonly SpecReplica[]; readonly withinMs: number },
): Promise<string> => {
  const before = objects.leaseAnnotation('cert-hash');
  await installation.annotateLease({ rotate: what });
  await until(() => objects.leaseAnnotation('cert-hash') !== before);
  const hash = objects.leaseAnnotation('cert-hash') ?? '';
  await Promise.all(replicas.map((replica) => replica.line(LOADED, { hash }, withinMs)));
  return hash;
};
