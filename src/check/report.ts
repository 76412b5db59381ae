import type { Status, Verdict } from './verdict.ts';

/** A verdict with the section it stands in, as `--json` prints it. */
export interface Check extends Verdict {
  readonly section: string;
}

const MARKS: Readonly<Record<Status, string>> = { ok: '✔', warn: '⚠', fail: '✘', skipped: '-' };
const COLOURS: Readonly<Record<Status, number>> = { ok: 32, warn: 33, fail: 31, skipped: 90 };
const [BOLD, DIM, CYAN] = [1, 90, 36];

/** Names up to this long have their section's details in one column. */
const NAME_CHARS = 64;

/** A foreign CA's name may hold anything, commands to a terminal included. */
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

const printable = (text: string): string => text.replace(CONTROL, '\ufffd');

const count = (checks: readonly Check[], status: Status): number =>
  checks.filter((check) => check.status === status).length;

const several = (number: number, one: string, many: string): readonly string[] =>
  number === 0 ? [] : [`${number} ${number === 1 ? one : many}`];

type Paint = (code: number, text: string) => string;

const widthOf = (checks: readonly Check[]): number =>
  Math.max(
    0,
    ...checks
      .filter(({ remedy, detail }) => remedy === null && detail !== '')
      .map(({ name }) => name.length)
      .filter((chars) => chars <= NAME_CHARS),
  );

const lines = (paint: Paint, nameChars: number, { name, status, ...check }: Check): readonly string[] => {
  const { remedy } = check;
  const detail = printable(check.detail);
  const head = `  ${paint(COLOURS[status], MARKS[status])} `;
  if (remedy !== null) return [`${head}${name}`, `      ${detail}`, `      ${paint(CYAN, remedy)}`];
  return [detail === '' ? `${head}${name}` : `${head}${name.padEnd(nameChars)}  ${paint(DIM, detail)}`];
};

const summary = (paint: Paint, checks: readonly Check[]): string => {
  const bad = count(checks, 'fail');
  const status = bad > 0 ? 'fail' : count(checks, 'warn') > 0 ? 'warn' : 'ok';
  const told = [
    ...several(bad, 'failure', 'failures'),
    ...several(count(checks, 'warn'), 'warning', 'warnings'),
    `${count(checks, 'ok')} good`,
    ...several(count(checks, 'skipped'), 'skipped', 'skipped'),
  ];
  return `${paint(COLOURS[status], MARKS[status])} ${told.join(', ')}`;
};

/** What `check` prints. */
export const report = {
  isGood: (checks: readonly Check[]): boolean => count(checks, 'fail') === 0,
  /** Sections with a line a check; what is wrong and the command that mends it below its line. */
  text: (checks: readonly Check[], colours: boolean): string => {
    const paint: Paint = (code, text) => (colours ? `\u001b[${code}m${text}\u001b[0m` : text);
    const titles = [...new Set(checks.map(({ section }) => section))];
    const blocks = titles.map((title) => {
      const own = checks.filter(({ section }) => section === title);
      return [paint(BOLD, title), ...own.flatMap((check) => lines(paint, widthOf(own), check))].join('\n');
    });
    return [...blocks, summary(paint, checks)].join('\n\n');
  },
  json: (checks: readonly Check[]): string => {
    const told = checks.map(({ section, name, status, detail, remedy }) => ({ section, name, status, detail, remedy }));
    return JSON.stringify({ ok: report.isGood(checks), checks: told }, null, 2);
  },
} as const;
