/** What `npm run simulate -- --help` says. */
export const simulateHelp = `npm run simulate -- [flags]

Runs histories of a whole fleet in virtual time, each out of one number, and holds every law of the contract against
every step of them. The last line on stdout is {"runs":…,"steps":…,"violations":…,"seed":…}.

  --runs N       how many histories (1000)
  --seed S       the seed of the first, 0 to 4294967295; the next ones count on (a new one each time)
  --workers W    worker threads (one a core)
  --json         nothing on stdout but the last line
  --digest       also print the SHA-256 of everything that happened: same seeds, same digest
  --tell         tell history S, whether it breaks a law or not
  --help         this

Exit codes: 0 no law was broken, 1 one was (its seed, the fewest faults it takes and a timeline are printed), 2 bad flags.
`;
