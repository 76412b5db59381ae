import { standardSaid } from '../../src/config/help.ts';
import type { Standard } from '../../src/config/variable.ts';
import { settings } from '../../src/config/variables.ts';

/** Constants are set as code; a default that comes from elsewhere is words. */
const cell = (standard: Standard): string => {
  const said = standardSaid(standard);
  if (said === null) return '';
  return typeof standard === 'string' ? `\`${said}\`` : said;
};

/** The README's table of variables, in Markdown. Run this file to print it. */
export const configurationTable = (): string => {
  const rows = settings.map(([, { name, standard, meaning }]) => `| ${name} | ${cell(standard)} | ${meaning} |`);
  return ['| variable | default | meaning |', '|---|---|---|', ...rows].join('\n');
};

if (import.meta.main) process.stdout.write(`${configurationTable()}\n`);
