import { type Command, type CommandFlag, type CommandName, commands } from './commands.ts';
import { type Default, isNamedDefault, type Setting, type Variable } from './variable.ts';
import { variables } from './variables.ts';

/** A default in words, or null when there is none to show. */
export const describeDefault = (value: Default): string | null => {
  if (value === null || value === '') return null;
  if (isNamedDefault(value)) return `${value.withoutName}; with NAME: ${value.withName}`;
  return typeof value === 'string' ? value : value.description;
};

/** With fewer characters left beside the name, the meaning is written below it. */
const MIN_BESIDE = 40;

const INDENT = '  ';

/** Breaks a text at blanks into lines of at most `chars`; a longer word is broken after a slash, or anywhere. */
export const wrap = (text: string, chars: number): readonly string[] => {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length <= chars) {
      line += ` ${word}`;
      continue;
    }
    if (line !== '') lines.push(line);
    line = word;
    while (line.length > chars) {
      const slash = line.lastIndexOf('/', chars - 1);
      const end = slash > 0 ? slash + 1 : chars;
      lines.push(line.slice(0, end));
      line = line.slice(end);
    }
  }
  return [...lines, line];
};

/** Writes names with their meanings, aligned in two columns. */
const twoColumns = (rows: readonly (readonly [string, string])[], columns: number): readonly string[] => {
  const nameChars = Math.max(...rows.map(([name]) => name.length));
  const beside = columns - INDENT.length * 2 - nameChars;
  if (beside < MIN_BESIDE) {
    const under = INDENT.repeat(3);
    return rows.flatMap(([name, meaning]) => [
      INDENT + name,
      ...wrap(meaning, columns - under.length).map((line) => under + line),
    ]);
  }
  return rows.flatMap(([name, meaning]) =>
    wrap(meaning, beside).map((line, index) => INDENT + (index === 0 ? name : '').padEnd(nameChars) + INDENT + line),
  );
};

const MIN_COLUMNS = 40;
const MAX_COLUMNS = 100;

const INTRO =
  'Manages the TLS certificates of a Kubernetes admission webhook: issued, announced, verified by hash and rotated ' +
  'without one failed call.';
const RULES =
  'Set these as environment variables or as flags, which take precedence: CERT_TIMEOUT=300 is --cert-timeout=300. ' +
  'Durations are 500ms, 2s, 1h30m, 30d, 1w; a number without a unit is seconds. Sizes are 7MiB, 512KiB or plain bytes. ' +
  'All problems are reported together.';
/** The objects that are printed depend on the command line alone. */
const PRINTED =
  'The flags of the variables that "webhook-certd --help" lists become the environment of the replicas. The environment of ' +
  'this process is not read.';
const POINTER = 'The variables that "webhook-certd --help" lists apply here too, as flags or in the environment.';

type Row = readonly [string, string];

const meaningOf = ({ meaning, defaultValue }: Setting<unknown>): string => {
  const text = describeDefault(defaultValue);
  return text === null ? meaning : `${meaning} (default: ${text})`;
};

const flagRow = (row: CommandFlag<unknown>): Row => {
  const names = row.short === null ? `--${row.flag}` : `-${row.short}, --${row.flag}`;
  return row.placeholder === null ? [names, row.meaning] : [`${names} ${row.placeholder}`, meaningOf(row)];
};

const COMMON_FLAGS: readonly Row[] = [
  ['--help', 'print this text, or that of the named command'],
  ['--version', 'print the version'],
];

/**
 * The text that `--help` prints, without the last line end. Examples are not wrapped, so that they can be copied.
 *
 * @param columns The width of the terminal; at least 40 and at most 100 are used.
 */
export const helpText = (command: CommandName, { columns }: { readonly columns: number }): string => {
  const chars = Math.min(Math.max(columns, MIN_COLUMNS), MAX_COLUMNS);
  const { summary, operands = [], choices, variables: use, flags, exits, examples }: Command = commands[command];
  const isMain = command === 'serve';
  const words = [command, ...(choices === undefined ? operands : [choices.join('|')])].join(' ');
  const rules = isMain ? RULES : { read: POINTER, flags: PRINTED, none: null }[use];
  const section = (title: string, rows: readonly Row[]): string[] => ['', `${title}:`, ...twoColumns(rows, chars)];
  return [
    `Usage: webhook-certd ${isMain ? '[COMMAND]' : words} [flags]`,
    '',
    ...wrap(isMain ? INTRO : `${summary}.`.replace(/^./, (first) => first.toUpperCase()), chars),
    ...(isMain ? section('Commands (default: serve)', commandRows) : []),
    ...section('Flags', [...Object.values<CommandFlag<unknown>>(flags).map(flagRow), ...COMMON_FLAGS]),
    ...(rules === null ? [] : ['', ...wrap(rules, chars)]),
    ...(isMain ? groups.flatMap(([title, rows]) => section(title, rows)) : []),
    ...section('Exit codes', [
      ['0', exits[0]],
      ['1', exits[1]],
      ['2', use === 'none' ? 'bad command line' : 'bad configuration'],
    ]),
    '',
    'Examples:',
    ...examples.flatMap(([line, what]) => [`  # ${what}`, `  ${line}`]),
  ].join('\n');
};

const commandRows = Object.entries(commands).map(([name, { summary }]): Row => [name, summary]);
const groups = Object.entries<Readonly<Record<string, Variable<unknown>>>>(variables).map(([title, rows]) => {
  const titled = title.replace(/^./, (first) => first.toUpperCase());
  return [titled, Object.values(rows).map((each): Row => [each.name, meaningOf(each)])] as const;
});
