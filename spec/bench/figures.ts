import type { Figure } from './report.ts';

/** Every figure by name, in the order of the table; each is loaded when its turn comes. */
export const figures: Readonly<Record<string, () => Promise<Figure>>> = {
  'cold-start': async () => (await import('./cold-start.ts')).coldStart,
  adoption: async () => (await import('./adoption.ts')).adoption,
  idle: async () => (await import('./idle.ts')).idle,
  'rotation-under-load': async () => (await import('./rotation-under-load.ts')).rotationUnderLoad,
  admission: async () => (await import('./admission.ts')).admission,
  'api-cost': async () => (await import('./api-cost.ts')).apiCost,
  'cluster-check': async () => (await import('./cluster-check.ts')).clusterCheck,
  'fleet-rotation': async () => (await import('./fleet-rotation.ts')).fleetRotation,
  scale: async () => (await import('./scale.ts')).scale,
};
