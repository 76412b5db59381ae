import { chmod, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { build as bundle, type Metafile } from 'esbuild';

const root = join(import.meta.dirname, '..', '..');

/** CommonJS libraries call `require` for Node's own modules; in an ES module there is none. */
const requireForCommonJs =
  "import { createRequire as createRequireForBundle } from 'node:module';\n" +
  'const require = createRequireForBundle(import.meta.url);';

export interface BuildOptions {
  readonly entry: string;
  readonly outfile: string;
  readonly sourcemap: boolean;
}

export interface Built {
  readonly bytes: number;
  /** What the largest libraries and folders add, in bytes, largest first. */
  readonly parts: readonly (readonly [string, number])[];
}

const partOf = (path: string): string =>
  /node_modules\/(?<library>(?:@[^/]+\/)?[^/]+)\/(?!.*node_modules\/)/.exec(path)?.groups?.['library'] ??
  path.split('/').slice(0, 2).join('/');

const partsOf = ({ outputs }: Metafile): Built['parts'] => {
  const bytes = new Map<string, number>();
  for (const [path, { bytesInOutput }] of Object.values(outputs).flatMap(({ inputs }) => Object.entries(inputs))) {
    bytes.set(partOf(path), (bytes.get(partOf(path)) ?? 0) + bytesInOutput);
  }
  return [...bytes].sort(([, a], [, b]) => b - a);
};

/**
 * Bundles a program into one executable ES module. Identifiers and line breaks stay, so that a stack trace from a cluster
 * can be read without a source map. What is imported by `await import()` is inside, evaluated when it is asked for.
 */
export async function build({ entry, outfile, sourcemap }: BuildOptions): Promise<Built> {
  const { metafile } = await bundle({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    mainFields: ['module', 'main'],
    minifySyntax: true,
    legalComments: 'eof',
    sourcemap: sourcemap ? 'external' : false,
    banner: { js: requireForCommonJs },
    metafile: true,
    logLevel: 'warning',
  });
  await chmod(outfile, 0o755);
  return { bytes: (await stat(outfile)).size, parts: partsOf(metafile) };
}

if (import.meta.main) {
  const outfile = join(root, 'dist', 'webhook-certd.js');
  const { bytes, parts } = await build({
    entry: join(root, 'src', 'main.ts'),
    outfile,
    sourcemap: process.argv.includes('--sourcemap'),
  });
  const kib = (size: number): string => `${(size / 1024).toFixed(0)} KiB`;
  const largest = parts.slice(0, 12).map(([part, size]) => `  ${part.padEnd(32)} ${kib(size).padStart(9)}\n`);
  process.stdout.write(`dist/webhook-certd.js ${kib(bytes)}\n${largest.join('')}`);
}
