import { describeDefault } from '../../src/config/help.ts';
import { type Default, isNamedDefault } from '../../src/config/variable.ts';
import { settings } from '../../src/config/variables.ts';

/** A constant default is set as code; a default that is read from elsewhere is described in words. */
const cell = (defaultValue: Default): string => {
  const text = describeDefault(defaultValue);
  if (text === null) return '';
  if (isNamedDefault(defaultValue)) return `\`${defaultValue.withoutName}\`; with NAME: \`${defaultValue.withName}\``;
  return typeof defaultValue === 'string' ? `\`${text}\`` : text;
};

/** The table of variables of docs/configuration.md, in Markdown. Run this file to print it. */
export const configurationTable = (): string => {
  const rows = settings.map(
    ([, { name, defaultValue, meaning }]) => `| ${name} | ${cell(defaultValue)} | ${meaning} |`,
  );
  return ['| variable | default | meaning |', '|---|---|---|', ...rows].join('\n');
};

if (import.meta.main) process.stdout.write(`${configurationTable()}\n`);
