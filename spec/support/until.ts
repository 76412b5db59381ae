import { availableParallelism, loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

/** More would let a spec that hangs go on for too long. */
const MOST = 8;
const SAMPLE_MS = 50;
/** A shorter limit is what the spec asserts; a longer one only detects a hang. */
const MIN_SCALED_MS = 10_000;

/** How many times longer a piece of work takes than the processor works for it. */
const contention = (): number => {
  const beganMs = performance.now();
  const began = process.cpuUsage();
  let ranMs = 0;
  while (ranMs < SAMPLE_MS) {
    const { user, system } = process.cpuUsage(began);
    ranMs = (user + system) / 1_000;
  }
  return (performance.now() - beganMs) / ranMs;
};

const loadPerCore = (): number => (loadavg()[0] ?? 0) / availableParallelism();

/** How many times slower than an idle one this machine is, measured once in a process: 1 to 8. */
export const slowness = Math.min(MOST, Math.max(1, contention(), loadPerCore()));

/** A time limit that a spec gives to the code under test and that honest work must not exceed, on a machine as busy as this one was at the start or is by now. */
export const scaled = (ms: number): number => Math.ceil(ms * Math.min(MOST, Math.max(slowness, loadPerCore())));

/** The time limit of a wait, so that a spec does not fail because the machine is busy. */
export const waitLimit = (ms: number): number => (ms < MIN_SCALED_MS ? ms : scaled(ms));

/** Resolves when the condition holds; rejects when it does not in time. Checks every 20 ms; the limit scales with the load. */
export const until = async (condition: () => boolean | Promise<boolean>, withinMs = 15_000): Promise<void> => {
  const limitMs = waitLimit(withinMs);
  const endMs = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > endMs) throw new Error(`did not come true within ${limitMs} ms: ${condition.toString()}`);
    await sleep(20);
  }
};

/** Waits for a claim; the error names it. */
export const eventually = async (claim: () => boolean, what: string): Promise<void> => {
  await until(claim).catch((cause: unknown) => {
    throw new Error(`never came true: ${what}`, { cause });
  });
};
