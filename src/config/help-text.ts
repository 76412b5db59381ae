import { commands, type CommandName } from './commands.ts';
import type { OwnFlag } from './own-flag.ts';
import { standardSaid } from './standard-said.ts';
import { twoColumns } from './two-columns.ts';
import type { Setting, Variable } from './variable.ts';
import { variables } from './variables.ts';
import { wrap } from './wrap.ts';

const narrowest = 40;
const widest = 100;

const intro =
  "Keeps a Kubernetes admission webhook's TLS certificates true: issued, announced, verified by hash and rotated " +
  'without one failed call.';
const rules =
  'Set these as environment variables or as flags, which win: CERT_TIMEOUT=300 is --cert-timeout=300. Durations are ' +
  '500ms, 2s, 5m, 720h, 30d; a bare number is seconds. Sizes are 7MiB, 512KiB or plain bytes. Every problem is told at ' +
  'once.';
const pointer = 'Every variable that "webhook-certd --help" lists counts here too, as a flag or in the environment.';

type Row = readonly [string, string];

const meaningOf = ({ meaning, standard }: Setting<unknown>): string => {
  const said = standardSaid(standard);
  return said === null ? meaning : `${meaning} (default: ${said})`;
};

const ownRow = (own: OwnFlag<unknown>): Row =>
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
export function helpText(command: CommandName, { columns }: { readonly columns: number }): string {
  const chars = Math.min(Math.max(columns, narrowest), widest);
  const { summary, own, exits, examples } = commands[command];
  const isMain = command === 'serve';
  const section = (title: string, rows: readonly Row[]): string[] => ['', `${title}:`, ...twoColumns(rows, chars)];
  return [
    `Usage: webhook-certd ${isMain ? `[${Object.keys(commands).join('|')}]` : command} [flags]`,
    '',
    ...wrap(isMain ? intro : `${summary}.`.replace(/^./, (first) => first.toUpperCase()), chars),
    ...(isMain ? section('Commands (serve when none is named)', commandRows) : []),
    ...section('Flags', [...Object.values<OwnFlag<unknown>>(own).map(ownRow), ...everywhere]),
    '',
    ...wrap(isMain ? rules : pointer, chars),
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
}

const commandRows = Object.entries(commands).map(([name, { summary }]): Row => [name, summary]);
const groups = Object.entries<Readonly<Record<string, Variable<unknown>>>>(variables).map(([title, rows]) => {
  const titled = title.replace(/^./, (first) => first.toUpperCase());
  return [titled, Object.values(rows).map((each): Row => [each.name, meaningOf(each)])] as const;
});
