import * as z from 'zod/mini';
import { quoted } from '../util/redact.ts';
import { type CommandFlag, type CommandName, commands } from './commands.ts';
import { didYouMean, unknownFlag } from './did-you-mean.ts';
import type { Schema } from './types.ts';
import { settings } from './variables.ts';

export type { CommandName } from './commands.ts';
export { helpText } from './help.ts';

type Own<C extends CommandName> = {
  readonly [F in keyof (typeof commands)[C]['own']]: (typeof commands)[C]['own'][F] extends CommandFlag<infer T>
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

const commandNames = Object.keys(commands) as readonly CommandName[];

const unknownCommand = (word: string): string => {
  const meant = didYouMean(word, commandNames);
  const hint = meant === null ? `expected one of ${commandNames.join(', ')}` : `did you mean ${meant}?`;
  return `unknown command ${quoted(word)}: ${hint}`;
};

/**
 * Reads `[serve|check|rotate|demo] [flags]`, in any order; `serve` when nothing is named. Values of the variables' flags
 * are left to parseConfig, so that they are told together with those of the environment.
 *
 * @param argv The arguments alone: without the executable and the script.
 */
export const parseCommandLine = (argv: readonly string[]): CommandLine => {
  const { words, flags: given } = readArguments(argv, (flag) => knownFlags.get(flag)?.bare ?? null);
  const [word = 'serve', ...extra] = words[0] === 'help' ? words.slice(1) : words;
  const named = commandNames.find((name) => name === word);
  const command = named ?? 'serve';
  const problems = named === undefined ? [unknownCommand(word)] : [];
  problems.push(...extra.map((each) => `unexpected argument ${quoted(each)}: expected one command and flags`));
  // With the command unknown, whose flags are whose is unknown too.
  if (named !== undefined) problems.push(...given.flatMap((each) => flagProblem(each, command) ?? []));

  const texts = new Map(given.flatMap(({ flag, value }) => (value === null ? [] : [[flag, value] as const])));
  const own: Record<string, unknown> = {};
  for (const [field, { flag, defaultValue: standard, schema }] of Object.entries<CommandFlag<unknown>>(
    commands[command].own,
  )) {
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
};

/** One flag as it was written. */
interface GivenFlag {
  readonly flag: string;
  /** Null when it should have had one. */
  readonly value: string | null;
}

interface Arguments {
  readonly words: readonly string[];
  readonly flags: readonly GivenFlag[];
}

const isFlag = (token: string): boolean => /^-{1,2}[^-\d\s]/.test(token);

/**
 * Splits arguments into words and flags: `--flag=value`, `--flag value`, `--switch`; one dash does as well, as in Go.
 * After `--` everything is a word.
 *
 * @param bareOf What a flag means without a value; null when it needs one.
 */
const readArguments = (argv: readonly string[], bareOf: (flag: string) => string | null): Arguments => {
  const words: string[] = [];
  const flags: GivenFlag[] = [];
  const rest = [...argv];
  for (let token = rest.shift(); token !== undefined; token = rest.shift()) {
    if (token === '--') return { words: [...words, ...rest], flags };
    if (!isFlag(token)) {
      words.push(token);
      continue;
    }
    const { flag = '', value } = /^-+(?<flag>[^=]*)(?:=(?<value>.*))?$/s.exec(token)?.groups ?? {};
    const [next] = rest;
    const bare = bareOf(flag);
    const mayFollow =
      next !== undefined && (bare === null ? !isFlag(next) && next !== '--' : /^(true|false)$/i.test(next));
    if (value !== undefined) flags.push({ flag, value });
    else if (mayFollow) flags.push({ flag, value: rest.shift() ?? null });
    else flags.push({ flag, value: bare });
  }
  return { words, flags };
};

interface KnownFlag {
  /** What it means without a value; null when it needs one. */
  readonly bare: string | null;
  readonly kind: 'switch' | 'variable' | 'own';
  /** The commands that take it. */
  readonly owners: readonly CommandName[];
  /** Null for a switch. */
  readonly schema: Schema<unknown> | null;
}

const names = Object.keys(commands) as readonly CommandName[];

function* all(): Generator<readonly [string, KnownFlag]> {
  for (const flag of ['help', 'h', 'version'])
    yield [flag, { bare: 'true', kind: 'switch', owners: names, schema: null }];
  for (const [, { flag, alias, valueWhenBare: bare, schema }] of settings) {
    for (const each of alias === null ? [flag] : [flag, alias])
      yield [each, { bare, kind: 'variable', owners: names, schema }];
  }
  const own = names.flatMap((name) =>
    Object.values<CommandFlag<unknown>>(commands[name].own).map((each) => ({ name, ...each })),
  );
  for (const { flag, valueWhenBare: bare, schema } of own) {
    const owners = own.filter((other) => other.flag === flag).map(({ name }) => name);
    yield [flag, { bare, kind: 'own', owners, schema }];
  }
}

/** Every flag of every command, by name without dashes. */
const knownFlags: ReadonlyMap<string, KnownFlag> = new Map(all());

/** What is wrong with a flag as it was written, whatever its value means; null when nothing is. */
const flagProblem = ({ flag, value }: GivenFlag, command: CommandName): string | null => {
  const known = knownFlags.get(flag);
  if (known === undefined) return unknownFlag(flag, [...knownFlags.keys()]);
  if (!known.owners.includes(command)) return `--${flag}: a flag of ${known.owners.join(' and ')}, not of ${command}`;
  if (value !== null || known.schema === null) return null;
  const accepts = z.safeParse(known.schema, '').error?.issues[0]?.message;
  return `--${flag} without a value: expected ${accepts ?? 'one'}`;
};
