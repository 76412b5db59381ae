import type { MetricFamily } from '../metrics/instruments.ts';
import type { ClusterReport, HookStatus } from './cluster-report.ts';

const PREFIX = 'webhook_certd_cluster';

const seconds = (ms: number): number => Math.round(ms / 1_000);

/** The report as gauges. */
export const clusterGauges = (report: ClusterReport): readonly MetricFamily[] => {
  const { hooks, counts, unreadable, nowMs } = report;
  return [
    {
      name: `${PREFIX}_webhooks`,
      type: 'gauge',
      help: 'Number of webhooks, conversion webhooks and aggregated APIs by status',
      values: Object.entries<number>(counts satisfies Record<HookStatus, number>).map(([status, value]) => ({
        labels: { status },
        value,
      })),
    },
    {
      name: `${PREFIX}_webhook_failing`,
      type: 'gauge',
      help: '1 if calls of the webhook fail',
      values: hooks.map(({ hook, server, status, issuer }) => ({
        labels: {
          webhook: hook.id,
          server,
          failure_policy: hook.blocks ? 'Fail' : 'Ignore',
          issuer: issuer?.name ?? '',
        },
        value: status === 'fail' ? 1 : 0,
      })),
    },
    {
      name: `${PREFIX}_webhook_expiry_timestamp_seconds`,
      type: 'gauge',
      help: 'When the first call of the webhook fails because a certificate on its path ends',
      values: hooks.flatMap(({ hook, status, failsAtMs }) =>
        failsAtMs === null || status === 'fail' ? [] : [{ labels: { webhook: hook.id }, value: seconds(failsAtMs) }],
      ),
    },
    {
      name: `${PREFIX}_finding`,
      type: 'gauge',
      help: '1 for each finding',
      values: hooks.flatMap(({ hook, findings }) =>
        [...new Map(findings.map(({ id, severity }) => [id, severity]))].map(([finding, severity]) => ({
          labels: { webhook: hook.id, finding, severity },
          value: 1,
        })),
      ),
    },
    {
      name: `${PREFIX}_unreadable_lists`,
      type: 'gauge',
      help: 'Number of lists of webhooks that could not be read',
      values: [{ labels: {}, value: unreadable.length }],
    },
    {
      name: `${PREFIX}_check_timestamp_seconds`,
      type: 'gauge',
      help: 'When the cluster was checked last',
      values: [{ labels: {}, value: seconds(nowMs) }],
    },
  ];
};
