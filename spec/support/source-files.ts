import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** One source file of this repository, as text. */
export interface SourceFile {
  /** From the repository's root, with forward slashes. */
  readonly path: string;
  readonly text: string;
  /** Everything it imports, types and late imports included: own files from the root, packages by name. */
  readonly imports: readonly string[];
}

const IMPORT = /(?:from|import)\s*\(?\s*'([^']+)'/g;

/** The sources below these folders. */
export const sourceFiles = (...folders: readonly string[]): readonly SourceFile[] =>
  folders.flatMap((folder) =>
    globSync(`${folder}/**/*.ts`, { cwd: ROOT }).map((path) => {
      const text = readFileSync(join(ROOT, path), 'utf8');
      const imports = [...text.matchAll(IMPORT)].map(([, name = '']) =>
        name.startsWith('.') ? normalize(join(dirname(path), name)) : name,
      );
      return { path, text, imports };
    }),
  );
