import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until a claim holds, for at most two seconds. */
export const eventually = async (claim: () => boolean, what: string): Promise<void> => {
  for (const endMs = performance.now() + 2_000; performance.now() < endMs;) {
    if (claim()) return;
    await sleep(5);
  }
  throw new Error(`never came true: ${what}`);
};
