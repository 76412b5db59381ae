// Starts the bundle beside it as an earlier replica left it: with the code that V8 had made by then of every function that
// ran. Node's own compile cache keeps what was made before the first line ran, and each function that a start needs is then
// made anew: a third of the time to the first answer. No import statement, since Node's loader of ES modules would take
// another 10 ms.

const { readFileSync, renameSync, writeFileSync } = process.getBuiltinModule('node:fs');
const { dirname, join } = process.getBuiltinModule('node:path');
const { Script, constants } = process.getBuiltinModule('node:vm');

const FOLDER = dirname(process.argv[1] ?? '');
const PROGRAM = join(FOLDER, 'webhook-certd.js');
const CACHE = join(FOLDER, 'webhook-certd.cache');

const read = (): Buffer | undefined => {
  try {
    return readFileSync(CACHE);
  } catch {
    return undefined;
  }
};

const cachedData = read();
// The bundle is ASCII. V8 takes no cache of another source, of another V8 or under other flags: it then compiles.
const script = new Script(readFileSync(PROGRAM, 'latin1'), {
  filename: PROGRAM,
  importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  ...(cachedData === undefined || cachedData.length === 0 ? {} : { cachedData }),
});

// An empty cache is there to be filled, which is what the build of an image does; any other stays as it is. Of several
// replicas the one that only follows leaves the smallest, which is read the soonest: who leads has time.
if (cachedData?.length === 0 && process.argv[2] === 'serve') {
  process.on('exit', () => {
    const made = script.createCachedData();
    const before = read()?.length ?? 0;
    if (before > 0 && before <= made.length) return;
    writeFileSync(`${CACHE}.${process.pid}`, made);
    renameSync(`${CACHE}.${process.pid}`, CACHE);
  });
}
script.runInThisContext();
