import fc from 'fast-check';

/** How many inputs are tried, and the seed they are made from: the same two, the same inputs. */
export interface FuzzOrder {
  readonly numRuns: number;
  readonly seed: number;
}

/** What holds for any input whatever. */
export interface FuzzLaw {
  /** A sentence in the present tense that goes on from the name of what is fuzzed. */
  readonly law: string;
  /** Tried with one input in so many, since each costs a file or a connection. */
  readonly oneIn: number;
  readonly check: (order: FuzzOrder) => Promise<FuzzOutcome>;
}

export interface FuzzOutcome {
  readonly runs: number;
  /** Seed, path and the smallest counterexample, for people; null when the law holds. */
  readonly broken: string | null;
}

const outcomeOf = <Ts>(details: fc.RunDetails<Ts>): FuzzOutcome => {
  const { numRuns: runs, failed } = details;
  if (!failed) return { runs, broken: null };
  const { errorInstance: error } = details as { readonly errorInstance?: unknown };
  return {
    runs,
    broken: `${fc.defaultReportMessage(details) ?? ''}\n${error instanceof Error ? error.message : String(error)}`,
  };
};

export const fuzzLaw = <Ts>(law: string, property: fc.IRawProperty<Ts>, oneIn = 1): FuzzLaw => ({
  law,
  oneIn,
  check: async (order) => outcomeOf(await fc.check(property, order)),
});

/** A law about something that has to be opened first. */
export const openedLaw = <O extends AsyncDisposable, Ts>(
  law: string,
  open: () => Promise<O>,
  property: (opened: O) => fc.IRawProperty<Ts>,
  oneIn = 20,
): FuzzLaw => ({
  law,
  oneIn,
  check: async (order) => {
    await using opened = await open();
    return outcomeOf(await fc.check(property(opened), order));
  },
});
