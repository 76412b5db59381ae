import * as z from 'zod/mini';
import { commands, type CommandName } from './config/commands.ts';
import { flagProblem } from './config/flag-problem.ts';
import { knownFlags } from './config/known-flags.ts';
import { nearest } from './config/nearest.ts';
import type { OwnFlag } from './config/own-flag.ts';
import { quoted } from './config/quoted.ts';
import { readArguments } from './config/read-arguments.ts';

export { helpText } from './config/help-text.ts';
export type { CommandName } from './config/commands.ts';

type Own<C extends CommandName> = {
  readonly [F in keyof (typeof commands)[C]['own']]: (typeof commands)[C]['own'][F] extends OwnFlag<infer T>
    ? T
    : never;
};

interface Shared {
  /** The variables' flags, for parseConfig: by name without dashes, the last one wins. */
  readonly flags: ReadonlyMap<string, string>;
  readonly help: boolean;
  readonly version: boolean;
  /** One line each. Help and version are worth giving all the same. */
  readonly problems: readonly string[];
}

/** What was asked for, with the command's own flags. When there are problems, command and own are best guesses. */
export type CommandLine = {
  readonly [C in CommandName]: Shared & { readonly command: C; readonly own: Own<C> };
}[CommandName];

const names = Object.keys(commands) as readonly CommandName[];

const unknownCommand = (word: string): string => {
  const meant = nearest(word, names);
  const hint = meant === null ? `expected one of ${names.join(', ')}` : `did you mean ${meant}?`;
  return `unknown command ${quoted(word)}: ${hint}`;
};

/**
 * Reads `[serve|check|rotate|demo] [flags]`, in any order; `serve` when nothing is named. Values of the variables' flags
 * are left to parseConfig, so that they are told together with those of the environment.
 *
 * @param argv The arguments alone: without the executable and the script.
 */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  const { words, flags: given } = readArguments(argv, (flag) => knownFlags.get(flag)?.bare ?? null);
  const [word = 'serve', ...extra] = words[0] === 'help' ? words.slice(1) : words;
  const named = names.find((name) => name === word);
  const command = named ?? 'serve';
  const problems = named === undefined ? [unknownCommand(word)] : [];
  problems.push(...extra.map((each) => `unexpected argument ${quoted(each)}: expected one command and flags`));
  // With the command unknown, whose flags are whose is unknown too.
  if (named !== undefined) problems.push(...given.flatMap((each) => flagProblem(each, command) ?? []));

  const texts = new Map(given.flatMap(({ flag, value }) => (value === null ? [] : [[flag, value] as const])));
  const own: Record<string, unknown> = {};
  for (const [field, { flag, standard, schema }] of Object.entries<OwnFlag<unknown>>(commands[command].own)) {
    const result = z.safeParse(schema, texts.get(flag) ?? standard);
    if (result.success) own[field] = result.data;
    else problems.push(`--${flag}=${quoted(texts.get(flag) ?? '')}: expected ${result.error.issues[0]?.message ?? ''}`);
  }
  return {
    command,
    own,
    flags: new Map([...texts].filter(([flag]) => knownFlags.get(flag)?.kind === 'variable')),
    help: words[0] === 'help' || texts.has('help') || texts.has('h'),
    version: texts.has('version'),
    problems,
  } as CommandLine;
}
