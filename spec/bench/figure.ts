import type { Production } from './production.ts';

/** What a figure finds when its turn comes. */
export interface Bench {
  /** Few rounds, for the spec that runs all of it: the numbers are then worth nothing. */
  readonly quick: boolean;
  /** An empty folder of its own, removed afterwards. */
  readonly folder: string;
  /** The production bundle, as the image starts it. */
  readonly production: Production;
  /** Builds another program of spec/bench as the production bundle is built, and tells its path. */
  readonly build: (name: string) => Promise<string>;
  /** Tells a person what is going on. */
  readonly say: (text: string) => void;
}

/** How far a figure may go: of its median, its p99 or its ratio to the baseline. */
export interface Limit {
  readonly of: 'median' | 'p99' | 'ratio';
  readonly atMost?: number;
  readonly atLeast?: number;
}

export interface Finding {
  /** Kebab-case, unique among all figures. */
  readonly name: string;
  /** Such as `ms`, `MiB`, `1/s`. */
  readonly unit: string;
  /** Every single measurement. */
  readonly values: readonly number[];
  /** More is better, as with requests a second: p99 is then what 99 % of the measurements reach. */
  readonly moreIsBetter?: true;
  /** What it is compared with, measured in the same run, in turn with it. */
  readonly baseline?: { readonly name: string; readonly values: readonly number[] };
  readonly limits: readonly Limit[];
}

/** Measures one thing, as one or more lines of the table. */
export type Figure = (bench: Bench) => Promise<readonly Finding[]>;
