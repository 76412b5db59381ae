import { createHash } from 'node:crypto';
import { progressLine } from './progress-line.ts';
import { runHistories } from './run-histories.ts';
import { runHistory } from './run-history.ts';
import { scenarioFrom } from './scenario-from.ts';
import { simulateHelp } from './simulate-help.ts';
import { type SimulateOptions, simulateOptions } from './simulate-options.ts';
import { violationReport } from './violation-report.ts';

/** `npm run simulate`: see simulate-help.ts. */
const out = (text: string): void => void process.stdout.write(`${text}\n`);
const err = (text: string): void => void process.stderr.write(text);

const simulate = async ({ runs, seed, workers, json, digest, tell }: SimulateOptions): Promise<number> => {
  // With --json whoever reads stdout wants the last line only.
  const say = json ? (text: string): void => err(`${text}\n`) : out;
  if (tell) for (const line of runHistory(scenarioFrom(seed), { told: true }).lines) say(line);

  const progress = progressLine(runs);
  const totals = await runHistories(seed, runs, {
    workers,
    digested: digest,
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
  if (digest)
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

const parsed = simulateOptions(process.argv.slice(2));
if (!parsed.ok) {
  err(`${parsed.problem}\nnpm run simulate -- --help explains every flag\n`);
  process.exitCode = 2;
} else if (parsed.options === 'help') process.stdout.write(simulateHelp);
else process.exitCode = await simulate(parsed.options);
