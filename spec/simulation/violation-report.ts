import { minimised } from './minimised.ts';
import { runHistory } from './run-history.ts';
import { scenarioFrom } from './scenario-from.ts';

/** Lines of the timeline that are shown: what broke it is seldom long ago. */
const MOST_LINES = 120;

/** All that a person needs about one broken law: the seed, the fewest faults, what happened. */
export const violationReport = (seed: number, run = runHistory): string => {
  const scenario = scenarioFrom(seed);
  const { violation } = run(scenario);
  if (violation === null) return `seed ${seed} breaks no law`;
  const { faults, policy, ...rest } = minimised(scenario, violation.law, run);
  const { lines } = run({ ...rest, faults, policy }, { told: true });
  return [
    `${violation.law} is broken: ${violation.what}`,
    `seed ${seed}; rerun: npm run simulate -- --runs 1 --seed ${seed}`,
    `policy: ${JSON.stringify(policy)}`,
    `scenario: ${JSON.stringify(rest)}`,
    `${faults.length} of ${scenario.faults.length} faults needed:`,
    ...faults.map(({ atMs, fault }) => `  ${atMs} ms ${JSON.stringify(fault)}`),
    'timeline (s):',
    ...(lines.length > MOST_LINES ? ['  …'] : []),
    ...lines.slice(-MOST_LINES),
  ].join('\n');
};
