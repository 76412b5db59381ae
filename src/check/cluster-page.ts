import { html, type Markup } from '../page/html.ts';
import { PAGE_STYLE } from '../page/page-assets.ts';
import { formatSpan } from '../util/time.ts';
import { FINDINGS } from './cluster-finding.ts';
import type { CalendarEntry, ClusterReport, HookStatus, ReportedEndpoint, ReportedHook } from './cluster-report.ts';
import { dayText, failsText, hooksText, MARKS, OUT_OF_REACH, reasonText } from './cluster-text.ts';

const STYLE = `
.tiles { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); }
.tile { font-size: .875rem; color: var(--dim); }
.tile b { display: block; font-size: 1.75rem; line-height: 1.2; color: var(--text); font-variant-numeric: tabular-nums; }
.tile b.fail { color: var(--bad); } .tile b.warn { color: var(--mounted); } .tile b.ok { color: var(--good); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .875rem; }
th { text-align: left; font-weight: 600; color: var(--dim); }
th, td { padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--edge); vertical-align: top; overflow-wrap: anywhere; }
td:first-child, td:nth-child(2) { white-space: nowrap; font-variant-numeric: tabular-nums; }
.fail { color: var(--bad); } .warn { color: var(--mounted); } .ok { color: var(--good); } .unknown { color: var(--dim); }
.end { display: grid; grid-template-columns: 9.5rem 1fr; gap: .25rem .75rem; font-size: .8125rem; padding: .2rem 0; }
.bar { display: block; height: .5rem; border-radius: .25rem; background: var(--loaded); margin: .4rem 0 .1rem; min-width: 3px; }
.bar.soon { background: var(--mounted); }
pre { margin: .25rem 0 0; padding: .5rem .625rem; background: var(--soft); border-radius: .5rem; white-space: pre-wrap; overflow-wrap: anywhere; font: .8125rem/1.4 ui-monospace, Menlo, Consolas, monospace; }
.finding + .finding { margin-top: .75rem; }
@media print {
  :root { --ground: #fff; }
  body { font-size: 11px; }
  .card { break-inside: avoid; border-radius: 0; }
  .card.long { break-inside: auto; }
  a { color: inherit; text-decoration: none; }
}
`;

const WORDS: Readonly<Record<HookStatus, string>> = { fail: 'fails', warn: 'warning', ok: 'ok', unknown: 'unknown' };

const anchorOf = (at: number): string => `webhook-${at + 1}`;

const tile = (count: number, what: string, status: HookStatus): Markup =>
  html`<p class="tile card"><b class="${count > 0 ? status : ''}">${count}</b>${what}</p>`;

const row = (report: ClusterReport, each: ReportedHook, at: number): Markup => {
  const { hook, server, status, issuer, findings } = each;
  return html`<tr>
    <td class="${status}">${MARKS[status]} ${WORDS[status]}</td>
    <td>${failsText(each, report.nowMs)}</td>
    <td>${findings.length === 0 ? hook.id : html`<a href="#${anchorOf(at)}">${hook.id}</a>`}</td>
    <td>${server}</td>
    <td>${issuer?.name ?? '-'}</td>
    <td>${reasonText(each)}</td>
  </tr>`;
};

const endpointRow = ({ name, address, leaf, notAfterMs, protocol, problem }: ReportedEndpoint): Markup =>
  html`<tr>
    <td>${name}</td>
    <td>${address}</td>
    <td>${leaf === null ? '-' : html`<code>${leaf}</code>`}</td>
    <td>${notAfterMs === null ? '-' : dayText(notAfterMs)}</td>
    <td>${problem ?? protocol}</td>
  </tr>`;

const detail = ({ hook, server, status, issuer, findings, endpoints }: ReportedHook, at: number): Markup =>
  html`<section class="card" id="${anchorOf(at)}">
    <h3><span class="${status}">${MARKS[status]}</span> ${hook.id}</h3>
    <p class="dim">
      ${server}, failurePolicy
      ${hook.blocks ? 'Fail' : 'Ignore'}${issuer === null ? '' : `, issued by ${issuer.name} (${issuer.toldFrom})`}
    </p>
    ${findings.map(
      ({ id, detail: text, remedy, page }) =>
        html`<div class="finding">
          <p><b>${FINDINGS[id]}</b> <span class="tag">${id}</span></p>
          <p>${text}</p>
          ${remedy === null ? null : html`<pre>${remedy}</pre>`}
          <p class="dim">${page}</p>
        </div>`,
    )}
    ${
      endpoints.length === 0
        ? null
        : html`<div class="scroll">
            <table>
              <thead>
                <tr>
                  <th>endpoint</th>
                  <th>address</th>
                  <th>leaf</th>
                  <th>until</th>
                  <th>TLS</th>
                </tr>
              </thead>
              <tbody>
                ${endpoints.map(endpointRow)}
              </tbody>
            </table>
          </div>`
    }
  </section>`;

/** Longer lives are drawn as one of this length. */
const LONGEST_MS = 400 * 86_400_000;

const calendarRow = ({ nowMs, warnBeforeMs }: ClusterReport, entry: CalendarEntry): Markup => {
  const leftMs = entry.atMs - nowMs;
  const percent = Math.max(0, Math.min(100, (leftMs / LONGEST_MS) * 100)).toFixed(1);
  return html`<div class="end">
    <span>${dayText(entry.atMs)}, in ${formatSpan(leftMs)}</span>
    <span>
      <span class="bar ${leftMs < warnBeforeMs ? 'soon' : ''}" style="width:${percent}%"></span>
      ${entry.kind === 'CA' ? `CA ${entry.subject}` : html`leaf <code>${entry.hash}</code>`}
      <span class="dim">${hooksText(entry)}</span>
    </span>
  </div>`;
};

/** Formats the report as one page without anything from elsewhere, for a browser or a printer. */
export const clusterPage = (report: ClusterReport): string => {
  const { server, version, nowMs, counts, hooks, calendar, unreadable } = report;
  const time = `${new Date(nowMs).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  const withFindings = hooks.map((each, at) => [each, at] as const).filter(([{ findings }]) => findings.length > 0);
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'" />
        <title>Webhooks of ${server}</title>
        <style>
          ${{ markup: PAGE_STYLE + STYLE }}
        </style>
      </head>
      <body>
        <header>
          <p class="brand">webhook-certd check --cluster</p>
          <h1>Which webhook fails next</h1>
          <p class="dim">${server}, ${version}, ${time}</p>
        </header>
        <main>
          <div class="tiles">
            ${tile(counts.fail, 'fail now', 'fail')} ${tile(counts.warn, 'have warnings', 'warn')}
            ${tile(counts.ok, 'are ok', 'ok')} ${tile(counts.unknown, 'are unknown', 'unknown')}
          </div>
          ${unreadable.map(({ why }) => html`<p class="card bad">${why}</p>`)}
          <section class="card long">
            <h2>Webhooks, by what fails first</h2>
            <div class="scroll">
              <table>
                <thead>
                  <tr>
                    <th>status</th>
                    <th>fails</th>
                    <th>webhook</th>
                    <th>server</th>
                    <th>issued by</th>
                    <th>why</th>
                  </tr>
                </thead>
                <tbody>
                  ${hooks.map((each, at) => row(report, each, at))}
                </tbody>
              </table>
            </div>
          </section>
          <section class="card long">
            <h2>Calendar</h2>
            ${calendar.map((entry) => calendarRow(report, entry))}
          </section>
          ${withFindings.map(([each, at]) => detail(each, at))}
        </main>
        <footer>${OUT_OF_REACH}</footer>
      </body>
    </html>`.markup;
};
