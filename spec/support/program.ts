import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** What specs start in a process of its own: the bundle that suite-program.ts has made of this run's sources, or else `src/main.ts`. */
export const program = (): string => process.env['SPEC_PROGRAM'] ?? MAIN;
