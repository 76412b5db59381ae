import { setTimeout as sleep } from 'node:timers/promises';

/** Resolves when the condition holds; rejects when it does not in time. Looks every 20 ms. */
export const until = async (condition: () => boolean | Promise<boolean>, withinMs = 15_000): Promise<void> => {
  const endMs = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > endMs) throw new Error(`did not come true within ${withinMs} ms: ${condition.toString()}`);
    await sleep(20);
  }
};
