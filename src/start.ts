import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Script, constants } from 'node:vm';

// Starts the bundle beside it as an earlier replica left it: with the code that V8 had made by then of every function that
// ran. Node's own compile cache keeps what was made before the first line ran, and each function that a start needs is then
// made anew: a third of the time to the first answer.

const program = join(import.meta.dirname, 'webhook-certd.js');
const cache = join(import.meta.dirname, 'webhook-certd.cache');

const read = (): Buffer | undefined => {
  try {
    return readFileSync(cache);
  } catch {
    return undefined;
  }
};

const cachedData = read();
// The bundle is ASCII. V8 takes no cache of another source, of another V8 or under other flags: it then compiles.
const script = new Script(readFileSync(program, 'latin1'), {
  filename: program,
  importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  ...(cachedData === undefined || cachedData.length === 0 ? {} : { cachedData }),
});

// An empty cache is there to be filled, which is what the build of an image does; any other stays as it is.
if (cachedData?.length === 0 && process.argv[2] === 'serve') {
  process.on('exit', () => {
    writeFileSync(`${cache}.new`, script.createCachedData());
    renameSync(`${cache}.new`, cache);
  });
}
script.runInThisContext();
