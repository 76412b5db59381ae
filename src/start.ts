// Starts the bundle in the same directory with the code cache of an earlier run, which contains every function that V8 had
// compiled by its end. Node's own compile cache contains only what was compiled before the first line ran; compiling the
// functions that a start needs takes a third of the time to the first response. The build makes one CommonJS file of it, in a
// syntax that older versions of Node can read, since Node's loader of ES modules would take another 10 ms.
import { nodeVersionProblem } from './util/node-version.ts';

const problem = nodeVersionProblem(process.versions.node);
if (problem !== null) {
  process.stderr.write(`${problem}\n`);
  process.exit(1);
}

const { readFileSync, realpathSync, renameSync, writeFileSync } = process.getBuiltinModule('node:fs');
const { dirname, join } = process.getBuiltinModule('node:path');
const { Script, constants } = process.getBuiltinModule('node:vm');

// The folder of this file, also where a link on PATH leads to it.
const FOLDER = dirname(realpathSync(process.argv[1] ?? ''));
const PROGRAM = join(FOLDER, 'webhook-certd.js');
const CACHE = join(FOLDER, 'webhook-certd.cache');

const read = (): Buffer | undefined => {
  try {
    return readFileSync(CACHE);
  } catch {
    return undefined;
  }
};

// Node warns of the loader below at the first import(). Users of the program can do nothing about it.
const emitWarning = process.emitWarning.bind(process) as (...warning: readonly unknown[]) => void;
process.emitWarning = (...warning: readonly unknown[]) => {
  if (!String(warning[0]).includes('USE_MAIN_CONTEXT_DEFAULT_LOADER')) emitWarning(...warning);
};

const cachedData = read();
// The bundle is ASCII. V8 rejects a cache of another source, another version or other flags, and then compiles.
const script = new Script(readFileSync(PROGRAM, 'latin1'), {
  filename: PROGRAM,
  importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  ...(cachedData === undefined || cachedData.length === 0 ? {} : { cachedData }),
});

// An empty cache file is filled, which the build of the image relies on; any other stays as it is. Of several replicas the
// smallest cache is kept, that of a follower, since it is read fastest; a leader has time to compile the rest.
if (cachedData?.length === 0 && process.argv[2] === 'serve') {
  process.on('exit', () => {
    const created = script.createCachedData();
    const before = read()?.length ?? 0;
    if (before > 0 && before <= created.length) return;
    writeFileSync(`${CACHE}.${process.pid}`, created);
    renameSync(`${CACHE}.${process.pid}`, CACHE);
  });
}
script.runInThisContext();
