import { expect } from 'chai';
import { finding, type FindingId, type Severity } from '../../src/check/cluster-finding.ts';
import { clusterGauges } from '../../src/check/cluster-metrics.ts';
import type { ClusterReport, HookStatus, ReportedHook } from '../../src/check/cluster-report.ts';

interface Given {
  readonly id: string;
  readonly status: HookStatus;
  readonly blocks?: boolean;
  readonly failsAtMs?: number | null;
  readonly issuer?: string;
  readonly findings?: readonly (readonly [FindingId, Severity])[];
}

const reported = ({ id, status, blocks = true, failsAtMs = null, issuer, findings = [] }: Given): ReportedHook => ({
  hook: { id, blocks } as unknown as ReportedHook['hook'],
  server: `ns/${id}`,
  status,
  failsAtMs,
  issuer: issuer === undefined ? null : { name: issuer, toldFrom: '', renew: null, page: null },
  findings: findings.map(([name, severity]) => finding(name, severity, '', null)),
  endpoints: [],
});

const REPORT: ClusterReport = {
  server: 'https://10.0.0.1',
  version: 'v1.36.0',
  nowMs: 1_700_000_000_499,
  warnBeforeMs: 0,
  hooks: [
    reported({
      id: 'a',
      status: 'fail',
      issuer: 'Helm',
      failsAtMs: 1_700_000_000_499,
      findings: [
        ['expired', 'fail'],
        ['expired', 'fail'],
        ['two-managers', 'warn'],
      ],
    }),
    reported({
      id: 'b',
      status: 'warn',
      blocks: false,
      failsAtMs: 1_800_000_000_500,
      findings: [['unreachable', 'warn']],
    }),
    reported({ id: 'c', status: 'unknown' }),
  ],
  calendar: [],
  unreadable: [{ path: '/apis', why: 'forbidden' }],
  counts: { fail: 1, warn: 1, ok: 0, unknown: 1 },
};

/** Every sample of a report, as `NAME{LABELS} VALUE`. */
const samples = (name: string): readonly string[] =>
  clusterGauges(REPORT)
    .filter((family) => family.name === `webhook_certd_cluster_${name}`)
    .flatMap(({ values }) =>
      values.map(({ labels, value }) => [...Object.entries(labels).map((each) => each.join('=')), value].join(' ')),
    );

describe('the metrics of check --cluster', () => {
  it('are gauges, each with a help text', () => {
    for (const { name, type, help } of clusterGauges(REPORT)) {
      expect(type, name).to.equal('gauge');
      expect(help, name).to.match(/^(?:[A-Z]|1 )\S* .*[a-z]$/);
    }
  });

  for (const [name, expected] of [
    ['webhooks', ['status=fail 1', 'status=warn 1', 'status=ok 0', 'status=unknown 1']],
    [
      'webhook_failing',
      [
        'webhook=a server=ns/a failure_policy=Fail issuer=Helm 1',
        'webhook=b server=ns/b failure_policy=Ignore issuer= 0',
        'webhook=c server=ns/c failure_policy=Fail issuer= 0',
      ],
    ],
    ['webhook_expiry_timestamp_seconds', ['webhook=b 1800000001']],
    [
      'finding',
      [
        'webhook=a finding=expired severity=fail 1',
        'webhook=a finding=two-managers severity=warn 1',
        'webhook=b finding=unreachable severity=warn 1',
      ],
    ],
    ['unreadable_lists', ['1']],
    ['check_timestamp_seconds', ['1700000000']],
  ] as const)
    it(`tell ${name} of each webhook or of the cluster`, () => {
      expect(samples(name)).to.deep.equal(expected);
    });
});
