import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TemporaryDirectory extends AsyncDisposable {
  readonly path: string;
  /** Writes a file and yields its path. */
  write(name: string, content: string, mode?: number): Promise<string>;
}

export const temporaryDirectory = async (): Promise<TemporaryDirectory> => {
  const path = await mkdtemp(join(tmpdir(), 'kube-spec-'));
  return {
    path,
    async write(name, content, mode = 0o600) {
      const file = join(path, name);
      await writeFile(file, content, { mode });
      return file;
    },
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
};
