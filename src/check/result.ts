import type { GetResult } from './get.ts';
import { shellQuote } from './kubectl.ts';

type Status = 'ok' | 'warn' | 'fail' | 'skipped';

/** What one look at one thing came to. */
export interface CheckResult {
  /** What is checked, in words that stand alone on their line. */
  readonly name: string;
  readonly status: Status;
  /** One line: what was found, or what is wrong. */
  readonly detail: string;
  /** A command that mends it, ready to be pasted into a shell; null when all is well. */
  readonly remedy: string | null;
}

/** Makes verdicts. What is not well always says how it is mended. */
export const result = {
  ok: (name: string, detail: string): CheckResult => ({ name, status: 'ok', detail, remedy: null }),
  warn: (name: string, detail: string, remedy: string): CheckResult => ({ name, status: 'warn', detail, remedy }),
  fail: (name: string, detail: string, remedy: string): CheckResult => ({ name, status: 'fail', detail, remedy }),
  skipped: (name: string, why: string): CheckResult => ({ name, status: 'skipped', detail: why, remedy: null }),
} as const;

/** A verdict with the section it stands in, as `--json` prints it. */
export interface Check extends CheckResult {
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

/** What is to be said of something that could not be looked at. That a replica may not is a fault of its permissions. */
export const unreadable = (
  name: string,
  look: Exclude<GetResult<unknown>, { readonly state: 'there' }>,
  path: string,
): CheckResult =>
  look.state === 'forbidden'
    ? result.skipped(name, `it must not be read from here: ${look.why}`)
    : result.fail(name, look.why, `kubectl get --raw ${shellQuote(path)}`);

/**
 * Has every kubectl of the remedies speak to the cluster that was checked, where that is not the one of the shell.
 *
 * @param checked the kubeconfig the check went by, null inside a pod
 * @param ofShell what KUBECONFIG says in the shell that the command will be pasted into
 */
export const forKubeconfig = <T extends CheckResult>(
  checks: readonly T[],
  checked: string | null,
  ofShell: string | null,
): readonly T[] => {
  if (checked === null || checked === ofShell) return checks;
  const prefix = `KUBECONFIG=${shellQuote(checked)} `;
  return checks.map((check) => ({
    ...check,
    remedy: check.remedy?.replaceAll(/\bkubectl (?=[a-z-])/g, (kubectl) => prefix + kubectl) ?? null,
  }));
};
