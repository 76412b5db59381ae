import { formatSpan } from '../util/time.ts';
import { FINDINGS } from './cluster-finding.ts';
import type { CalendarEntry, ClusterReport, HookStatus, ReportedHook } from './cluster-report.ts';
import { printable } from './report.ts';

export const MARKS: Readonly<Record<HookStatus, string>> = { fail: '✘', warn: '⚠', ok: '✔', unknown: '?' };
const COLOURS: Readonly<Record<HookStatus, number>> = { fail: 31, warn: 33, ok: 32, unknown: 90 };
const [BOLD, DIM, CYAN] = [1, 90, 36];

type Paint = (code: number, text: string) => string;

/** When a hook fails: `now`, `in 12 d`, `unknown`. */
export const failsText = ({ status, failsAtMs }: ReportedHook, nowMs: number): string => {
  if (status === 'fail') return 'now';
  return failsAtMs === null ? 'unknown' : `in ${formatSpan(failsAtMs - nowMs)}`;
};

/** Why a hook has its status, in a few words: its worst finding. */
export const reasonText = ({ findings }: ReportedHook): string => {
  const [worst, ...others] = findings;
  if (worst === undefined) return '';
  return `${FINDINGS[worst.id]}${others.length === 0 ? '' : ` (+${others.length})`}`;
};

/** The day of a time: `2026-12-06`. */
export const dayText = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

const LONGEST_COLUMN = 64;

const columns = (rows: readonly (readonly string[])[]): readonly string[] => {
  const widths = (rows[0] ?? []).map((_, at) =>
    Math.max(...rows.map((row) => row[at]?.length ?? 0).filter((chars) => chars <= LONGEST_COLUMN), 0),
  );
  return rows.map((row) =>
    row.map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd(widths[at] ?? 0))).join('  '),
  );
};

const table = (report: ClusterReport, paint: Paint): readonly string[] => {
  const rows = report.hooks.map((each) => [
    failsText(each, report.nowMs),
    each.hook.id,
    each.server,
    each.issuer?.name ?? '-',
    reasonText(each),
  ]);
  const [head = '', ...lines] = columns(
    [['fails', 'webhook', 'server', 'issued by', 'why'], ...rows].map((row) => row.map(printable)),
  );
  return [
    `  ${paint(BOLD, head)}`,
    ...lines.map((line, at) => {
      const status = report.hooks[at]?.status ?? 'ok';
      return `${paint(COLOURS[status], MARKS[status])} ${line.trimEnd()}`;
    }),
  ];
};

const details = (report: ClusterReport, paint: Paint): readonly string[] =>
  report.hooks
    .filter(({ findings }) => findings.length > 0)
    .flatMap((each) => {
      const { hook, server, status, issuer, findings } = each;
      const by = issuer === null ? '' : `, issued by ${issuer.name} (${issuer.toldFrom})`;
      return [
        '',
        `${paint(COLOURS[status], MARKS[status])} ${paint(BOLD, printable(hook.id))} ${paint(DIM, printable(`${server}${by}`))}`,
        ...findings.flatMap(({ id, detail, remedy, page }) => [
          `    ${FINDINGS[id]}`,
          `      ${printable(detail)}`,
          ...(remedy === null ? [] : [`      ${paint(CYAN, printable(remedy))}`]),
          `      ${paint(DIM, page)}`,
        ]),
      ];
    });

const CALENDAR_LINES = 12;

/** Whom the end of a certificate matters to: the first hook, and how many more. */
export const hooksText = ({ hooks: [first = '', ...others] }: CalendarEntry): string =>
  others.length === 0 ? first : `${first} and ${others.length} more`;

const calendar = ({ calendar: entries, nowMs }: ClusterReport, paint: Paint): readonly string[] => {
  if (entries.length === 0) return [];
  const rows = entries
    .slice(0, CALENDAR_LINES)
    .map((entry) => [
      dayText(entry.atMs),
      `in ${formatSpan(entry.atMs - nowMs)}`,
      entry.kind === 'CA' ? `CA ${entry.subject}` : `leaf ${entry.hash}`,
      hooksText(entry),
    ]);
  const more = entries.length - CALENDAR_LINES;
  return [
    '',
    paint(BOLD, 'calendar'),
    ...columns(rows.map((row) => row.map(printable))).map((line) => `  ${line}`),
    ...(more > 0 ? [`  and ${more} more, until ${dayText(entries.at(-1)?.atMs ?? nowMs)}`] : []),
  ];
};

/** What no client of the API can see. */
export const OUT_OF_REACH =
  'Webhooks that files on the control plane configure (names ending in .static.k8s.io) are not visible through the API.';

/** `1 webhook`, `3 webhooks`. */
export const countText = (count: number): string => (count === 1 ? '1 webhook' : `${count} webhooks`);

const summary = ({ counts, hooks, unreadable }: ClusterReport, paint: Paint): string => {
  const worst: HookStatus = counts.fail > 0 || unreadable.length > 0 ? 'fail' : counts.warn > 0 ? 'warn' : 'ok';
  const parts = [
    ...(counts.fail > 0 ? [`${counts.fail} failing`] : []),
    ...(counts.warn > 0 ? [`${counts.warn} with warnings`] : []),
    `${counts.ok} ok`,
    ...(counts.unknown > 0 ? [`${counts.unknown} unknown`] : []),
  ];
  return `${paint(COLOURS[worst], MARKS[worst])} ${countText(hooks.length)}: ${parts.join(', ')}`;
};

/** Formats the report for a terminal. */
export const clusterText = (report: ClusterReport, colours: boolean): string => {
  const paint: Paint = (code, text) => (colours ? `\u001b[${code}m${text}\u001b[0m` : text);
  const { server, version, nowMs, unreadable, hooks } = report;
  return [
    `${server}, ${version}, ${new Date(nowMs).toISOString().slice(0, 16)}Z`,
    '',
    ...(hooks.length === 0 ? ['No webhook was found.'] : table(report, paint)),
    ...details(report, paint),
    ...calendar(report, paint),
    ...unreadable.map(({ why }) => `\n${paint(COLOURS.fail, MARKS.fail)} ${printable(why)}`),
    '',
    paint(DIM, OUT_OF_REACH),
    summary(report, paint),
  ].join('\n');
};

const timeOf = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

/** Formats the report as one JSON document. */
export const clusterJson = (report: ClusterReport): string => {
  const { server, version, nowMs, hooks, calendar: entries, unreadable, counts } = report;
  return JSON.stringify(
    {
      server,
      version,
      time: timeOf(nowMs),
      counts,
      webhooks: hooks.map(({ hook, ...each }) => ({
        id: hook.id,
        kind: hook.kind,
        object: hook.object,
        server: each.server,
        failurePolicy: hook.blocks ? 'Fail' : 'Ignore',
        status: each.status,
        failsAt: timeOf(each.failsAtMs),
        issuer: each.issuer,
        findings: each.findings.map((found) => ({ ...found, title: FINDINGS[found.id] })),
        endpoints: each.endpoints.map(({ notAfterMs, ...endpoint }) => ({ ...endpoint, notAfter: timeOf(notAfterMs) })),
      })),
      calendar: entries.map(({ atMs, ...entry }) => ({ at: timeOf(atMs), ...entry })),
      unreadable,
      outOfReach: OUT_OF_REACH,
    },
    null,
    2,
  );
};
