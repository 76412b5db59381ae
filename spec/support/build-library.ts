import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, normalize, relative } from 'node:path';
import { build } from 'esbuild';
import ts from 'typescript';

const root = join(import.meta.dirname, '..', '..');
const entries = {
  index: 'src/embed/index.ts',
  handler: 'src/embed/handler.ts',
  testing: 'src/author/testing.ts',
  streams: 'streams/index.ts',
};

/** Plain JavaScript, since Node strips no types below node_modules. The entries share their classes. */
const emitScripts = (outdir: string): Promise<unknown> =>
  build({
    absWorkingDir: root,
    entryPoints: entries,
    outdir,
    chunkNames: 'parts/[name]-[hash]',
    bundle: true,
    splitting: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node24',
    logLevel: 'warning',
  });

/** Declarations of every source file that the entries reach, by their paths from the root. */
const declarations = (): ReadonlyMap<string, string> => {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as {
    readonly config: { readonly compilerOptions: object };
  };
  const { options } = ts.convertCompilerOptionsFromJson(
    // `npm run check` checks; here only declarations are wanted.
    {
      ...config.compilerOptions,
      incremental: false,
      noEmit: false,
      declaration: true,
      emitDeclarationOnly: true,
      noCheck: true,
      rootDir: root,
    },
    root,
  );
  const texts = new Map<string, string>();
  const program = ts.createProgram({ rootNames: Object.values(entries).map((entry) => join(root, entry)), options });
  program.emit(undefined, (path, text) => texts.set(relative(root, path), text));
  return texts;
};

/** An import of an own file; the compiler writes those of types that it inferred with double quotes. */
const own = /(from|import)(\s*\(?\s*)(['"])(\.{1,2}\/[^'"]+)\.ts\3/g;

/** The public declarations alone, with imports as they are usual in packages. */
const emitDeclarations = async (outdir: string): Promise<void> => {
  const texts = declarations();
  const wanted = new Set(Object.values(entries).map((entry) => entry.replace(/\.ts$/, '.d.ts')));
  for (const path of wanted) {
    const text = texts.get(path);
    if (text === undefined) throw new Error(`no declarations were emitted for ${path}`);
    for (const [, , , , name = ''] of text.matchAll(own)) wanted.add(normalize(join(dirname(path), `${name}.d.ts`)));
    await mkdir(dirname(join(outdir, path)), { recursive: true });
    await writeFile(join(outdir, path), text.replaceAll(own, '$1$2$3$4.js$3'));
  }
};

/** Builds what `import 'webhook-certd'` and its subpaths find in the package. */
export const buildLibrary = async (outdir: string): Promise<void> => {
  const [lib, types] = [join(outdir, 'lib'), join(outdir, 'types')];
  for (const folder of [lib, types]) await rm(folder, { recursive: true, force: true });
  await Promise.all([emitScripts(lib), emitDeclarations(types)]);
};

if (import.meta.main) await buildLibrary(join(root, 'dist'));
