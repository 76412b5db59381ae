import { expect } from 'chai';
import { parseConfig } from '../../src/config/config.ts';
import { enough, parse } from './parse.ts';

const none = { WEBHOOK_HANDLER: '', UPSTREAM_URL: '' };
const beside = { WEBHOOK_HANDLER: '', SERVING_ADDRESS: '127.0.0.1:9443' };
const ONE = 'expected exactly one of WEBHOOK_HANDLER, UPSTREAM_URL and SERVING_ADDRESS';
const both = { UPSTREAM_URL: 'http://127.0.0.1:9000' };
const inFront = (url: string) => ({ WEBHOOK_HANDLER: '', UPSTREAM_URL: url });

/** What is set, and the one problem with it. */
const refused: readonly (readonly [Readonly<Record<string, string>>, string])[] = [
  [{ LEASE_DURATION: '40s' }, 'LEASE_DURATION="40s": expected more than RENEW_DEADLINE="40s" (the default)'],
  [{ RENEW_DEADLINE: '60s' }, 'LEASE_DURATION="60s" (the default): expected more than RENEW_DEADLINE="60s"'],
  [{ RENEW_DEADLINE: '18s' }, 'RENEW_DEADLINE="18s": expected more than 1.2 times RETRY_PERIOD="15s" (the default)'],
  [{ CERT_VALIDITY: '1d', RENEW_BEFORE: '24h' }, 'CERT_VALIDITY="1d": expected more than RENEW_BEFORE="24h"'],
  [{ CA_VALIDITY: '365d', CA_RENEW_BEFORE: '365d' }, 'CA_VALIDITY="365d": expected more than CA_RENEW_BEFORE="365d"'],
  [
    none,
    `WEBHOOK_HANDLER, which is not set, UPSTREAM_URL, which is not set and SERVING_ADDRESS, which is not set: ${ONE}`,
  ],
  [both, `WEBHOOK_HANDLER="./handler.js" and UPSTREAM_URL="http://127.0.0.1:9000": ${ONE}`],
  [{ SERVING_ADDRESS: 'a:1' }, `WEBHOOK_HANDLER="./handler.js" and SERVING_ADDRESS="a:1": ${ONE}`],
  [
    { ...both, SERVING_ADDRESS: 'a:1' },
    `WEBHOOK_HANDLER="./handler.js", UPSTREAM_URL="http://127.0.0.1:9000" and SERVING_ADDRESS="a:1": ${ONE}`,
  ],
  [{ RELOAD: 'signal:HUP:nginx' }, 'RELOAD="signal:HUP:nginx": expected only with SERVING_ADDRESS'],
  [
    { ...beside, CLIENT_CA_FILE: '/ca.crt' },
    'CLIENT_CA_FILE="/ca.crt": expected only where this program terminates TLS, not with SERVING_ADDRESS',
  ],
  [
    { ...beside, HEALTH_PROBE_BIND_ADDRESS: ':9443' },
    'SERVING_ADDRESS="127.0.0.1:9443": expected another port than HEALTH_PROBE_BIND_ADDRESS=":9443"',
  ],
  [
    inFront('http://127.0.0.1:8080'),
    'UPSTREAM_URL="http://127.0.0.1:8080": expected another port than METRICS_BIND_ADDRESS=":8080" (the default)',
  ],
  [
    inFront('http://localhost:9443'),
    'UPSTREAM_URL="http://localhost:9443": expected another port than WEBHOOK_BIND_ADDRESS=":9443" (the default)',
  ],
  [
    { ...inFront('http://[::1]'), HEALTH_PROBE_BIND_ADDRESS: '[::1]:80' },
    'UPSTREAM_URL="http://[::1]": expected another port than HEALTH_PROBE_BIND_ADDRESS="[::1]:80"',
  ],
  [
    { METRICS_BIND_ADDRESS: '127.0.0.1:8081', HEALTH_PROBE_BIND_ADDRESS: '127.0.0.1:8081' },
    'METRICS_BIND_ADDRESS="127.0.0.1:8081": expected another port than HEALTH_PROBE_BIND_ADDRESS="127.0.0.1:8081"',
  ],
  [
    { METRICS_BIND_ADDRESS: ':8081', HEALTH_PROBE_BIND_ADDRESS: '127.0.0.1:8081' },
    'METRICS_BIND_ADDRESS=":8081": expected another port than HEALTH_PROBE_BIND_ADDRESS="127.0.0.1:8081"',
  ],
  [
    { CERT_ISSUER: 'relay', NAME: 'shop', SOURCE_SECRET: 'shop-cert' },
    'SOURCE_SECRET="shop-cert": expected another Secret than SECRET_NAME="shop-cert" (from NAME), which the leader writes',
  ],
  [
    { CERT_ISSUER: 'relay', SOURCE_SECRET: 'kubetemplater-webhook-cert' },
    'SOURCE_SECRET="kubetemplater-webhook-cert": expected another Secret than SECRET_NAME="kubetemplater-webhook-cert" (the default), which the leader writes',
  ],
  [
    { METRICS_BIND_ADDRESS: '127.0.0.1:8081' },
    'METRICS_BIND_ADDRESS="127.0.0.1:8081": expected another port than HEALTH_PROBE_BIND_ADDRESS=":8081" (the default)',
  ],
  [
    { CERT_ISSUER: 'relay' },
    'SOURCE_SECRET, which is not set: expected the name of a Secret, which CERT_ISSUER="relay" requires',
  ],
  [
    { SOURCE_SECRET: 'issued' },
    'SOURCE_SECRET="issued": expected only with CERT_ISSUER=relay, not with CERT_ISSUER="self-signed" (the default)',
  ],
  [
    { CERT_ISSUER: 'external', SOURCE_SECRET: 'issued' },
    'SOURCE_SECRET="issued": expected only with CERT_ISSUER=relay, not with CERT_ISSUER="external"',
  ],
  [
    { CERT_ISSUER: 'relay', SOURCE_SECRET: 'tls', SECRET_NAME: 'tls' },
    'SOURCE_SECRET="tls": expected another Secret than SECRET_NAME="tls", which the leader writes',
  ],
  [
    { CERT_ISSUER: 'relay', SOURCE_SECRET: 'tls-ca', SECRET_NAME: 'tls' },
    'SOURCE_SECRET="tls-ca": expected another Secret than SECRET_NAME="tls", which the leader writes',
  ],
];

const accepted: readonly Readonly<Record<string, string>>[] = [
  { LEASE_DURATION: '41s' },
  { RENEW_DEADLINE: '18001ms' },
  { CERT_VALIDITY: '4000d' },
  { CERT_VALIDITY: '24h' },
  { CA_VALIDITY: '365d' },
  { CERT_VALIDITY: '10s', RENEW_BEFORE: '9s', CA_VALIDITY: '20s', CA_RENEW_BEFORE: '15s', CA_OVERLAP: '0' },
  { WEBHOOK_BIND_ADDRESS: ':0', HEALTH_PROBE_BIND_ADDRESS: ':0', METRICS_BIND_ADDRESS: ':0' },
  { HEALTH_PROBE_BIND_ADDRESS: '127.0.0.1:9000', METRICS_BIND_ADDRESS: '127.0.0.2:9000' },
  { METRICS_BIND_ADDRESS: '0' },
  inFront('http://127.0.0.1:9000'),
  inFront('http://another.shop.svc:8080'),
  inFront('http://[fe80::1]:8080'),
  inFront('http://127.0.0.1.example.com:8080'),
  inFront('unix:/run/webhook.sock'),
  { ...inFront('http://127.0.0.1:8080'), METRICS_BIND_ADDRESS: '0' },
  { ...inFront('http://127.0.0.1:8080'), METRICS_BIND_ADDRESS: '10.0.0.7:8080' },
  // The webhook's own server does not listen there.
  beside,
  { ...beside, HEALTH_PROBE_BIND_ADDRESS: '127.0.0.2:9443' },
  { WEBHOOK_HANDLER: '', SERVING_ADDRESS: 'unix:/run/webhook.sock' },
  { CERT_ISSUER: 'relay', SOURCE_SECRET: 'issued' },
];

describe('values that must fit one another', () => {
  for (const [env, problem] of refused) {
    it(`refuses ${JSON.stringify(env)}`, () => {
      expect(parse(env)).to.deep.equal({ ok: false, problems: [problem] });
    });
  }

  for (const env of accepted) {
    it(`takes ${JSON.stringify(env)}`, () => expect(parse(env)).to.have.property('ok', true));
  }

  it('count a time before the end as set when it is given by a flag, too', () => {
    const env = { CERT_VALIDITY: '1d' };
    expect(parse(env).ok).to.equal(true);
    expect(parse(env, { 'renew-before': '30d' })).to.deep.equal({
      ok: false,
      problems: ['CERT_VALIDITY="1d": expected more than --renew-before="30d" (RENEW_BEFORE)'],
    });
  });

  it('say nothing about what goes with a value that is refused by itself', () => {
    for (const env of [
      { ...none, SERVING_ADDRESS: 'x', CLIENT_CA_FILE: '/ca.crt' },
      { ...none, SERVING_ADDRESS: 'x', RELOAD: 'signal:HUP:nginx' },
      { SOURCE_SECRET: 'UPPER' },
    ])
      expect(parse(env), JSON.stringify(env)).to.have.property('problems').with.lengthOf(1);
  });

  it('say nothing about a value that is refused by itself', () => {
    const result = parse({ LEASE_DURATION: 'x', UPSTREAM_URL: 'x', WEBHOOK_HANDLER: '' });
    expect(result.ok || result.problems.map((problem) => problem.split('=')[0])).to.deep.equal([
      'LEASE_DURATION',
      'UPSTREAM_URL',
    ]);
  });

  it('need a way to answer calls only when calls will be answered', () => {
    const read = { namespace: (): null => null, hostname: (): null => null };
    const result = parseConfig({ env: { ...enough, ...none }, flags: new Map(), read, serves: false });
    expect(result.ok && result.config).to.include({ handlerModule: null, upstream: null });
  });
});
