import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TemporaryDirectory extends AsyncDisposable {
  readonly path: string;
  /** Writes a file and returns its path. */
  write(name: string, content: string, mode?: number): Promise<string>;
}

/** Makes a temporary directory, which is removed on disposal. */
export const temporaryDirectory = async (): Promise<TemporaryDirectory> => {
  const path = await mkdtemp(join(tmpdir(), 'webhook-certd-'));
  return {
    path,
    write: async (name, content, mode = 0o600) => {
      const file = join(path, name);
      await writeFile(file, content, { mode });
      return file;
    },
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
};
