import { expect } from 'chai';
import type { Config } from '../../src/config/config.ts';
import { describeDefault } from '../../src/config/help.ts';
import { settings } from '../../src/config/variables.ts';
import { issuers } from '../../streams/issuers.ts';
import { parse } from './parse.ts';

const dayMs = 24 * 3600 * 1000;

/** The contract's table: name, default as it is told, field, default as it is used. */
const contract: readonly (readonly [string, string | null, keyof Config, unknown])[] = [
  ['NAME', null, 'name', null],
  ['POD_NAMESPACE', "the service account's namespace file", 'namespace', 'webhooks'],
  ['POD_NAME', 'the hostname', 'identity', 'webhook-0'],
  [
    'POD_SELECTOR',
    'app.kubernetes.io/name=kubetemplater; with NAME: app.kubernetes.io/name=NAME',
    'podSelector',
    'app.kubernetes.io/name=kubetemplater',
  ],
  ['LEASE_NAME', '8377a775.my.company.com; with NAME: NAME', 'leaseName', '8377a775.my.company.com'],
  ['ANNOTATION_PREFIX', 'kubetemplater.io; with NAME: webhook-certd', 'annotationPrefix', 'kubetemplater.io'],
  ['SECRET_NAME', 'kubetemplater-webhook-cert; with NAME: NAME-cert', 'secretName', 'kubetemplater-webhook-cert'],
  ['SERVICE_NAME', 'kubetemplater-webhook-service; with NAME: NAME', 'serviceName', 'kubetemplater-webhook-service'],
  ['EXTRA_DNS_NAMES', null, 'extraDnsNames', []],
  [
    'CA_BUNDLE_TARGETS',
    'validatingwebhookconfiguration/kubetemplater-validating-webhook-configuration; with NAME: validatingwebhookconfiguration/NAME.POD_NAMESPACE',
    'caBundleTargets',
    [{ type: 'validatingwebhookconfiguration', name: 'kubetemplater-validating-webhook-configuration' }],
  ],
  ['SOURCE_SECRET', null, 'sourceSecret', null],
  ['CERT_DIR', '/tmp/k8s-webhook-server/serving-certs', 'certDir', '/tmp/k8s-webhook-server/serving-certs'],
  ['CERT_TIMEOUT', '180s', 'certTimeoutMs', 180_000],
  ['TICK_INTERVAL', '2s', 'tickMs', 2000],
  ['WATCH_STALE_AFTER', 'LEASE_DURATION', 'watchStaleAfterMs', 60_000],
  ['KUBELET_NUDGE', 'true', 'kubeletNudge', true],
  ['LEADER_ELECTION', 'true', 'leaderElection', true],
  ['LEASE_DURATION', '60s', 'leaseDurationMs', 60_000],
  ['RENEW_DEADLINE', '40s', 'renewDeadlineMs', 40_000],
  ['RETRY_PERIOD', '15s', 'retryPeriodMs', 15_000],
  ['CERT_ISSUER', 'self-signed', 'issuer', issuers['self-signed']],
  ['KEY_ALGORITHM', 'ecdsa-p256', 'keyAlgorithm', 'ecdsa-p256'],
  ['CERT_VALIDITY', '365d', 'certValidityMs', 365 * dayMs],
  ['RENEW_BEFORE', '30d', 'renewBeforeMs', 30 * dayMs],
  ['CA_VALIDITY', '3650d', 'caValidityMs', 3650 * dayMs],
  ['CA_RENEW_BEFORE', '365d', 'caRenewBeforeMs', 365 * dayMs],
  ['CA_OVERLAP', '1h', 'caOverlapMs', 3_600_000],
  ['TRUST_SETTLE', '10s', 'trustSettleMs', 10_000],
  ['WEBHOOK_BIND_ADDRESS', ':9443', 'webhookBind', { host: null, port: 9443 }],
  ['HEALTH_PROBE_BIND_ADDRESS', ':8081', 'probeBind', { host: null, port: 8081 }],
  ['METRICS_BIND_ADDRESS', ':8080', 'metricsBind', { host: null, port: 8080 }],
  ['WEBHOOK_HANDLER', null, 'handlerModule', './handler.js'],
  ['UPSTREAM_URL', null, 'upstream', null],
  ['SERVING_ADDRESS', null, 'serving', null],
  ['RELOAD', null, 'reload', null],
  ['UPSTREAM_TIMEOUT', '10s', 'upstreamTimeoutMs', 10_000],
  ['MAX_REQUEST_BYTES', '7MiB', 'maxRequestBytes', 7 * 1024 * 1024],
  ['TLS_MIN_VERSION', '1.3', 'tlsMinVersion', 'TLSv1.3'],
  ['CLIENT_CA_FILE', null, 'clientCaFile', null],
  ['SHUTDOWN_GRACE', '30s', 'shutdownGraceMs', 30_000],
  ['LOG_LEVEL', 'info', 'logLevel', 'info'],
  ['LOG_FORMAT', 'json', 'logFormat', 'json'],
  ['KUBECONFIG', null, 'kubeconfig', null],
];

describe('the defaults', () => {
  const result = parse();

  for (const [name, told, field, value] of contract) {
    it(`gives ${name} ${told ?? 'no default'}`, () => {
      expect(result.ok && result.config[field]).to.deep.equal(value);
      const [, variable] = settings.find(([, each]) => each.name === name)!;
      expect(describeDefault(variable.defaultValue)).to.equal(told);
    });
  }

  it('are those of every variable there is, and of no other', () => {
    expect(settings.map(([, { name }]) => name)).to.have.members(contract.map(([name]) => name));
  });

  it("name the leaf after the Service's four names", () => {
    expect(result.ok && result.config.serviceNames).to.deep.equal([
      'kubetemplater-webhook-service',
      'kubetemplater-webhook-service.webhooks',
      'kubetemplater-webhook-service.webhooks.svc',
      'kubetemplater-webhook-service.webhooks.svc.cluster.local',
    ]);
  });
});
