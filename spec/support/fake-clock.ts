import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runTool } from './run-tool.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** A wall clock of its own for some process, by Debian's faketime. Its monotonic clock goes on as it is. */
export interface FakeClock extends AsyncDisposable {
  /** For the process that is to have it. */
  readonly env: Readonly<Record<string, string>>;
  /** From now on it is ahead of everybody else's by so much, or behind when that is negative. Whole seconds. */
  set(aheadMs: number): Promise<void>;
}

export const openFakeClock = async (aheadMs = 0): Promise<FakeClock> => {
  const { path, ...directory } = await temporaryDirectory();
  const file = join(path, 'clock');
  const set = async (ms: number): Promise<void> => {
    const seconds = Math.round(ms / 1_000);
    await writeFile(`${file}.new`, `${seconds < 0 ? '' : '+'}${seconds}\n`);
    await rename(`${file}.new`, file);
  };
  await set(aheadMs);
  return {
    env: {
      // What the program of that name would have set, had it been asked for one time and no more.
      LD_PRELOAD: await runTool('faketime', '-f', '+0', 'printenv', 'LD_PRELOAD'),
      FAKETIME_TIMESTAMP_FILE: file,
      // In seconds. Reading the file at each look at the clock would make Node take twenty times as long to start.
      FAKETIME_CACHE_DURATION: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    },
    set,
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
};
