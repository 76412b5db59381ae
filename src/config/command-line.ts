import * as z from 'zod/mini';
import { quoted } from '../util/redact.ts';
import { type Command, type CommandFlag, type CommandName, commands, operandsOf } from './commands.ts';
import { didYouMean, unknownFlag } from './did-you-mean.ts';
import { acceptedBy, type Schema } from './types.ts';
import { settings } from './variables.ts';

export type { CommandName } from './commands.ts';
export { helpText } from './help.ts';

type Options<C extends CommandName> = {
  readonly [F in keyof (typeof commands)[C]['flags']]: (typeof commands)[C]['flags'][F] extends CommandFlag<infer T>
    ? T
    : never;
};

interface Shared {
  /** The flags of variables, for parseConfig, by name without dashes. Of a repeated flag the last one counts. */
  readonly flags: ReadonlyMap<string, string>;
  /** What `try` and the like are applied to, in the order of the command's operands. */
  readonly operands: readonly string[];
  readonly help: boolean;
  readonly version: boolean;
  /** One line each. Help and version are printed despite problems. */
  readonly problems: readonly string[];
  /** False when the command is unknown, so that nothing else can be said about what is missing. */
  readonly isCertain: boolean;
  /** The flags of variables that unknown flags are likely to mean: nothing is said about their absence. */
  readonly meant: readonly string[];
}

/** The parsed command line. `options` are the command's own flags. With problems, command and options are guesses. */
export type CommandLine = {
  readonly [C in CommandName]: Shared & { readonly command: C; readonly options: Options<C> };
}[CommandName];

const commandNames = Object.keys(commands) as readonly CommandName[];

const unknownCommand = (word: string): string => {
  const closest = didYouMean(word, commandNames);
  const hint = closest === null ? `expected one of ${commandNames.join(', ')}` : `did you mean ${closest}?`;
  return `unknown command ${quoted(word)}: ${hint}`;
};

const described = (command: CommandName): string => {
  const operands = operandsOf(command);
  return operands.length === 0 ? 'one command and flags' : [command, ...operands, '[flags]'].join(' ');
};

/** What is wrong with the words after the command; `rotate ca` is likely to mean `rotate --ca`. */
const operandProblems = (command: CommandName, words: readonly string[]): readonly string[] => {
  const { choices, flags }: Command = commands[command];
  const expected = operandsOf(command).length;
  const switches = Object.values(flags).map(({ flag }) => flag);
  const [first] = words;
  return [
    ...(choices === undefined || first === undefined || choices.includes(first)
      ? []
      : [`${command} ${quoted(first)}: expected one of ${choices.join(', ')}`]),
    ...words
      .slice(expected)
      .map((each) =>
        switches.includes(each)
          ? `unexpected argument ${quoted(each)}: did you mean --${each}?`
          : `unexpected argument ${quoted(each)}: expected ${described(command)}`,
      ),
    ...(words.length < expected ? [`missing argument: expected ${described(command)}`] : []),
  ];
};

/**
 * Parses `[serve|check|rotate|…] [flags]` in any order; the default command is `serve`. parseConfig reads the values of
 * the variables' flags, so that their problems are reported together with those of the environment.
 *
 * @param argv The arguments without the executable and the script.
 */
export const parseCommandLine = (argv: readonly string[]): CommandLine => {
  const { words, flags } = readArguments(argv, (flag) => knownFlags.get(flag)?.valueWhenBare ?? null);
  const [word = 'serve', ...rest] = words[0] === 'help' ? words.slice(1) : words;
  const named = commandNames.find((name) => name === word);
  const command = named ?? 'serve';
  const help = words[0] === 'help' || flags.some(({ flag }) => flag === 'help' || flag === 'h');
  // What else is wrong depends on the command.
  const problems =
    named === undefined
      ? [unknownCommand(word)]
      : [...(help ? [] : operandProblems(command, rest)), ...flags.flatMap((each) => flagProblem(each, command) ?? [])];

  const texts = new Map(
    flags.flatMap(({ flag, value }) => (value === null ? [] : [[knownFlags.get(flag)?.flag ?? flag, value] as const])),
  );
  const { flags: ownFlags }: Command = commands[command];
  const options: Record<string, unknown> = {};
  for (const [field, { flag, defaultValue, schema }] of Object.entries(ownFlags)) {
    const result = z.safeParse(schema, texts.get(flag) ?? defaultValue);
    if (result.success) options[field] = result.data;
    else problems.push(`--${flag}=${quoted(texts.get(flag) ?? '')}: expected ${result.error.issues[0]?.message ?? ''}`);
  }
  return {
    command,
    options,
    operands: rest.slice(0, operandsOf(command).length),
    flags: new Map([...texts].filter(([flag]) => knownFlags.get(flag)?.kind === 'variable')),
    help,
    version: texts.has('version') || command === 'version',
    problems,
    isCertain: named !== undefined,
    meant: flags.flatMap(({ flag }) => (knownFlags.has(flag) ? [] : (didYouMean(flag, flagNames) ?? []))),
  } as CommandLine;
};

/** One flag of the command line. */
interface GivenFlag {
  readonly flag: string;
  /** Null when the required value is missing. */
  readonly value: string | null;
}

interface Arguments {
  readonly words: readonly string[];
  readonly flags: readonly GivenFlag[];
}

const isFlag = (token: string): boolean => /^-{1,2}[^-\d\s]/.test(token);

/**
 * Splits arguments into words and flags: `--flag=value`, `--flag value`, `--switch`, also with one dash, as in Go.
 * Everything after `--` is a word.
 *
 * @param valueWhenBare The value of a flag given without one; null when it needs a value.
 */
const readArguments = (argv: readonly string[], valueWhenBare: (flag: string) => string | null): Arguments => {
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
    const bare = valueWhenBare(flag);
    const mayFollow =
      next !== undefined && (bare === null ? !isFlag(next) && next !== '--' : /^(true|false)$/i.test(next));
    if (value !== undefined) flags.push({ flag, value });
    else if (mayFollow) flags.push({ flag, value: rest.shift() ?? null });
    else flags.push({ flag, value: bare });
  }
  return { words, flags };
};

interface KnownFlag {
  /** Its long spelling. */
  readonly flag: string;
  /** The value of the flag given without one; null when it needs a value. */
  readonly valueWhenBare: string | null;
  readonly kind: 'switch' | 'variable' | 'command';
  /** The commands that accept it. */
  readonly commands: readonly CommandName[];
  /** Null for a switch. */
  readonly schema: Schema<unknown> | null;
}

const readingVariables = commandNames.filter((name) => commands[name].variables !== 'none');

function* all(): Generator<readonly [string, KnownFlag]> {
  for (const flag of ['help', 'h', 'version'])
    yield [flag, { flag, valueWhenBare: 'true', kind: 'switch', commands: commandNames, schema: null }];
  for (const [, { flag, alias, valueWhenBare, schema }] of settings) {
    for (const each of alias === null ? [flag] : [flag, alias])
      yield [each, { flag: each, valueWhenBare, kind: 'variable', commands: readingVariables, schema }];
  }
  const commandFlags = commandNames.flatMap((name) =>
    Object.values<CommandFlag<unknown>>(commands[name].flags).map((each) => ({ name, ...each })),
  );
  for (const { flag, short, valueWhenBare, schema } of commandFlags) {
    const acceptedBy = commandFlags.filter((other) => other.flag === flag).map(({ name }) => name);
    const known: KnownFlag = { flag, valueWhenBare, kind: 'command', commands: acceptedBy, schema };
    yield [flag, known];
    if (short !== null) yield [short, known];
  }
}

/** The flags of all commands, by name without dashes. */
const knownFlags: ReadonlyMap<string, KnownFlag> = new Map(all());

/** What a misspelt flag may mean. */
const flagNames = [...knownFlags.keys()];

const listed = (words: readonly string[]): string =>
  [words.slice(0, -1).join(', '), words.at(-1) ?? ''].filter((part) => part !== '').join(' and ');

/** The problem of a flag regardless of its value; null when there is none. */
const flagProblem = ({ flag, value }: GivenFlag, command: CommandName): string | null => {
  const known = knownFlags.get(flag);
  if (known === undefined) return unknownFlag(flag, flagNames);
  if (!known.commands.includes(command)) return `--${flag}: a flag of ${listed(known.commands)}, not of ${command}`;
  if (value !== null || known.schema === null) return null;
  return `--${flag} without a value: expected ${acceptedBy(known.schema)}`;
};
