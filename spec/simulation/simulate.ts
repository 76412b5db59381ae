import { createHash, randomInt } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { ownFlags, wholeNumber } from '../support/tool-flags.ts';
import { progressLine } from './progress-line.ts';
import { runHistories } from './run-histories.ts';
import { runHistory } from './run-history.ts';
import { scenarioFrom } from './scenario-from.ts';
import { violationReport } from './violation-report.ts';

/** `npm run simulate`: histories of a whole fleet in virtual time. */
const ABOUT = `npm run simulate -- [flags]

Runs histories of a whole fleet in virtual time, each out of one number, and holds every law of the contract against
every step of them. The last line on stdout is {"runs":…,"steps":…,"violations":…,"seed":…}; with --json it is the only
one. Exit codes: 0 no law was broken, 1 one was (its seed, the fewest faults it takes and a timeline are printed), 2 bad flags.`;

/** Seeds are 32 bits. */
const MOST_SEED = 2 ** 32 - 1;

const out = (text: string): void => void process.stdout.write(`${text}\n`);
const err = (text: string): void => void process.stderr.write(text);

const flags = ownFlags(
  ABOUT,
  {
    runs: wholeNumber(process.argv.includes('--tell') ? 1 : 1_000, 1, 1e9, 'how many histories'),
    seed: wholeNumber(
      randomInt(2 ** 31),
      0,
      MOST_SEED,
      'of the first history, a new one each time; the next ones count on',
    ),
    workers: wholeNumber(availableParallelism(), 1, 256, 'threads'),
  },
  {
    digest: 'also prints the SHA-256 of everything that happened: same seeds, same digest',
    tell: 'tells the history of the seed, whether it breaks a law or not',
  },
);

const simulate = async (runs: number, seed: number): Promise<number> => {
  const { json, switched } = flags;
  // With --json whoever reads stdout wants the last line only.
  const say = json ? (text: string): void => err(`${text}\n`) : out;
  if (switched.tell) for (const line of runHistory(scenarioFrom(seed), { told: true }).lines) say(line);

  const progress = progressLine(runs);
  const totals = await runHistories(seed, runs, {
    workers: Number(flags.asked.workers),
    digested: switched.digest,
    progressed: (so) => {
      if (process.stderr.isTTY) err(progress.text(so));
    },
  });
  if (process.stderr.isTTY) err(progress.end);

  const { steps, virtualMs, slowestRecoveryMs, lateRefusals, violations, digests } = totals;
  const days = (virtualMs / 86_400_000).toFixed(1);
  const slowest = Math.round(slowestRecoveryMs / 1_000);
  say(`${runs} histories, ${days} days in ${progress.seconds()} s; the slowest recovery took ${slowest} s`);
  say(`in ${lateRefusals} an API server that lags by more than TRUST_SETTLE refuses a call, which is not promised`);
  if (switched.digest)
    say(
      `sha256 ${createHash('sha256')
        .update(digests.map((one) => one.digest).join())
        .digest('hex')}`,
    );
  const [first] = violations;
  if (first !== undefined) {
    say(`${violations.length} break a law: ${violations.map((one) => `${one.seed} (${one.law})`).join(', ')}`);
    say(violationReport(first.seed));
  }
  out(JSON.stringify({ runs, steps, violations: violations.length, seed }));
  return violations.length === 0 ? 0 : 1;
};

const [runs, seed] = [Number(flags.asked.runs), Number(flags.asked.seed)];
if (seed + runs - 1 > MOST_SEED) {
  err(`--seed=${seed} --runs=${runs}: expected the last seed to be at most ${MOST_SEED}\nTry --help.\n`);
  process.exitCode = 2;
} else process.exitCode = await simulate(runs, seed);
