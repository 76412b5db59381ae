import type { X509Certificate } from 'node:crypto';
import { configFindings } from './cluster-config-findings.ts';
import { endpointText, type Finding, shortHash, subjectText } from './cluster-finding.ts';
import { type Hook, serverText } from './cluster-hooks.ts';
import { type HookIssuer, issuerOf } from './cluster-issuer.ts';
import { reachFindings } from './cluster-reach-findings.ts';
import type { Probed, Survey, SurveyedHook } from './cluster-survey.ts';
import { createVerifier, type Verifier } from './cluster-trust.ts';
import { trustFindings } from './cluster-trust-findings.ts';

export type HookStatus = 'fail' | 'warn' | 'ok' | 'unknown';

/** What one endpoint showed, in words. */
export interface ReportedEndpoint {
  readonly name: string;
  readonly address: string;
  /** First digits of the SHA-256 of its leaf; null when it showed none. */
  readonly leaf: string | null;
  readonly notAfterMs: number | null;
  readonly protocol: string | null;
  /** Why it showed none. */
  readonly problem: string | null;
}

/** One line of the report. */
export interface ReportedHook {
  readonly hook: Hook;
  readonly server: string;
  readonly status: HookStatus;
  /** When the first call of it fails unless something changes: now for one that fails; null when unknown. */
  readonly failsAtMs: number | null;
  readonly issuer: HookIssuer | null;
  /** The worst first. */
  readonly findings: readonly Finding[];
  readonly endpoints: readonly ReportedEndpoint[];
}

/** One certificate whose end matters, and whom it matters to. */
export interface CalendarEntry {
  readonly atMs: number;
  readonly kind: 'leaf' | 'CA';
  readonly subject: string;
  readonly hash: string;
  readonly hooks: readonly string[];
}

export interface ClusterReport {
  readonly server: string;
  readonly version: string;
  readonly nowMs: number;
  readonly warnBeforeMs: number;
  /** Sorted by what fails first. */
  readonly hooks: readonly ReportedHook[];
  readonly calendar: readonly CalendarEntry[];
  readonly unreadable: Survey['unreadable'];
  readonly counts: Readonly<Record<HookStatus, number>>;
}

const SEVERITIES = ['fail', 'warn', 'note'] as const;

const statusOf = (findings: readonly Finding[], { probes }: SurveyedHook): HookStatus => {
  if (findings.some(({ severity }) => severity === 'fail')) return 'fail';
  if (findings.some(({ severity }) => severity === 'warn')) return 'warn';
  return probes.some(({ result }) => result.state === 'presented') ? 'ok' : 'unknown';
};

/** What an endpoint sent, the leaf first; nothing where it sent none. */
const chainOf = ({ result }: Probed): readonly X509Certificate[] => (result.state === 'presented' ? result.chain : []);

const leafOf = ({ probes }: SurveyedHook): X509Certificate | null => probes.flatMap(chainOf)[0] ?? null;

/** When accepted certificates stop to be accepted, the first first. */
const endsOf = ({ hook, probes }: SurveyedHook, verifier: Verifier) =>
  hook.skipsVerification
    ? []
    : probes
        .flatMap((probed) => verifier.verify(hook, chainOf(probed)).end ?? [])
        .sort((left, right) => left.atMs - right.atMs);

const reportEndpoints = ({ probes }: SurveyedHook): readonly ReportedEndpoint[] =>
  probes.map((probed) => {
    const { endpoint, result } = probed;
    const [leaf = null] = chainOf(probed);
    return {
      name: endpointText(endpoint),
      address: `${endpoint.address}:${endpoint.port}`,
      leaf: leaf === null ? null : shortHash(leaf),
      notAfterMs: leaf?.validToDate.getTime() ?? null,
      protocol: result.state === 'presented' ? result.protocol : null,
      problem: result.state === 'presented' ? null : result.detail,
    };
  });

/** What fails now comes first; what is not known to end comes last. */
const orderOf = ({ failsAtMs }: ReportedHook): number => failsAtMs ?? Number.MAX_SAFE_INTEGER;

const RANKS: Readonly<Record<HookStatus, number>> = { fail: 0, warn: 1, unknown: 2, ok: 3 };

const byFailure = (left: ReportedHook, right: ReportedHook): number =>
  orderOf(left) - orderOf(right) ||
  RANKS[left.status] - RANKS[right.status] ||
  Number(right.hook.blocks) - Number(left.hook.blocks) ||
  left.hook.id.localeCompare(right.hook.id);

const calendarOf = (survey: Survey, verifier: Verifier): readonly CalendarEntry[] => {
  const entries = new Map<
    string,
    { readonly certificate: X509Certificate; readonly hooks: Set<string>; isLeaf: boolean }
  >();
  for (const surveyed of survey.hooks) {
    for (const { certificate, isLeaf } of endsOf(surveyed, verifier)) {
      const entry = entries.get(certificate.fingerprint256) ?? { certificate, hooks: new Set(), isLeaf };
      entry.hooks.add(surveyed.hook.id);
      entries.set(certificate.fingerprint256, entry);
    }
  }
  return [...entries.values()]
    .map(({ certificate, hooks, isLeaf }): CalendarEntry => ({
      atMs: certificate.validToDate.getTime(),
      kind: isLeaf ? 'leaf' : 'CA',
      subject: subjectText(certificate),
      hash: shortHash(certificate),
      hooks: [...hooks].sort(),
    }))
    .sort((left, right) => left.atMs - right.atMs);
};

/** Makes the report of a survey. Pure. */
export const reportCluster = (survey: Survey, { warnBeforeMs }: { readonly warnBeforeMs: number }): ClusterReport => {
  const { nowMs, server, version, unreadable } = survey;
  const verifier = createVerifier(nowMs);
  const hooks = survey.hooks
    .map((surveyed): ReportedHook => {
      const found = [
        ...reachFindings(surveyed),
        ...trustFindings(surveyed, verifier, { warnBeforeMs, nowMs }),
        ...configFindings(surveyed),
      ];
      const findings = SEVERITIES.flatMap((severity) => found.filter((each) => each.severity === severity));
      const status = statusOf(findings, surveyed);
      const [end] = endsOf(surveyed, verifier);
      return {
        hook: surveyed.hook,
        server: serverText(surveyed.hook),
        status,
        failsAtMs: status === 'fail' ? nowMs : (end?.atMs ?? null),
        issuer: issuerOf(surveyed.hook, leafOf(surveyed)),
        findings,
        endpoints: reportEndpoints(surveyed),
      };
    })
    .sort(byFailure);
  const count = (status: HookStatus): number => hooks.filter((each) => each.status === status).length;
  return {
    server,
    version,
    nowMs,
    warnBeforeMs,
    hooks,
    calendar: calendarOf(survey, verifier),
    unreadable,
    counts: { fail: count('fail'), warn: count('warn'), ok: count('ok'), unknown: count('unknown') },
  };
};

/** Whether nothing fails and every list could be read; warnings are allowed. */
export const isSound = ({ counts, unreadable }: ClusterReport): boolean => counts.fail === 0 && unreadable.length === 0;
