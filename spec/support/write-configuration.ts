import { readFileSync, writeFileSync } from 'node:fs';
import { configurationTable } from './configuration-table.ts';

const DOCUMENT = new URL('../../docs/configuration.md', import.meta.url);
const PLACE = /(<!-- configuration -->\n)[^]*?(<!-- \/configuration -->)/;

/** docs/configuration.md with the table of variables as the code defines it. Run this file to write it. */
export const configurationDocument = (): string =>
  readFileSync(DOCUMENT, 'utf8').replace(
    PLACE,
    (_, before: string, after: string) => `${before}\n${configurationTable()}\n\n${after}`,
  );

if (import.meta.main) writeFileSync(DOCUMENT, configurationDocument());
