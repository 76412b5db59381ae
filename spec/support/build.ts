import { mkdir, writeFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { dirname, join } from 'node:path';
import { build as bundle, type BuildOptions as EsbuildOptions, type Metafile, type Plugin } from 'esbuild';
import { writeNotices } from './write-notices.ts';
import { writeSbom } from './write-sbom.ts';

const root = join(import.meta.dirname, '..', '..');

/**
 * One function around it all, so that the file is a module to Node and a script to `start.ts`, and leaves nothing global.
 * CommonJS libraries call `require` for Node's own modules; in a module there is none.
 */
const begin = "(function(require,module){'use strict';";
const end = "\n})(process.getBuiltinModule('node:module').createRequire('file:///'),{});\n";

/**
 * Takes Node's own modules where they are first used. An `import` of one loads it before anything runs, those of late
 * imports too, and reads each of its exports: of node:http that evaluates the whole of `fetch` and WebSocket, a fifth of
 * our start. https://github.com/nodejs/node/blob/v26.0.0/lib/internal/bootstrap/realm.js (syncExports)
 */
const builtinsWhenUsed: Plugin = {
  name: 'builtins-when-used',
  setup: (build) => {
    build.onResolve({ filter: /./ }, ({ path, kind }) =>
      kind === 'import-statement' && isBuiltin(path) ? { path, namespace: 'builtin', sideEffects: false } : null,
    );
    build.onLoad({ filter: /./, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)})`,
    }));
  },
};

/**
 * rxjs names CommonJS first for Node, of which nothing can be left out: 313 KiB instead of 58.
 * https://github.com/ReactiveX/rxjs/blob/7.8.2/package.json#L14
 */
const alias = { rxjs: join(root, 'node_modules/rxjs/dist/esm/index.js') };

/**
 * What libraries name and we do not use, by who names it. Of client-node only the kubeconfig's credentials are used, whose
 * `config.js` also names the generated client of every API, and the whole of undici for two agents: a third of the bundle,
 * which each start reads and each replica holds. Our lines get their colours from us.
 */
const unused: Readonly<Record<string, string>> = {
  '@colors/colors/safe': 'module.exports = {}',
  './gen/index.js': `
    export const createConfiguration = () => { throw new Error('the generated clients are not in the bundle') };
    export class ServerConfiguration {}`,
  undici: `
    export { default as Agent } from 'undici/lib/dispatcher/agent.js';
    export { default as ProxyAgent } from 'undici/lib/dispatcher/proxy-agent.js'`,
};

const withoutUnused: Plugin = {
  name: 'without-unused',
  setup: (build) => {
    build.onResolve({ filter: /./ }, ({ path, importer }) =>
      path in unused && /client-node\/dist\/config\.js$|logform\/colorize\.js$/.test(importer)
        ? { path, namespace: 'unused' }
        : null,
    );
    build.onLoad({ filter: /./, namespace: 'unused' }, ({ path }) => ({
      contents: unused[path] ?? '',
      resolveDir: root,
    }));
  },
};

/** V8 holds a source in two bytes a character as soon as one is beyond Latin-1: that would double what stays in memory. */
const inAscii = (text: string): string =>
  text.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

const wrapped = (text: string): string => {
  const [, shebang = '', rest = ''] = /^(#![^\n]*\n)?(.*)$/s.exec(text) ?? [];
  return `${shebang}${begin}${rest}${end}`;
};

const common = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node24',
  mainFields: ['module', 'main'],
  alias,
  minifySyntax: true,
  minifyWhitespace: true,
  lineLimit: 120,
  legalComments: 'eof',
  metafile: true,
  write: false,
  logLevel: 'warning',
} satisfies EsbuildOptions;

/** What is used of a library in a box, where it is not most of it. */
const boxed: Readonly<Record<string, string>> = { 'js-yaml': '{ load, loadAll }' };

/**
 * Libraries that few starts need go into a function of their own. All else that comes from ES modules stands side by side in
 * one, and V8 makes an object of each function there before the first line runs, and keeps it with what it made of the
 * bundle: an eighth of that would be of these.
 *
 * @param boxes gets what is in each, by what stands for it in the whole
 */
const lateInBoxes = (boxes: Map<string, Metafile>, sourcemap: boolean): Plugin => ({
  name: 'late-in-boxes',
  setup: (build) => {
    build.onResolve({ filter: /^@peculiar\/x509$|^js-yaml$|client-node\/dist\/config\.js$/ }, ({ path }) => ({
      path,
      namespace: 'box',
    }));
    build.onLoad({ filter: /./, namespace: 'box' }, async ({ path }) => {
      const { metafile, outputFiles } = await bundle({
        ...common,
        stdin: { contents: `export ${boxed[path] ?? '*'} from ${JSON.stringify(path)}`, resolveDir: root },
        plugins: [builtinsWhenUsed, withoutUnused],
        // A front forwards with the same undici, and `try` reads objects with the same js-yaml.
        external: ['undici/*', ...(path === 'js-yaml' ? [] : ['js-yaml'])],
        sourcemap: sourcemap ? 'inline' : false,
      });
      boxes.set(`box:${path}`, metafile);
      return { contents: outputFiles[0]?.text ?? '', resolveDir: root };
    });
  },
});

export interface BuildOptions {
  readonly entry: string;
  readonly outfile: string;
  readonly sourcemap: boolean;
}

export interface Built {
  readonly bytes: number;
  /** What the largest libraries and folders add, in bytes, largest first. */
  readonly parts: readonly (readonly [string, number])[];
  /** Every file of which something is inside, by its path from the root. */
  readonly inputs: readonly string[];
}

const partOf = (path: string): string =>
  /node_modules\/(?<library>(?:@[^/]+\/)?[^/]+)\/(?!.*node_modules\/)/.exec(path)?.groups?.['library'] ??
  path.split('/').slice(0, 2).join('/');

type Inside = readonly (readonly [path: string, bytes: number])[];

/** What was parsed and then dropped as unused is not inside. */
const insideOf = (whole: Metafile, boxes: ReadonlyMap<string, Metafile>): Inside =>
  [whole, ...boxes.values()]
    .flatMap(({ outputs }) => Object.values(outputs).flatMap(({ inputs }) => Object.entries(inputs)))
    .flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 && !boxes.has(path) ? [[path, bytesInOutput]] : []));

const partsOf = (inside: Inside): Built['parts'] => {
  const parts = new Map<string, number>();
  for (const [path, bytes] of inside) parts.set(partOf(path), (parts.get(partOf(path)) ?? 0) + bytes);
  return [...parts].sort(([, a], [, b]) => b - a);
};

/**
 * Bundles a program without exports into one executable file. Identifiers stay and lines are short, so that a stack trace from a
 * cluster can be read without a source map; comments and spaces go, since the source stays in memory. What is imported by
 * `await import()` is inside, evaluated when it is asked for.
 */
export const build = async ({ entry, outfile, sourcemap }: BuildOptions): Promise<Built> => {
  const boxes = new Map<string, Metafile>();
  const { metafile, outputFiles } = await bundle({
    ...common,
    entryPoints: [entry],
    outfile,
    plugins: [builtinsWhenUsed, withoutUnused, lateInBoxes(boxes, sourcemap)],
    sourcemap: sourcemap ? 'external' : false,
  });
  await mkdir(dirname(outfile), { recursive: true });
  let bytes = 0;
  for (const { path, text } of outputFiles) {
    const written = path.endsWith('.map') ? text : inAscii(wrapped(text));
    if (path === outfile) bytes = written.length;
    await writeFile(path, written, { mode: 0o755 });
  }
  const inside = insideOf(metafile, boxes);
  return { bytes, parts: partsOf(inside), inputs: inside.map(([path]) => path) };
};

/**
 * Writes what starts the bundle beside it with the code that V8 made of it earlier. Its syntax is that of old versions of
 * Node, which it refuses.
 */
export const buildStart = async (folder: string): Promise<void> => {
  const outfile = join(folder, 'start.cjs');
  const { outputFiles } = await bundle({
    absWorkingDir: root,
    entryPoints: [join(root, 'src', 'start.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node12',
    banner: { js: '#!/usr/bin/env node' },
    write: false,
    logLevel: 'warning',
  });
  for (const { text } of outputFiles) await writeFile(outfile, text, { mode: 0o755 });
};

if (import.meta.main) {
  const outfile = join(root, 'dist', 'webhook-certd.js');
  const { bytes, parts, inputs } = await build({
    entry: join(root, 'src', 'main.ts'),
    outfile,
    sourcemap: process.argv.includes('--sourcemap'),
  });
  await buildStart(dirname(outfile));
  await writeSbom(root, outfile, inputs, join(root, 'dist', 'sbom.cdx.json'));
  await writeNotices(root, inputs, join(root, 'dist', 'THIRD-PARTY-NOTICES.txt'));
  const kib = (size: number): string => `${(size / 1024).toFixed(0)} KiB`;
  const largest = parts.slice(0, 12).map(([part, size]) => `  ${part.padEnd(32)} ${kib(size).padStart(9)}\n`);
  process.stdout.write(`dist/webhook-certd.js ${kib(bytes)}\n${largest.join('')}`);
}
