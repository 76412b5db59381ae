import { setTimeout as sleep } from 'node:timers/promises';

/** Resolves when the condition holds, which is evaluated every 20 ms; rejects at the timeout. */
export const until = async (condition: () => boolean | Promise<boolean>, withinMs = 15_000): Promise<void> => {
  const endMs = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > endMs) throw new Error(`did not come true within ${withinMs} ms: ${condition.toString()}`);
    await sleep(20);
  }
};

/** Waits for a claim for at most two seconds; the error names it. */
export const eventually = async (claim: () => boolean, what: string): Promise<void> => {
  await until(claim, 2_000).catch((cause: unknown) => {
    throw new Error(`never came true: ${what}`, { cause });
  });
};
