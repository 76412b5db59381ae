import type { PlantedBug } from './planted-bugs.ts';

/** The table of spec/simulation/README.md: which bug breaks which law, where it is planted, and which seed shows it. */
export const plantedBugsTable = (bugs: readonly PlantedBug[]): string => {
  const rows = bugs.map(({ name, laws, changes, seed }) => {
    const files = [...new Set(changes.map(({ file }) => `\`${file.replace('spec/simulation/', '')}\``))];
    return `| ${laws.join(', ')} | ${name} | ${files.join(', ')} | ${seed} |`;
  });
  return ['| law | what is broken on purpose | in | seed |', '|---|---|---|---|', ...rows].join('\n');
};
