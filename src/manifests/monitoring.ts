import { REPOSITORY } from '../config/version.ts';
import dashboard from './dashboard.json' with { type: 'json' };
import { inNamespace, type InstallationSpec, labelsOf, type Manifest, manifest } from './installation.ts';
import type { Json } from './yaml.ts';

interface Alert {
  readonly alert: string;
  readonly comment?: string;
  readonly expr: string;
  readonly for?: string;
  readonly severity: 'warning' | 'critical';
  readonly summary: string;
  readonly description: string;
}

const ALERTS: readonly Alert[] = [
  {
    alert: 'WebhookCertdServedCertificateExpiresSoon',
    comment: 'Renewal begins RENEW_BEFORE (30 days) before expiry: seven days left means that it has failed for weeks.',
    expr: 'webhook_certd_served_certificate_expiry_timestamp_seconds - time() < 7 * 86400',
    for: '5m',
    severity: 'critical',
    summary: '{{ $labels.pod }} serves a certificate that expires in {{ $value | humanizeDuration }}',
    description:
      'Every admission call to this Pod fails once it has expired. The status page shows what the rotation waits for.',
  },
  {
    alert: 'WebhookCertdSecretCertificateExpiresSoon',
    expr: 'webhook_certd_secret_certificate_expiry_timestamp_seconds - time() < 7 * 86400',
    for: '5m',
    severity: 'critical',
    summary: 'The certificate in the Secret in {{ $labels.namespace }} expires in {{ $value | humanizeDuration }}',
    description: 'The leader {{ $labels.pod }} has not renewed it. Its log shows which write fails.',
  },
  {
    alert: 'WebhookCertdCaBundleExpiresSoon',
    expr: 'webhook_certd_ca_bundle_expiry_timestamp_seconds - time() < 7 * 86400',
    for: '5m',
    severity: 'critical',
    summary: 'A CA in the caBundle of {{ $labels.target }} expires in {{ $value | humanizeDuration }}',
    description: 'The API server rejects certificates of this CA once it has expired.',
  },
  {
    alert: 'WebhookCertdHashMismatch',
    expr: 'webhook_certd_hash_mismatch == 1',
    for: '10m',
    severity: 'warning',
    summary: '{{ $labels.pod }} has not served the announced certificate for 10 minutes',
    description:
      'Either its kubelet does not deliver the Secret (is it mounted with subPath?), or the replica rejects the certificate: search its log for the hash.',
  },
  {
    alert: 'WebhookCertdNoLeader',
    comment: 'Remove this rule where every replica has LEADER_ELECTION=false.',
    expr: 'sum by (namespace, job) (webhook_certd_leader) == 0',
    for: '5m',
    severity: 'warning',
    summary: '{{ $labels.job }} in {{ $labels.namespace }} has had no leader for 5 minutes',
    description:
      'Certificates are not renewed and CA bundles are not repaired. Replicas serve their certificate until it expires.',
  },
  {
    alert: 'WebhookCertdNotReady',
    expr: 'webhook_certd_ready == 0',
    for: '5m',
    severity: 'critical',
    summary: '{{ $labels.pod }} has not been ready for 5 minutes',
    description: 'Its /readyz lists the reasons, one per line.',
  },
  {
    alert: 'WebhookCertdContested',
    comment:
      'The first repairs are immediate; lasting contention is repaired once a minute. A CA rotation writes twice.',
    expr: 'increase(webhook_certd_contests_total[10m]) > 0 or sum without (target) (label_replace( increase(webhook_certd_ca_bundle_writes_total[10m]) > 5, "object", "$1", "target", "(.*)"))',
    severity: 'warning',
    summary: 'Another field manager keeps rewriting {{ $labels.object }}',
    description: 'An Event on the Lease in {{ $labels.namespace }} names the other field manager.',
  },
  {
    alert: 'WebhookCertdWriteRefused',
    comment: 'The leader tries a refused write again, after 10 minutes at most.',
    expr: 'webhook_certd_refused_objects == 1',
    for: '5m',
    severity: 'warning',
    summary: 'The API server refuses the write of {{ $labels.object }}',
    description:
      'The leader has set the object aside and goes on with the others. Its /status, and an Event on the Lease in {{ $labels.namespace }}, give the reason; webhook-certd check gives the command.',
  },
  {
    alert: 'WebhookCertdMetricsAbsent',
    comment: 'Of an installation whose metrics were there an hour ago, and where there are none at all.',
    expr: 'group by (namespace, job) (webhook_certd_build_info offset 1h) unless group by (namespace, job) (webhook_certd_build_info) or absent(webhook_certd_build_info)',
    for: '10m',
    severity: 'warning',
    summary:
      'There are no metrics of webhook-certd{{ with $labels.job }} ({{ . }} in {{ $labels.namespace }}){{ end }}',
    description: 'No other alert can fire without them: either no replica runs, or Prometheus does not reach them.',
  },
];

const RUNBOOK = `${REPOSITORY}/blob/main/docs/runbook.md`;

const ruleOf = ({ alert, expr, for: duration, severity, summary, description }: Alert): Json => ({
  alert,
  expr,
  ...(duration === undefined ? {} : { for: duration }),
  labels: { severity },
  annotations: { summary, description, runbook_url: `${RUNBOOK}#${alert.toLowerCase()}` },
});

/** The rules of the PrometheusRule. */
export const alertRules: readonly Json[] = ALERTS.map(ruleOf);

const COMPONENT = { 'app.kubernetes.io/component': 'metrics' };

/** A headless Service for Prometheus, which scrapes each Pod; the webhook's Service is for the API server. */
const metricsService = (spec: InstallationSpec, port: number): Manifest =>
  manifest(
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: inNamespace(spec, `${spec.name}-metrics`, COMPONENT),
      spec: {
        type: 'ClusterIP',
        clusterIP: 'None',
        sessionAffinity: 'None',
        publishNotReadyAddresses: true,
        selector: labelsOf(spec),
        ports: [{ name: 'metrics', protocol: 'TCP', port, targetPort: 'metrics' }],
      },
    },
    {
      '': "For Prometheus, which scrapes each Pod. The webhook's own Service is for the API server and has no metrics port.",
      '/spec/publishNotReadyAddresses': 'Replicas that are not ready are scraped too.',
    },
  );

/** What the Prometheus operator and a Grafana that collects dashboards by label need. Nothing where METRICS_BIND_ADDRESS is 0. */
export const monitoring = (spec: InstallationSpec): readonly Manifest[] => {
  const { metricsBind } = spec.config;
  if (metricsBind === null) return [];
  const operator = 'monitoring.coreos.com/v1';
  return [
    metricsService(spec, metricsBind.port),
    manifest({
      apiVersion: operator,
      kind: 'ServiceMonitor',
      metadata: inNamespace(spec, spec.name),
      spec: {
        selector: { matchLabels: { ...labelsOf(spec), ...COMPONENT } },
        endpoints: [{ port: 'metrics', interval: '15s' }],
      },
    }),
    manifest(
      {
        apiVersion: operator,
        kind: 'PrometheusRule',
        metadata: inNamespace(spec, spec.name),
        spec: { groups: [{ name: 'webhook-certd', rules: alertRules }] },
      },
      Object.fromEntries(
        ALERTS.flatMap(({ comment }, at) => (comment === undefined ? [] : [[`/spec/groups/0/rules/${at}`, comment]])),
      ),
    ),
    manifest(
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: inNamespace(spec, `${spec.name}-dashboard`, { grafana_dashboard: '1' }),
        data: { 'webhook-certd.json': `${JSON.stringify(dashboard, null, 2)}\n` },
      },
      { '/metadata/labels/grafana_dashboard': "The label that Grafana's sidecar selects." },
    ),
  ];
};
