import { enableCompileCache, flushCompileCache } from 'node:module';
import { join } from 'node:path';
import { slowness } from './until.ts';

/** Mocha requires this file in every process of a suite, before the first spec. */

/** Compiled sources, so that no process of a run compiles what another has. Children inherit the variable; `runDaemon` passes it on. */
const CACHE = join(import.meta.dirname, '..', '..', 'test-output', 'compile-cache');

enableCompileCache(CACHE);
process.env['NODE_COMPILE_CACHE'] = CACHE;

/** Negative and overflowing timers and leaks of listeners; a file that causes one fails. */
const warnings: Error[] = [];
process.on('warning', (warning) => {
  if (/^(?:Timeout|MaxListeners)\w*Warning$/.test(warning.name)) warnings.push(warning);
});

/** Fills the cache once where daemons run from sources, since one that a spec kills writes none. */
export const mochaGlobalSetup = async (): Promise<void> => {
  if (process.env['SPEC_PROGRAM'] !== undefined) return;
  await Promise.all([
    import('../../src/cluster/open-client.ts'),
    import('../../src/commands/check.ts'),
    import('../../src/commands/rotate.ts'),
    import('../../src/daemon/daemon.ts'),
    import('../../src/logging/sinks.ts'),
  ]);
  flushCompileCache();
};

/** A timeout of mocha detects what hangs, and nothing else: the other worker and a busy machine get this much time. */
const MARGIN = 2;

/** Mocha has no other name for them. */
interface Hooks {
  readonly _beforeAll: readonly Mocha.Runnable[];
  readonly _beforeEach: readonly Mocha.Runnable[];
  readonly _afterEach: readonly Mocha.Runnable[];
  readonly _afterAll: readonly Mocha.Runnable[];
}

const stretch = (suite: Mocha.Suite): void => {
  const { _beforeAll, _beforeEach, _afterEach, _afterAll } = suite as unknown as Hooks;
  for (const one of [..._beforeAll, ..._beforeEach, ..._afterEach, ..._afterAll, ...suite.tests])
    one.timeout(one.timeout() * MARGIN * slowness);
  for (const inner of suite.suites) stretch(inner);
};

export const mochaHooks = {
  beforeAll(this: Mocha.Context): void {
    if (this.test?.parent !== undefined) stretch(this.test.parent);
  },
  afterAll(): void {
    const [warning] = warnings.splice(0);
    if (warning !== undefined) throw warning;
  },
};
