import { parseArgs } from 'node:util';
import { fuzzed } from './fuzzed.ts';

/**
 * `npm run fuzz -- --runs N --seed S`: every law with N inputs made from the seed, with N/20 where each costs a file or a
 * connection. The last line is `{"runs","failures","seed"}`, runs being the inputs that were tried. The same seed tries
 * the same inputs. `--only TEXT` keeps the laws whose name has it. Ends with 1 when a law is broken.
 */
const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '10000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    only: { type: 'string', default: '' },
  },
});
const [numRuns, seed] = [Number(values.runs), Number(values.seed)];
const say = (text: string): void => void process.stdout.write(`${text}\n`);

let runs = 0;
let failures = 0;
let about = '';
const crashed = new Set<string>();
// What is thrown outside a property is a crash of the daemon.
process.on('uncaughtException', (error) => {
  failures += 1;
  // One that comes with each input would bury the rest.
  if (crashed.has(about)) return;
  crashed.add(about);
  say(`CRASHED ${about}: ${error.stack ?? String(error)}`);
});

for (const [what, laws] of Object.entries(fuzzed)) {
  for (const { law, oneIn, check } of laws) {
    about = `${what} ${law}`;
    if (!about.includes(values.only)) continue;
    const startMs = performance.now();
    const outcome = await check({ numRuns: Math.max(1, Math.ceil(numRuns / oneIn)), seed });
    runs += outcome.runs;
    const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
    say(`${outcome.broken === null ? 'holds ' : 'BROKEN'} ${about}: ${outcome.runs} runs, ${seconds} s`);
    if (outcome.broken === null) continue;
    failures += 1;
    say(outcome.broken);
  }
}
say(JSON.stringify({ runs, failures, seed }));
process.exitCode = failures > 0 ? 1 : 0;
