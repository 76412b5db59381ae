import type { Figure } from './figure.ts';

/** Every figure by name, in the order of the table; each is loaded when its turn comes. */
export const figures: Readonly<Record<string, () => Promise<Figure>>> = {
  'cold-start': async () => (await import('./cold-start.ts')).coldStart,
};
