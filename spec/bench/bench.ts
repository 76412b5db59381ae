import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from '../support/build.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { figures } from './figures.ts';
import { buildPeer, bundle } from './programs.ts';
import { type Result, result, table } from './report.ts';

const help = `npm run bench -- [--json] [--only NAME,...] [--quick]

Measures the figures of docs/performance.md on the production bundle (built if absent or stale). Needs Linux, because it reads
/proc. Takes about 25 minutes; run it on an otherwise idle machine.

  --json   the last line is one object: {"machine":{"cpu","cores","node"},"figures":[FIGURE,...],"failed":[NAME,...]}, where
           FIGURE is {"figure","name","unit","median","p99","baseline":{"name","median","p99"}|null,"ratio":number|null,
           "go":{"median","p99","ratio":number|null}|null,"limit":[{"of":"median"|"p99"|"ratio"|"go","atMost"?,"atLeast"?},...],
           "met":boolean}
  --only   these figures: ${Object.keys(figures).join(', ')}
  --quick  few rounds, to see that it runs; the numbers are worth nothing

A figure is measured in turn with its baseline, A B A B, and the ratio is the median of those of the turns.
The Go column is the same webhook in Go (spec/bench/peer-go), where a Go toolchain is installed to compile it. Ends with 0, missed marks or
not; with 1 when something could not be measured; with 2 when asked for what there is not.`;

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    only: { type: 'string', default: Object.keys(figures).join() },
    quick: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const print = (text: string): void => void process.stdout.write(`${text}\n`);
const say = (text: string): void => void process.stderr.write(`${text}\n`);

const refuse = (why: string): never => {
  say(why);
  process.exit(2);
};

if (values.help) {
  print(help);
  process.exit();
}
if (process.platform !== 'linux') refuse('bench: needs Linux, since it reads /proc');
const names = values.only.split(',');
const unknown = names.filter((name) => !(name in figures));
if (unknown.length > 0) refuse(`bench: no figure is called ${unknown.join(', ')}: ${Object.keys(figures).join(', ')}`);

const production = await bundle();
await using peerFolder = await temporaryDirectory();
const peer = await buildPeer(peerFolder.path);
if (peer === null) say('bench: no Go toolchain is installed, so there is no Go column');
const found: Result[] = [];
const failed: string[] = [];
for (const name of names) {
  say(`${name} …`);
  await using folder = await temporaryDirectory();
  const buildOwn = async (own: string): Promise<string> => {
    const outfile = join(folder.path, `${own}.mjs`);
    await build({ entry: join(import.meta.dirname, `${own}.ts`), outfile, sourcemap: false });
    return outfile;
  };
  try {
    const measure = await figures[name]!();
    const findings = await measure({
      quick: values.quick,
      folder: folder.path,
      production,
      build: buildOwn,
      peer,
      say,
    });
    const results = findings.map((finding) => result(name, finding));
    found.push(...results);
    if (values.json) say(table(results));
  } catch (error) {
    failed.push(name);
    say(`${name}: ${error instanceof Error ? error.stack : String(error)}`);
  }
}
const machine = { cpu: cpus()[0]?.model ?? '', cores: cpus().length, node: process.version };
print(values.json ? JSON.stringify({ machine, figures: found, failed }) : table(found));
process.exitCode = failed.length > 0 ? 1 : 0;
