import { expect } from 'chai';
import type { Config } from '../../src/config/config.ts';
import { settings } from '../../src/config/variables.ts';
import { issuers } from '../../streams/issuers.ts';
import { parse } from './parse.ts';

const vwc = 'validatingwebhookconfiguration';
const long = 'a'.repeat(63);
const dayMs = 24 * 3600 * 1000;

/** Name, field, then what is accepted and what it becomes. */
const accepted: readonly (readonly [string, keyof Config, readonly (readonly [string, unknown])[]])[] = [
  [
    'NAME',
    'name',
    [
      ['orders', 'orders'],
      ['a-1', 'a-1'],
      ['a'.repeat(50), 'a'.repeat(50)],
    ],
  ],
  [
    'POD_NAMESPACE',
    'namespace',
    [
      ['a', 'a'],
      ['0-9', '0-9'],
      [long, long],
      [' padded\n', 'padded'],
    ],
  ],
  [
    'POD_NAME',
    'identity',
    [
      ['webhook-5d4f-x2x', 'webhook-5d4f-x2x'],
      ['a.b', 'a.b'],
    ],
  ],
  [
    'POD_SELECTOR',
    'podSelector',
    [
      'app=x',
      'app==x,tier!=y',
      'a.b/c in (d, e),f notin (g)',
      '!canary,present',
      'empty=',
      'a=b, c=d',
      `a in (${'b,'.repeat(2_044)}b)`,
    ].map((each) => [each, each]),
  ],
  ['LEASE_NAME', 'leaseName', [['a.b.c', 'a.b.c']]],
  ['ANNOTATION_PREFIX', 'annotationPrefix', [['certs.example.com', 'certs.example.com']]],
  [
    'SECRET_NAME',
    'secretName',
    [
      ['tls', 'tls'],
      ['a'.repeat(250), 'a'.repeat(250)],
    ],
  ],
  [
    'SERVICE_NAME',
    'serviceName',
    [
      ['svc', 'svc'],
      [long, long],
    ],
  ],
  [
    'EXTRA_DNS_NAMES',
    'extraDnsNames',
    [
      ['a.example.com, B.Example.com', ['a.example.com', 'b.example.com']],
      ['*.x.io', ['*.x.io']],
      ['1st.example.com,node-1', ['1st.example.com', 'node-1']],
      ['a,a', ['a']],
      [`${'a.'.repeat(126)}a`, [`${'a.'.repeat(126)}a`]],
      ['', []],
    ],
  ],
  [
    'CA_BUNDLE_TARGETS',
    'caBundleTargets',
    [
      ['', []],
      ['  ', []],
      [
        `${vwc}/a,mutatingwebhookconfiguration/b.c`,
        [
          { type: vwc, name: 'a' },
          { type: 'mutatingwebhookconfiguration', name: 'b.c' },
        ],
      ],
      [
        'customresourcedefinition/things.example.com',
        [{ type: 'customresourcedefinition', name: 'things.example.com' }],
      ],
      ['APIService/v1.example.com', [{ type: 'apiservice', name: 'v1.example.com' }]],
      [`${vwc}/a, ${vwc}/a`, [{ type: vwc, name: 'a' }]],
    ],
  ],
  [
    'CERT_DIR',
    'certDir',
    [
      ['/certs', '/certs'],
      ['./with blank', './with blank'],
    ],
  ],
  [
    'CERT_TIMEOUT',
    'certTimeoutMs',
    [
      ['300', 300_000],
      ['5m', 300_000],
      ['0', null],
      ['0s', null],
      ['24d', 24 * dayMs],
    ],
  ],
  [
    'TICK_INTERVAL',
    'tickMs',
    [
      ['50ms', 50],
      ['1h', 3_600_000],
      ['500ms', 500],
    ],
  ],
  [
    'WATCH_STALE_AFTER',
    'watchStaleAfterMs',
    [
      ['90', 90_000],
      ['250ms', 250],
    ],
  ],
  [
    'KUBELET_NUDGE',
    'kubeletNudge',
    [
      ['false', false],
      ['True', true],
    ],
  ],
  [
    'LEADER_ELECTION',
    'leaderElection',
    [
      ['false', false],
      ['true', true],
    ],
  ],
  [
    'LEASE_DURATION',
    'leaseDurationMs',
    [
      ['41', 41_000],
      ['41000ms', 41_000],
    ],
  ],
  [
    'RENEW_DEADLINE',
    'renewDeadlineMs',
    [
      ['18001ms', 18_001],
      ['59s', 59_000],
    ],
  ],
  [
    'RETRY_PERIOD',
    'retryPeriodMs',
    [
      ['1ms', 1],
      ['33s', 33_000],
    ],
  ],
  ['CERT_ISSUER', 'issuer', [['external', issuers.external]]],
  ['KEY_ALGORITHM', 'keyAlgorithm', ['ecdsa-p384', 'rsa-2048', 'rsa-3072', 'rsa-4096'].map((each) => [each, each])],
  [
    'CERT_VALIDITY',
    'certValidityMs',
    [
      ['721h', 721 * 3_600_000],
      ['5000d', 5000 * dayMs],
    ],
  ],
  [
    'RENEW_BEFORE',
    'renewBeforeMs',
    [
      ['1s', 1000],
      ['364d', 364 * dayMs],
    ],
  ],
  [
    'CA_VALIDITY',
    'caValidityMs',
    [
      ['366d', 366 * dayMs],
      ['36500d', 36_500 * dayMs],
    ],
  ],
  ['CA_RENEW_BEFORE', 'caRenewBeforeMs', [['90d', 90 * dayMs]]],
  [
    'CA_OVERLAP',
    'caOverlapMs',
    [
      ['0', 0],
      ['2s', 2000],
      ['1h30m', 5_400_000],
      ['1w', 7 * dayMs],
      ['1w2d3h4m5s6ms', 9 * dayMs + 11_045_006],
    ],
  ],
  [
    'TRUST_SETTLE',
    'trustSettleMs',
    [
      ['0', 0],
      ['1m', 60_000],
    ],
  ],
  [
    'WEBHOOK_BIND_ADDRESS',
    'webhookBind',
    [
      [':0', { host: null, port: 0 }],
      ['127.0.0.1:443', { host: '127.0.0.1', port: 443 }],
      ['[::1]:65535', { host: '::1', port: 65_535 }],
    ],
  ],
  ['HEALTH_PROBE_BIND_ADDRESS', 'probeBind', [['localhost:0', { host: 'localhost', port: 0 }]]],
  [
    'METRICS_BIND_ADDRESS',
    'metricsBind',
    [
      ['0', null],
      [':0', { host: null, port: 0 }],
    ],
  ],
  ['WEBHOOK_HANDLER', 'handlerModule', [['@scope/handler', '@scope/handler']]],
  ['UPSTREAM_TIMEOUT', 'upstreamTimeoutMs', [['1ms', 1]]],
  [
    'MAX_REQUEST_BYTES',
    'maxRequestBytes',
    [
      ['1', 1],
      ['512KiB', 524_288],
      ['1GiB', 1024 ** 3],
    ],
  ],
  [
    'TLS_MIN_VERSION',
    'tlsMinVersion',
    [
      ['1.2', 'TLSv1.2'],
      ['1.3', 'TLSv1.3'],
    ],
  ],
  ['CLIENT_CA_FILE', 'clientCaFile', [['/etc/callers/ca.crt', '/etc/callers/ca.crt']]],
  [
    'SHUTDOWN_GRACE',
    'shutdownGraceMs',
    [
      ['0', 0],
      ['2m', 120_000],
    ],
  ],
  [
    'LOG_LEVEL',
    'logLevel',
    [
      ['debug', 'debug'],
      ['WARN', 'warn'],
      ['error', 'error'],
      ['0', 'info'],
      ['4', 'debug'],
    ],
  ],
  ['LOG_FORMAT', 'logFormat', [['pretty', 'pretty']]],
  ['KUBECONFIG', 'kubeconfig', [['/home/me/.kube/config', '/home/me/.kube/config']]],
];

const upstreams: readonly (readonly [string, unknown])[] = [
  ['http://127.0.0.1:9000', { kind: 'http', url: 'http://127.0.0.1:9000' }],
  ['http://[::1]:9000/', { kind: 'http', url: 'http://[::1]:9000' }],
  ['http://localhost', { kind: 'http', url: 'http://localhost' }],
  ['unix:/run/webhook.sock', { kind: 'unix', path: '/run/webhook.sock' }],
  ['unix:///run/webhook.sock', { kind: 'unix', path: '/run/webhook.sock' }],
  [`unix:/${'a'.repeat(106)}`, { kind: 'unix', path: `/${'a'.repeat(106)}` }],
];

const servings: readonly (readonly [string, unknown])[] = [
  ['127.0.0.1:9443', { kind: 'tcp', host: '127.0.0.1', port: 9443 }],
  ['localhost:1', { kind: 'tcp', host: 'localhost', port: 1 }],
  ['[::1]:65535', { kind: 'tcp', host: '::1', port: 65_535 }],
  ['unix:/run/webhook.sock', { kind: 'unix', path: '/run/webhook.sock' }],
];

const reloads: readonly (readonly [string, unknown])[] = [
  ['http://127.0.0.1:9901/reload?all=1', { kind: 'http', url: 'http://127.0.0.1:9901/reload?all=1' }],
  ['http://localhost:9901', { kind: 'http', url: 'http://localhost:9901/' }],
  ['signal:HUP:nginx', { kind: 'signal', signal: 'SIGHUP', command: 'nginx' }],
  ['signal:USR1:my:server', { kind: 'signal', signal: 'SIGUSR1', command: 'my:server' }],
  ['signal:USR2:fifteen-letters', { kind: 'signal', signal: 'SIGUSR2', command: 'fifteen-letters' }],
];

describe('good values', () => {
  for (const [name, field, cases] of accepted) {
    for (const [text, value] of cases) {
      it(`reads ${name}=${JSON.stringify(text)}`, () => {
        const result = parse({ [name]: text });
        expect(result).to.have.property('ok', true);
        expect(result.ok && result.config[field]).to.deep.equal(value);
      });
    }
  }

  for (const [text, value] of upstreams) {
    it(`reads UPSTREAM_URL=${JSON.stringify(text)}`, () => {
      const result = parse({ WEBHOOK_HANDLER: '', UPSTREAM_URL: text });
      expect(result.ok && result.config.upstream).to.deep.equal(value);
    });
  }

  for (const [text, value] of servings) {
    it(`reads SERVING_ADDRESS=${JSON.stringify(text)}`, () => {
      const result = parse({ WEBHOOK_HANDLER: '', SERVING_ADDRESS: text });
      expect(result.ok && result.config.serving).to.deep.equal(value);
    });
  }

  for (const [text, value] of reloads) {
    it(`reads RELOAD=${JSON.stringify(text)}`, () => {
      const result = parse({ WEBHOOK_HANDLER: '', SERVING_ADDRESS: 'localhost:9443', RELOAD: text });
      expect(result.ok && result.config.reload).to.deep.equal(value);
    });
  }

  it('reads SOURCE_SECRET="issued" with an issuer that reads it, whose certificates need only the names that callers use', () => {
    const env = { CERT_ISSUER: 'relay', SOURCE_SECRET: 'issued', EXTRA_DNS_NAMES: 'hook.example.com' };
    const result = parse({ ...env, POD_NAMESPACE: 'shop', SERVICE_NAME: 'svc' });
    if (!result.ok) throw new Error(result.problems.join());
    const { issuer, sourceSecret, requiredNames, serviceNames } = result.config;
    expect({ issuer, sourceSecret }).to.deep.equal({ issuer: issuers.relay, sourceSecret: 'issued' });
    expect(requiredNames).to.deep.equal(['svc.shop.svc', 'hook.example.com']);
    expect(serviceNames).to.include('svc.shop.svc.cluster.local');
  });

  it('are tried for every variable', () => {
    const tried = [...accepted.map(([name]) => name), 'UPSTREAM_URL', 'SERVING_ADDRESS', 'RELOAD', 'SOURCE_SECRET'];
    expect(tried).to.have.members(settings.map(([, { name }]) => name));
  });
});
