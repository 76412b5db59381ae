import { readFileSync, writeFileSync } from 'node:fs';
import { configurationTable } from './configuration-table.ts';

const README = new URL('../../README.md', import.meta.url);
const PLACE = /(<!-- configuration -->\n)[^]*?(<!-- \/configuration -->)/;

/** The README with the configuration table as the code has it. */
export const readmeWithConfiguration = (): string =>
  readFileSync(README, 'utf8').replace(
    PLACE,
    (_, before: string, after: string) => `${before}\n${configurationTable()}\n\n${after}`,
  );

if (import.meta.main) writeFileSync(README, readmeWithConfiguration());
