import { ownFlags, wholeNumber } from '../support/tool-flags.ts';
import { fuzzed } from './fuzzed.ts';

const about = `npm run fuzz -- [--runs N] [--seed S] [--only TEXT]

Holds every law with N inputs made from the seed, with N/20 where each costs a file or a connection. The same seed tries
the same inputs. The last line is {"runs":…,"failures":…,"seed":…}, runs being the inputs that were tried. Ends with 1 when
a law is broken, with 2 for a bad flag.`;
const { asked } = ownFlags(about, {
  runs: wholeNumber(10_000, 0, 9_999_999_999, 'inputs a law'),
  seed: wholeNumber(Date.now() % 2 ** 31, 0, 9_999_999_999, 'of everything random'),
  only: { standard: '', accepts: 'a part of a name', isGood: () => true, help: 'keeps the laws whose name has it' },
});
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const [numRuns, seed] = [Number(asked.runs), Number(asked.seed)];

let runs = 0;
let failures = 0;
let tried = '';
const crashed = new Set<string>();
// What is thrown outside a property is a crash of the daemon.
process.on('uncaughtException', (error) => {
  failures += 1;
  // One that comes with each input would bury the rest.
  if (crashed.has(tried)) return;
  crashed.add(tried);
  say(`CRASHED ${tried}: ${error.stack ?? String(error)}`);
});

for (const [what, laws] of Object.entries(fuzzed)) {
  for (const { law, oneIn, check } of laws) {
    tried = `${what} ${law}`;
    if (!tried.includes(asked.only)) continue;
    const startMs = performance.now();
    const outcome = await check({ numRuns: Math.max(1, Math.ceil(numRuns / oneIn)), seed });
    runs += outcome.runs;
    const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
    say(`${outcome.broken === null ? 'holds ' : 'BROKEN'} ${tried}: ${outcome.runs} runs, ${seconds} s`);
    if (outcome.broken === null) continue;
    failures += 1;
    say(outcome.broken);
  }
}
say(JSON.stringify({ runs, failures, seed }));
process.exitCode = failures > 0 ? 1 : 0;
