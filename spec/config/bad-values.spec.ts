import { expect } from 'chai';
import { settings } from '../../src/config/variables.ts';
import { parse } from './parse.ts';

const long = 'a'.repeat(64);
const durations = [
  '5 minutes',
  '-1s',
  '1.5s',
  '30m1h',
  '1h1h',
  '1h 30m',
  '1h30',
  '5M',
  's',
  'Infinity',
  '1e3',
  '99999999999999999999d',
];
const names = ['UPPER', 'under_score', '-dash', 'dash-', 'a..b', 'ä', 'a b', 'a/b'];

/** Name, how the sentence about what is accepted begins, then what is not. */
const refused: readonly (readonly [string, string, readonly string[]])[] = [
  ['NAME', 'a name of at most 50', [...names, 'dots.not', '1orders', 'a'.repeat(51)]],
  ['POD_NAMESPACE', 'a DNS label', [...names, 'dots.not', long]],
  ['POD_NAME', 'a DNS subdomain', [...names, 'a'.repeat(254)]],
  [
    'POD_SELECTOR',
    'a label selector',
    [
      'a in b',
      'a in (b',
      'a=b,',
      '=b',
      'a=b c',
      'a>1',
      `${long}=b`,
      '-a=b',
      'a=,,b',
      '!a=b',
      `a in (${'b,'.repeat(2_044)}bb)`,
    ],
  ],
  ['LEASE_NAME', 'a DNS subdomain', names],
  ['ANNOTATION_PREFIX', 'a DNS subdomain', [...names, 'example.com/']],
  ['SECRET_NAME', 'a DNS subdomain', [...names, 'a'.repeat(251)]],
  ['SOURCE_SECRET', 'a DNS subdomain', [...names, 'a'.repeat(254)]],
  ['SERVICE_NAME', 'a DNS label', ['svc.ns', 'Svc', long]],
  [
    'EXTRA_DNS_NAMES',
    'a DNS name',
    [`${'a.'.repeat(126)}ab`, 'a,,b', 'a b', '10.0.0.1', '*', 'a.*.b', `${long}.io`, 'https://a'],
  ],
  [
    'CA_BUNDLE_TARGETS',
    'TYPE/NAME, where TYPE is one of validatingwebhookconfiguration, mutatingwebhookconfiguration, customresourcedefinition, apiservice',
    [
      'name-alone',
      'vwc/a',
      'crd/a',
      'validatingwebhookconfigurations/a',
      'apiservice/',
      'apiservice/a/b',
      '/a',
      ',',
      'apiservice/A',
    ],
  ],
  ['CERT_DIR', 'the path of a directory', ['/a\0b', '/a\nb']],
  ['CERT_TIMEOUT', 'a duration from 0 to 24d (0: no limit), like 500ms', [...durations, '25d']],
  ['TICK_INTERVAL', 'a duration from 50ms to 1h, like 500ms', [...durations, '0', '49ms', '3601s']],
  ['WATCH_STALE_AFTER', 'a duration from 1ms to 24d', [...durations, '0', '600h']],
  ['KUBELET_NUDGE', 'true or false', ['yes', '1', 'on']],
  ['LEADER_ELECTION', 'true or false', ['no', '0']],
  ['LEASE_DURATION', 'a duration of whole seconds from 1s to 24d', [...durations, '0', '999ms', '60500ms']],
  ['RENEW_DEADLINE', 'a duration from 1ms', [...durations, '0']],
  ['RETRY_PERIOD', 'a duration from 1ms', [...durations, '0ms']],
  ['CERT_ISSUER', 'one of self-signed, external, relay', ['cert-manager', 'selfsigned']],
  ['KEY_ALGORITHM', 'one of ecdsa-p256, ecdsa-p384, rsa-2048, rsa-3072, rsa-4096', ['rsa', 'rsa-1024', 'ed25519']],
  ['CERT_VALIDITY', 'a duration from 1s to 36500d', [...durations, '0', '36501d']],
  ['RENEW_BEFORE', 'a duration from 1s', [...durations, '0']],
  ['CA_VALIDITY', 'a duration from 1s', [...durations, '0']],
  ['CA_RENEW_BEFORE', 'a duration from 1s', [...durations, '0']],
  ['CA_OVERLAP', 'a duration from 0', durations],
  ['TRUST_SETTLE', 'a duration from 0', [...durations, '25d']],
  [
    'WEBHOOK_BIND_ADDRESS',
    ':PORT or HOST:PORT',
    ['9443', '0', ':', ':65536', ':-1', '::1:9443', 'http://a:1', 'a b:1', ':http'],
  ],
  ['HEALTH_PROBE_BIND_ADDRESS', ':PORT or HOST:PORT', ['0', 'localhost', ':80 81', '[::1]']],
  [
    'METRICS_BIND_ADDRESS',
    ':PORT or HOST:PORT with a port from 0 to 65535, or 0 to disable it',
    ['8080', '00', 'off', ':99999'],
  ],
  ['WEBHOOK_HANDLER', 'the path of a module', ['./a\tb']],
  [
    'UPSTREAM_URL',
    'http://HOST:PORT without user, path or query, or unix:/PATH of at most 107 bytes',
    [
      '127.0.0.1:8080',
      'https://a',
      'http://',
      'http://a/path',
      'http://a?q',
      'http://a#h',
      'http://u:p@a',
      'unix:run',
      'unix:',
      `unix:/${'a'.repeat(107)}`,
      'unix://',
      'http://a:99999',
    ],
  ],
  [
    'SERVING_ADDRESS',
    'HOST:PORT with a port from 1 to 65535, such as 127.0.0.1:9443, or unix:/PATH of at most 107 bytes',
    [
      ':9443',
      '9443',
      '127.0.0.1',
      '127.0.0.1:0',
      'https://127.0.0.1:9443',
      'a:99999',
      '::1:9443',
      'unix:',
      'unix:run',
      'unix:/run/',
      'a unix:/run',
    ],
  ],
  [
    'RELOAD',
    'http://HOST:PORT/PATH without user',
    [
      '/reload',
      'https://a/reload',
      'http://u:p@a/reload',
      'http://u@a/reload',
      'http://:p@a/reload',
      'a signal:HUP:nginx',
      'http://a/reload#h',
      'signal:HUP',
      'signal:HUP:',
      'signal:hup:nginx',
      'signal:KILL:nginx',
      'signal:TERM:nginx',
      'signal:HUP:a b',
      'signal:HUP:sixteen-letters-',
    ],
  ],
  ['UPSTREAM_TIMEOUT', 'a duration from 1ms', [...durations, '0']],
  ['MAX_REQUEST_BYTES', 'a size from 1 to 1GiB', ['0', '-1', '7MB', '7Mi', '7 MiB', '1.5MiB', '2GiB', 'MiB', '0x10']],
  ['TLS_MIN_VERSION', 'one of 1.3, 1.2', ['1.1', 'TLSv1.3', '1']],
  ['CLIENT_CA_FILE', 'the path of a PEM file', ['a\nb']],
  ['SHUTDOWN_GRACE', 'a duration from 0', [...durations, '25d']],
  ['LOG_LEVEL', 'one of debug, info, warn, error, or a verbosity', ['verbose', '-1', 'warning']],
  ['LOG_FORMAT', 'one of json, pretty', ['text', 'yaml']],
  ['KUBECONFIG', 'the path of a kubeconfig', ['a\0b']],
];

/** What else must be unset, or set, so that the value is the only problem. */
const beside: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  UPSTREAM_URL: { WEBHOOK_HANDLER: '' },
  SERVING_ADDRESS: { WEBHOOK_HANDLER: '' },
  SOURCE_SECRET: { CERT_ISSUER: 'relay' },
};

describe('bad values', () => {
  for (const [name, accepts, texts] of refused) {
    for (const text of texts) {
      it(`refuses ${name}=${JSON.stringify(text.slice(0, 40))}`, () => {
        const result = parse({ ...beside[name], [name]: text });
        expect(result).to.have.property('ok', false);
        const problems = result.ok ? [] : result.problems;
        expect(problems).to.have.length.of.at.least(1);
        for (const problem of problems) {
          expect(problem).to.match(new RegExp(`^${name}=".*": expected `));
          expect(problem).to.include(`expected ${accepts}`);
          expect(problem).to.not.match(/[\n\0]/);
        }
      });
    }
  }

  it('are tried for every variable', () => {
    expect(refused.map(([name]) => name)).to.have.members(settings.map(([, { name }]) => name));
  });
});
