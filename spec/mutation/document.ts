import { readFileSync, writeFileSync } from 'node:fs';
import { readResults, type Results, type RoomResult, scoreOf, type Survivor } from './survivors.ts';

const DOCUMENT = new URL('../../docs/development.md', import.meta.url);
const PLACE = /(<!-- mutants -->\n)[^]*?(<!-- \/mutants -->)/;

const code = (text: string): string => {
  const escaped = text.replaceAll('|', String.raw`\|`);
  return escaped.includes('`') ? `\`\` ${escaped} \`\`` : `\`${escaped}\``;
};
const changed = ({ line, from, to }: Survivor): string =>
  from === line || from.endsWith('…') ? `${code(from)} → ${code(to)}` : `${code(line)}: ${code(from)} → ${code(to)}`;

const rowOf = ({ file, equivalent, why, ...rest }: Survivor): string =>
  `| ${file.replace(/^src\//, '')} | ${changed({ file, equivalent, why, ...rest })} | ${equivalent ? 'Equivalent: ' : ''}${why} |`;

const scoreRow = ([name, result]: readonly [string, RoomResult]): string =>
  `| ${name} | ${result.mutants} | ${result.killed} | ${scoreOf(result).toFixed(1)} % |`;

const listOf = ([name, { survivors }]: readonly [string, RoomResult]): string =>
  [`### ${name}`, '', '| file | mutant | why it survives |', '|---|---|---|', ...survivors.map(rowOf)].join('\n');

/** The scores and survivors as docs/development.md shows them. */
export const mutantTables = (results: Results): string => {
  const rooms = Object.entries(results);
  const scores = ['| room | mutants | killed | score |', '|---|---|---|---|', ...rooms.map(scoreRow)].join('\n');
  return [scores, ...rooms.filter(([, { survivors }]) => survivors.length > 0).map(listOf)].join('\n\n');
};

/** docs/development.md with the scores and survivors of survivors.json. Run this file to write it. */
export const developmentDocument = (): string =>
  readFileSync(DOCUMENT, 'utf8').replace(
    PLACE,
    (_, before: string, after: string) => `${before}\n${mutantTables(readResults())}\n\n${after}`,
  );

export const writeDevelopmentDocument = (): void => writeFileSync(DOCUMENT, developmentDocument());

if (import.meta.main) writeDevelopmentDocument();
