import type { Figure } from './figure.ts';

/** Every figure by name, in the order of the table; each is loaded when its turn comes. */
export const figures: Readonly<Record<string, () => Promise<Figure>>> = {
  'cold-start': async () => (await import('./cold-start.ts')).coldStart,
  admission: async () => (await import('./admission.ts')).admission,
  'api-cost': async () => (await import('./api-cost.ts')).apiCost,
  scale: async () => (await import('./scale.ts')).scale,
};
