import { rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runTool, undoAtExit } from './run-tool.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** A file system of its own, in memory, with hardly any room. */
export interface SmallDisk extends AsyncDisposable {
  readonly path: string;
  /** Leaves not one block. */
  fill(): Promise<void>;
  /** Makes room again. */
  empty(): Promise<void>;
}

const FILLER = 'filler';

/** Needs root. */
export const mountSmallDisk = async (size = '256k'): Promise<SmallDisk> => {
  const { path, ...directory } = await temporaryDirectory();
  await runTool('mount', '-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', path);
  const unmount = undoAtExit('umount', '--lazy', path);
  return {
    path,
    fill: async () => {
      const { bavail, bsize } = await statfs(path);
      await writeFile(join(path, FILLER), Buffer.alloc(bavail * bsize, 'x'));
    },
    empty: () => rm(join(path, FILLER), { force: true }),
    [Symbol.asyncDispose]: async () => {
      unmount();
      await directory[Symbol.asyncDispose]();
    },
  };
};
