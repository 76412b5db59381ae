import { setTimeout as sleep } from 'node:timers/promises';
import { waitLimit } from './wait-limit.ts';

/** Resolves when the condition holds; rejects when it does not in time. Checks every 20 ms; the limit scales with the load. */
export const until = async (condition: () => boolean | Promise<boolean>, withinMs = 15_000): Promise<void> => {
  const limitMs = waitLimit(withinMs);
  const endMs = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > endMs) throw new Error(`did not come true within ${limitMs} ms: ${condition.toString()}`);
    await sleep(20);
  }
};

/** Waits for a claim for at most two seconds; the error names it. */
export const eventually = async (claim: () => boolean, what: string): Promise<void> => {
  await until(claim, 2_000).catch((cause: unknown) => {
    throw new Error(`never came true: ${what}`, { cause });
  });
};
