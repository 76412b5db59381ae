import { randomBytes } from 'node:crypto';
import { mkdir, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

type Files = Readonly<Record<string, string | Buffer>>;

export interface AtomicWriter {
  /** Swaps the whole content in, as the kubelet's AtomicWriter does, and removes the old generation. */
  write(files: Files): Promise<void>;
  /** The same up to the swap, which is the function it resolves with. */
  prepare(files: Files): Promise<() => Promise<void>>;
}

const generationName = (): string =>
  `..${new Date().toISOString().slice(0, 19).replaceAll(/[-T:]/g, '_')}.${randomBytes(5).toString('hex')}`;

/** A Secret volume as a kubelet keeps it: `tls.crt → ..data/tls.crt`, `..data → ..2026_01_31_…`. */
export const atomicWriter = (directory: string): AtomicWriter => {
  const visible = new Set<string>();
  const prepare: AtomicWriter['prepare'] = async (files) => {
    const before = await readlink(join(directory, '..data')).catch(() => null);
    const name = generationName();
    await mkdir(join(directory, name), { recursive: true });
    for (const [file, content] of Object.entries(files)) await writeFile(join(directory, name, file), content);
    await symlink(name, join(directory, '..data_tmp'));
    return async () => {
      await rename(join(directory, '..data_tmp'), join(directory, '..data'));
      for (const file of Object.keys(files).filter((each) => !visible.has(each))) {
        await symlink(join('..data', file), join(directory, file));
        visible.add(file);
      }
      for (const file of [...visible].filter((each) => !(each in files))) {
        await rm(join(directory, file));
        visible.delete(file);
      }
      if (before !== null) await rm(join(directory, before), { recursive: true });
    };
  };
  return {
    prepare,
    async write(files) {
      const swap = await prepare(files);
      await swap();
    },
  };
};
