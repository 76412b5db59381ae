import { type CommandFlag, type CommandName, commands } from './commands.ts';
import type { Default, Setting, Variable } from './variable.ts';
import { variables } from './variables.ts';

/** A default in words, or null when there is none to tell. */
export const describeDefault = (standard: Default): string | null => {
  if (standard === null || standard === '') return null;
  return typeof standard === 'string' ? standard : standard.said;
};

/** Below this many characters beside it, an explanation goes under its name instead. */
const LEAST_BESIDE = 40;

const INDENT = '  ';

/** The text in lines of at most so many characters, broken at blanks; a longer word is broken after a slash, or anywhere. */
const wrap = (text: string, chars: number): readonly string[] => {
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

/** A name and what it means, the meanings all beginning in one column. */
const twoColumns = (rows: readonly (readonly [string, string])[], columns: number): readonly string[] => {
  const nameChars = Math.max(...rows.map(([name]) => name.length));
  const beside = columns - INDENT.length * 2 - nameChars;
  if (beside < LEAST_BESIDE) {
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

const NARROWEST = 40;
const WIDEST = 100;

const INTRO =
  "Keeps a Kubernetes admission webhook's TLS certificates true: issued, announced, verified by hash and rotated " +
  'without one failed call.';
const RULES =
  'Set these as environment variables or as flags, which win: CERT_TIMEOUT=300 is --cert-timeout=300. Durations are ' +
  '500ms, 2s, 5m, 720h, 30d; a bare number is seconds. Sizes are 7MiB, 512KiB or plain bytes. Every problem is told at ' +
  'once.';
const POINTER = 'Every variable that "webhook-certd --help" lists counts here too, as a flag or in the environment.';

type Row = readonly [string, string];

const meaningOf = ({ meaning, defaultValue: standard }: Setting<unknown>): string => {
  const said = describeDefault(standard);
  return said === null ? meaning : `${meaning} (default: ${said})`;
};

const ownRow = (own: CommandFlag<unknown>): Row =>
  own.placeholder === null ? [`--${own.flag}`, own.meaning] : [`--${own.flag} ${own.placeholder}`, meaningOf(own)];

const everywhere: readonly Row[] = [
  ['--help', 'this text, or that of the command named'],
  ['--version', 'the version'],
];

/**
 * What `--help` prints, without the last line's end. Examples are never broken, so that they can be copied.
 *
 * @param columns The terminal's width; taken as 40 at least and 100 at most.
 */
export const helpText = (command: CommandName, { columns }: { readonly columns: number }): string => {
  const chars = Math.min(Math.max(columns, NARROWEST), WIDEST);
  const { summary, own, exits, examples } = commands[command];
  const isMain = command === 'serve';
  const section = (title: string, rows: readonly Row[]): string[] => ['', `${title}:`, ...twoColumns(rows, chars)];
  return [
    `Usage: webhook-certd ${isMain ? `[${Object.keys(commands).join('|')}]` : command} [flags]`,
    '',
    ...wrap(isMain ? INTRO : `${summary}.`.replace(/^./, (first) => first.toUpperCase()), chars),
    ...(isMain ? section('Commands (serve when none is named)', commandRows) : []),
    ...section('Flags', [...Object.values<CommandFlag<unknown>>(own).map(ownRow), ...everywhere]),
    '',
    ...wrap(isMain ? RULES : POINTER, chars),
    ...(isMain ? groups.flatMap(([title, rows]) => section(title, rows)) : []),
    ...section('Exit codes', [
      ['0', exits[0]],
      ['1', exits[1]],
      ['2', 'bad configuration'],
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
