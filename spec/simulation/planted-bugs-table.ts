import { readFileSync, writeFileSync } from 'node:fs';
import { type PlantedBug, plantedBugs } from './planted-bugs.ts';
import type { runHistory } from './run-history.ts';
import { scenarioFrom } from './scenario-from.ts';
import { withPlantedBug } from './with-planted-bug.ts';

/** A bug must be found within so many histories. */
export const MOST_HISTORIES = 1_000;

const README = new URL('README.md', import.meta.url);
const BUGS = new URL('planted-bugs.ts', import.meta.url);
const TABLE = /(?<=<!-- planted -->\n\n)[^]*?(?=\n\n<!-- \/planted -->)/;

/** The table of spec/simulation/README.md: which bug breaks which law, where it is planted, and which seed shows it. */
export const plantedBugsTable = (bugs: readonly PlantedBug[] = plantedBugs): string => {
  const rows = bugs.map(({ name, laws, changes, seed }) => {
    const files = [...new Set(changes.map(({ file }) => `\`${file.replace('spec/simulation/', '')}\``))];
    return `| ${laws.join(', ')} | ${name} | ${files.join(', ')} | ${seed} |`;
  });
  return ['| law | what is broken on purpose | in | seed |', '|---|---|---|---|', ...rows].join('\n');
};

/** The same table as the README has it. */
export const writtenTable = (): string | undefined => TABLE.exec(readFileSync(README, 'utf8'))?.[0];

/** The first seed whose history finds the bug, starting with the one that did so last. */
export const findingSeed = (run: typeof runHistory, { laws, seed: last }: PlantedBug): number | null => {
  const finds = (seed: number): boolean => laws.includes(run(scenarioFrom(seed)).violation?.law ?? 'none');
  if (finds(last)) return last;
  for (let seed = 1; seed <= MOST_HISTORIES; seed += 1) if (finds(seed)) return seed;
  return null;
};

// Writes the seeds anew after a change that shifted them, since a search costs `npm test` seconds for each.
if (import.meta.main) {
  const bugs: PlantedBug[] = [];
  for (const bug of plantedBugs) {
    const seed = findingSeed(await withPlantedBug(bug), bug);
    if (seed === null) throw new Error(`not found within ${MOST_HISTORIES} histories: ${bug.name}`);
    bugs.push({ ...bug, seed });
  }
  let at = 0;
  writeFileSync(
    BUGS,
    readFileSync(BUGS, 'utf8').replaceAll(/(?<=^ {4}seed: )\d+/gm, () => `${bugs[at++]?.seed}`),
  );
  writeFileSync(
    README,
    readFileSync(README, 'utf8').replace(TABLE, () => plantedBugsTable(bugs)),
  );
}
