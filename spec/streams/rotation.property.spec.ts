import { availableParallelism } from 'node:os';
import { expect } from 'chai';
import { runHistories } from '../simulation/run-histories.ts';
import { runHistory } from '../simulation/run-history.ts';
import { scenarioFrom } from '../simulation/scenario-from.ts';
import { violationReport } from '../simulation/violation-report.ts';

/** `SEED=7` reruns history 7 alone; `RUNS=100000` tries more of them, from SEED on or from 1. */
const { SEED, RUNS, MOCHA_WORKER_ID } = process.env;
const FIRST_SEED = Number(SEED ?? 1);
const HISTORIES = Number(RUNS ?? (SEED === undefined ? 400 : 1));
/** Where mocha has workers, each of them has one core. */
const WORKERS = MOCHA_WORKER_ID === undefined ? availableParallelism() : 1;
/** A hundred times what a history takes. */
const TIMEOUT_MS = 60_000 + HISTORIES * 1_000;

describe('rotation, in virtual time', function () {
  this.timeout(TIMEOUT_MS);

  it(`keeps F1 to F9, L2 to L6 and L8 after every step of ${HISTORIES} histories, and recovers from each`, async () => {
    const beganMs = performance.now();
    const { runs, steps, virtualMs, slowestRecoveryMs, violations } = await runHistories(FIRST_SEED, HISTORIES, {
      workers: WORKERS,
    });
    const seconds = Math.round((performance.now() - beganMs) / 1_000);
    const days = Math.round(virtualMs / 86_400_000);
    console.log(
      `      ${runs} histories from seed ${FIRST_SEED}, ${steps} steps, ${days} days in ${seconds} s; ` +
        `slowest recovery ${Math.round(slowestRecoveryMs / 1_000)} s`,
    );
    const [first] = violations;
    if (first !== undefined) {
      const others = violations.map(({ seed, law }) => `${seed} (${law})`).join(', ');
      expect.fail(`${violations.length} of ${runs} histories break a law: ${others}\n${violationReport(first.seed)}`);
    }
    expect(runs).to.equal(HISTORIES);
  });

  it('tells the same history of the same seed, to the byte', () => {
    for (const seed of [FIRST_SEED, FIRST_SEED + 1, FIRST_SEED + 2]) {
      const [one, other] = [seed, seed].map((again) => runHistory(scenarioFrom(again), { told: true }));
      expect(one?.lines).to.have.length.above(0);
      expect(one).to.deep.equal(other);
    }
  });
});
