import type { CheckResult, CheckStatus } from './result.ts';

/** A result and its category, as `--json` prints it. */
export interface Check extends CheckResult {
  readonly category: string;
}

const MARKS: Readonly<Record<CheckStatus, string>> = { ok: '✔', warn: '⚠', fail: '✘', skipped: '-' };
const COLOURS: Readonly<Record<CheckStatus, number>> = { ok: 32, warn: 33, fail: 31, skipped: 90 };
const [BOLD, DIM, CYAN] = [1, 90, 36];

/** Longer names do not widen the column in which the details of their category are aligned. */
const NAME_CHARS = 64;

/** The subject of an unknown CA may hold any characters, terminal escape sequences included. */
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

export const printable = (text: string): string => text.replace(CONTROL, '\ufffd');

const count = (checks: readonly Check[], status: CheckStatus): number =>
  checks.filter((check) => check.status === status).length;

const counted = (number: number, singular: string, plural: string): readonly string[] =>
  number === 0 ? [] : [`${number} ${number === 1 ? singular : plural}`];

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
  const failures = count(checks, 'fail');
  const status = failures > 0 ? 'fail' : count(checks, 'warn') > 0 ? 'warn' : 'ok';
  const counts = [
    ...counted(failures, 'failure', 'failures'),
    ...counted(count(checks, 'warn'), 'warning', 'warnings'),
    `${count(checks, 'ok')} ok`,
    ...counted(count(checks, 'skipped'), 'skipped', 'skipped'),
  ];
  return `${paint(COLOURS[status], MARKS[status])} ${counts.join(', ')}`;
};

/** Whether no check failed; warnings are allowed. */
export const hasPassed = (checks: readonly Check[]): boolean => count(checks, 'fail') === 0;

/** Formats checks for people: one line per check under its category, followed by problem and remedy if there is one. */
export const reportText = (checks: readonly Check[], colours: boolean): string => {
  const paint: Paint = (code, text) => (colours ? `\u001b[${code}m${text}\u001b[0m` : text);
  const titles = [...new Set(checks.map(({ category }) => category))];
  const blocks = titles.map((title) => {
    const own = checks.filter(({ category }) => category === title);
    return [paint(BOLD, title), ...own.flatMap((check) => lines(paint, widthOf(own), check))].join('\n');
  });
  return [...blocks, summary(paint, checks)].join('\n\n');
};

/** Formats checks as one JSON document. */
export const reportJson = (checks: readonly Check[]): string => {
  const listed = checks.map(({ category, name, status, detail, remedy }) => ({
    category,
    name,
    status,
    detail,
    remedy,
  }));
  return JSON.stringify({ ok: hasPassed(checks), checks: listed }, null, 2);
};

/**
 * Has the remedies speak to the cluster that was checked.
 *
 * @param kubectl how it is called for that cluster: `KUBECONFIG=/path kubectl --context=production`
 */
export const withKubectl = <T extends CheckResult>(checks: readonly T[], kubectl: string): readonly T[] =>
  kubectl === 'kubectl'
    ? checks
    : checks.map((check) => ({
        ...check,
        remedy: check.remedy?.replaceAll(/\bkubectl (?=[a-z-])/g, () => `${kubectl} `) ?? null,
      }));
