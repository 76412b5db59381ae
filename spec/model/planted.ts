import { readFileSync, writeFileSync } from 'node:fs';
import { type PlantedBug, plantedBugs } from '../simulation/planted-bugs.ts';
import { plantedModule } from '../simulation/with-planted-bug.ts';
import type { Exploration, explore } from './explore.ts';
import type { Law } from './laws.ts';
import type { Scope } from './scope.ts';

const README = new URL('../../docs/development.md', import.meta.url);
const TABLE = /(?<=<!-- planted in the model -->\n\n)[^]*?(?=\n\n<!-- \/planted in the model -->)/;

/** What notices a bug: a law, or that the goal cannot be reached any more. L9 is a part of the goal. */
type Notices = Law | 'L9' | 'the goal';
type Bug = Pick<PlantedBug, 'name' | 'changes'>;

interface Planted {
  readonly bug: Bug;
  /** Each is asked alone. */
  readonly by: readonly Notices[];
  /** One that is large enough for it. */
  readonly scope: Scope;
}

const own: Scope = { issuer: 'self-signed', replicas: 1, targets: 1, apiServers: 2, leaders: 1, accidents: 1 };

const ofSimulation = (name: string): Bug => {
  const bug = plantedBugs.find((one) => one.name === name);
  if (bug === undefined) throw new Error(`there is no planted bug "${name}"`);
  return bug;
};

/** A bug that only the model checker looks for. */
const inIssuance = (name: string, find: string, replace: string): Bug => ({
  name,
  changes: [{ file: 'streams/plan-issuance.ts', find, replace }],
});

/** Bugs in the planners: those of the simulation, and some more. */
export const PLANTED: readonly Planted[] = [
  {
    bug: ofSimulation('the planner narrows without waiting for acknowledgements'),
    by: ['L1', 'L2'],
    scope: own,
  },
  {
    bug: ofSimulation('the Secret is written and announced before the caBundles are widened'),
    by: ['L1', 'L2'],
    scope: own,
  },
  {
    bug: ofSimulation('a new CA forgets the older ones, and what the caBundles were given'),
    by: ['L2'],
    scope: { ...own, accidents: 2 },
  },
  {
    bug: ofSimulation('a lost CA is replaced without a look at what is trusted, neither then nor later'),
    by: ['L2'],
    scope: { ...own, accidents: 2, kinds: ['SECRET-ca deleted', 'Secret deleted'] },
  },
  {
    bug: ofSimulation('with an external issuer the announcement does not wait for the caBundles'),
    by: ['L1', 'L2'],
    scope: { ...own, issuer: 'external' },
  },
  {
    bug: ofSimulation('the relay waits for no API server to take up the caBundles'),
    by: ['L1', 'L2'],
    scope: { ...own, issuer: 'relay' },
  },
  {
    bug: ofSimulation('no certificate waits until every API server has taken up the caBundles'),
    by: ['L1', 'L2'],
    scope: own,
  },
  {
    bug: inIssuance(
      'CAs are removed as soon as all have acknowledged',
      'return isOverlapOver(view) ?',
      'return view ?',
    ),
    by: ['L1'],
    scope: own,
  },
  {
    bug: inIssuance('an expired CA is not replaced', 'expired = nowMs >= current.notAfterMs', 'expired = nowMs < 0'),
    by: ['L5'],
    scope: own,
  },
  {
    bug: ofSimulation('Secrets are written with an external issuer'),
    by: ['L6'],
    scope: { ...own, issuer: 'external' },
  },
  {
    bug: ofSimulation('a target that refuses its write is planned again and again before everything else'),
    by: ['L9'],
    scope: own,
  },
  {
    bug: inIssuance(
      'a leaf that is due is not renewed',
      'const reason = leafReason(view);',
      'const reason = leafReason({ ...view, renewBeforeMs: 0 });',
    ),
    by: ['the goal'],
    scope: { ...own, kinds: ['leaf comes due'] },
  },
  {
    bug: ofSimulation('a caBundle is written although it is as it should be'),
    by: ['the goal'],
    scope: { ...own, apiServers: 1 },
  },
];

export interface Found {
  readonly bug: string;
  readonly law: Notices;
  /** Of the shortest history that shows it; 0 when the goal cannot even be reached from the beginning. */
  readonly steps: number;
  readonly states: number;
}

/** What is stuck only where a target refuses its writes keeps the others waiting. */
const stuckBy = (histories: Exploration['stuckHistories']): Notices =>
  histories.every((history) => history.some(({ what }) => what === 'target refuses writes')) ? 'L9' : 'the goal';

/** What the model checker says to a planner with that bug when it judges by this; null when it finds nothing, or something else. */
export const findingOf = async ({ bug, scope }: Planted, by: Notices): Promise<Found | null> => {
  const module = await plantedModule(bug, new URL('./explore.ts', import.meta.url));
  const { explore: exploreWithBug } = module as { readonly explore: typeof explore };
  const laws = by === 'the goal' || by === 'L9' ? [] : [by];
  const { states, violations, stuck, stuckHistories }: Exploration = await exploreWithBug({ ...scope, laws });
  const [violation] = violations;
  if (violation !== undefined) return { bug: bug.name, law: by, steps: violation.history.length, states };
  if (stuck === 0 || stuckBy(stuckHistories) !== by) return null;
  return { bug: bug.name, law: by, steps: stuckHistories[0]?.length ?? 0, states };
};

export const foundTable = (found: readonly Found[]): string =>
  [
    '| planted bug | what is broken | steps of the shortest history | states visited |',
    '|---|---|---|---|',
    ...found.map(({ bug, law, steps, states }) => `| ${bug} | ${law} | ${steps} | ${states} |`),
  ].join('\n');

export const writtenFoundTable = (): string | undefined => TABLE.exec(readFileSync(README, 'utf8'))?.[0];

// Writes the table anew after a change of the planners or of the model.
if (import.meta.main) {
  const found: Found[] = [];
  for (const planted of PLANTED)
    for (const by of planted.by) {
      const one = await findingOf(planted, by);
      if (one === null) throw new Error(`not found by ${by}: ${planted.bug.name}`);
      found.push(one);
    }
  writeFileSync(
    README,
    readFileSync(README, 'utf8').replace(TABLE, () => foundTable(found)),
  );
}
