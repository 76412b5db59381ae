import { mkdirSync, writeFileSync } from 'node:fs';
import { type CommandName, helpText } from '../../src/config/command-line.ts';
import { commands } from '../../src/config/commands.ts';
import { completionScript } from '../../src/config/completion.ts';

/** Where the texts are that the command line prints, as they were when someone last looked at them. */
export const PRINTED = new URL('../config/printed/', import.meta.url);

/** By file name, each with its last line end: the help of every command and the completion of every shell. */
export const printed: ReadonlyMap<string, () => string> = new Map([
  ...(Object.keys(commands) as CommandName[]).map(
    (name) => [`help-${name}.txt`, () => `${helpText(name, { columns: 100 })}\n`] as const,
  ),
  ...commands.completion.choices.map((shell) => [`completion.${shell}`, () => `${completionScript(shell)}\n`] as const),
]);

if (import.meta.main) {
  mkdirSync(PRINTED, { recursive: true });
  for (const [name, text] of printed) writeFileSync(new URL(name, PRINTED), text());
}
