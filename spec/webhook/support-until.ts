import { setTimeout as delay } from 'node:timers/promises';

/** Waits for a condition instead of a time; fails after `limitMs`. */
export const until = async (condition: () => boolean, limitMs = 5_000): Promise<void> => {
  const endMs = performance.now() + limitMs;
  while (!condition()) {
    if (performance.now() > endMs) throw new Error(`not within ${limitMs} ms: ${condition.toString()}`);
    await delay(5);
  }
};
