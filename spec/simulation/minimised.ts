import fc from 'fast-check';
import { runHistory } from './run-history.ts';
import type { Scenario } from './scenario.ts';

/** Histories tried at most: a person waits for it. */
const MOST_TRIES = 300;

/** The same history with as few of its faults as still break the same law. */
export const minimised = (scenario: Scenario, law: string, run = runHistory): Scenario => {
  let tries = 0;
  const isHarmless = (faults: Scenario['faults']): boolean => {
    tries += 1;
    return tries > MOST_TRIES || run({ ...scenario, faults }).violation?.law !== law;
  };
  const { counterexample } = fc.check(fc.property(fc.subarray([...scenario.faults]), isHarmless), {
    examples: [[[...scenario.faults]]],
    numRuns: 1,
    seed: scenario.seed,
  });
  // Shrinking halves; what is left is tried one by one.
  let faults: Scenario['faults'] = counterexample?.[0] ?? scenario.faults;
  for (let at = faults.length - 1; at >= 0; at -= 1) {
    const fewer = faults.filter((_, other) => other !== at);
    if (!isHarmless(fewer)) {
      faults = fewer;
      at = faults.length;
    }
  }
  return { ...scenario, faults };
};
