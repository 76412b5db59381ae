import { readFileSync, writeFileSync } from 'node:fs';
import { plantedBugs } from '../simulation/planted-bugs.ts';
import { plantedModule } from '../simulation/with-planted-bug.ts';
import type { Exploration, explore } from './explore.ts';
import type { Scope } from './scope.ts';

const README = new URL('../../docs/development.md', import.meta.url);
const TABLE = /(?<=<!-- planted in the model -->\n\n)[^]*?(?=\n\n<!-- \/planted in the model -->)/;

const own: Scope = { issuer: 'self-signed', replicas: 1, targets: 1, apiServers: 2, leaders: 1, accidents: 1 };

/** The bugs of the simulation that lie in the planners, each with a scope that is large enough for it. */
export const PLANTED: readonly (readonly [bug: string, scope: Scope])[] = [
  ['the planner narrows without waiting for acknowledgements', own],
  ['the Secret is written and announced before the caBundles are widened', own],
  ['a new CA forgets the older ones, and what the caBundles were given', { ...own, accidents: 2 }],
  [
    'a lost CA is replaced without a look at what is trusted, neither then nor later',
    { ...own, accidents: 2, kinds: ['SECRET-ca deleted', 'Secret deleted'] },
  ],
  ['with an external issuer the announcement does not wait for the caBundles', { ...own, issuer: 'external' }],
  ['no certificate waits until every API server has taken up the caBundles', own],
  ['a caBundle is written although it is as it should be', { ...own, apiServers: 1 }],
  ['Secrets are written with an external issuer', { ...own, issuer: 'external' }],
];

export interface Found {
  readonly bug: string;
  readonly law: string;
  /** Of the shortest history that shows it; 0 when the goal cannot even be reached from the beginning. */
  readonly lines: number;
  readonly states: number;
}

/** What the model checker says to a planner with that bug; null when it finds nothing. */
export const findingOf = async ([name, scope]: (typeof PLANTED)[number]): Promise<Found | null> => {
  const bug = plantedBugs.find((one) => one.name === name);
  if (bug === undefined) throw new Error(`there is no planted bug "${name}"`);
  const module = await plantedModule(bug, new URL('./explore.ts', import.meta.url));
  const { explore: exploreWithBug } = module as { readonly explore: typeof explore };
  const { states, violations, stuck, stuckTraces }: Exploration = await exploreWithBug(scope);
  const [violation] = violations;
  if (violation !== undefined) return { bug: name, law: violation.law, lines: violation.trace.length, states };
  return stuck === 0 ? null : { bug: name, law: 'the goal', lines: stuckTraces[0]?.length ?? 0, states };
};

export const foundTable = (found: readonly Found[]): string =>
  [
    '| planted bug | what is broken | steps of the shortest history | states visited |',
    '|---|---|---|---|',
    ...found.map(({ bug, law, lines, states }) => `| ${bug} | ${law} | ${lines} | ${states} |`),
  ].join('\n');

export const writtenFoundTable = (): string | undefined => TABLE.exec(readFileSync(README, 'utf8'))?.[0];

// Writes the table anew after a change of the planners or of the model.
if (import.meta.main) {
  const found: Found[] = [];
  for (const planted of PLANTED) {
    const one = await findingOf(planted);
    if (one === null) throw new Error(`not found: ${planted[0]}`);
    found.push(one);
  }
  writeFileSync(
    README,
    readFileSync(README, 'utf8').replace(TABLE, () => foundTable(found)),
  );
}
