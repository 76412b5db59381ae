import { describeDefault } from '../../src/config/help.ts';
import type { Default } from '../../src/config/variable.ts';
import { settings } from '../../src/config/variables.ts';

/** Constants are set as code; a default that comes from elsewhere is words. */
const cell = (standard: Default): string => {
  const said = describeDefault(standard);
  if (said === null) return '';
  return typeof standard === 'string' ? `\`${said}\`` : said;
};

/** The README's table of variables, in Markdown. Run this file to print it. */
export const configurationTable = (): string => {
  const rows = settings.map(
    ([, { name, defaultValue: standard, meaning }]) => `| ${name} | ${cell(standard)} | ${meaning} |`,
  );
  return ['| variable | default | meaning |', '|---|---|---|', ...rows].join('\n');
};

if (import.meta.main) process.stdout.write(`${configurationTable()}\n`);
