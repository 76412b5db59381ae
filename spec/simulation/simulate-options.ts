import { randomInt } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';

export interface SimulateOptions {
  readonly runs: number;
  /** Of the first history; the next ones count on. */
  readonly seed: number;
  readonly workers: number;
  readonly json: boolean;
  readonly digest: boolean;
  readonly tell: boolean;
}

/** Seeds are 32 bits. */
const SEEDS = 2 ** 32;

type Parsed =
  { readonly ok: true; readonly options: SimulateOptions | 'help' } | { readonly ok: false; readonly problem: string };

const wholeNumber = (
  flag: string,
  text: string | undefined,
  least: number,
  most: number,
  standard: () => number,
): number => {
  if (text === undefined) return standard();
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (!(value >= least && value <= most))
    throw new Error(`--${flag} takes a whole number from ${least} to ${most}, not "${text}"`);
  return value;
};

/** What the flags ask for, or what is wrong with them, in one line. */
export const simulateOptions = (args: readonly string[]): Parsed => {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        runs: { type: 'string' },
        seed: { type: 'string' },
        workers: { type: 'string' },
        json: { type: 'boolean', default: false },
        digest: { type: 'boolean', default: false },
        tell: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) return { ok: true, options: 'help' };
    const runs = wholeNumber('runs', values.runs, 1, 1e9, () => (values.tell ? 1 : 1_000));
    const seed = wholeNumber('seed', values.seed, 0, SEEDS - runs, () => randomInt(SEEDS / 2));
    const workers = wholeNumber('workers', values.workers, 1, 256, availableParallelism);
    return { ok: true, options: { runs, seed, workers, json: values.json, digest: values.digest, tell: values.tell } };
  } catch (error) {
    return { ok: false, problem: error instanceof Error ? error.message : String(error) };
  }
};
