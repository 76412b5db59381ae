import { expect } from 'chai';
import { addressText, bindText, type ServingAddress, type Upstream, upstreamText } from '../../src/config/addresses.ts';
import type { Config } from '../../src/config/config.ts';
import { settingName, settingText } from '../../src/config/setting-text.ts';
import { settings } from '../../src/config/variables.ts';
import { parse } from './parse.ts';

const configOf = (env: Readonly<Record<string, string>>): Config => {
  const result = parse(env);
  return result.ok ? result.config : expect.fail(result.problems.join('\n'));
};

describe('a setting as text', () => {
  for (const [field, text] of [
    ['leaseDurationMs', '90s'],
    ['caOverlapMs', '1d'],
    ['maxRequestBytes', '1024'],
    ['leaseName', 'lease'],
    ['leaderElection', 'false'],
    ['webhookBind', ':9443'],
    ['probeBind', '127.0.0.1:0'],
    ['webhookBind', '[::1]:9443'],
    ['serving', '[::1]:9443'],
    ['serving', 'unix:/run/webhook.sock'],
    ['upstream', 'http://127.0.0.1:9000'],
    ['upstream', 'unix:/run/webhook.sock'],
    ['issuer', 'external'],
    ['caBundleTargets', 'apiservice/a,customresourcedefinition/b'],
    ['extraDnsNames', 'a.example.com,b.example.com'],
  ] as const)
    it(`is what the variable would be set to: ${field} ${text}`, () => {
      const env = { ...(field === 'serving' || field === 'upstream' ? { WEBHOOK_HANDLER: '' } : {}) };
      expect(settingText(field, configOf({ ...env, [settingName(field)]: text })[field])).to.equal(text);
    });

  it('tells a duration in the largest unit up to days', () => {
    for (const [given, told] of [
      ['1w', '7d'],
      ['48h', '2d'],
      ['36h', '36h'],
      ['0', '0'],
    ] as const)
      expect(settingText('caOverlapMs', configOf({ CA_OVERLAP: given }).caOverlapMs), given).to.equal(told);
  });

  it('says nothing where there is no value', () => {
    for (const value of [null, undefined]) expect(settingText('kubeconfig', value)).to.equal('nothing');
  });

  it('shows any other value as JSON', () => {
    expect(settingText('reload', { kind: 'signal', command: 'nginx' })).to.equal('{"kind":"signal","command":"nginx"}');
    for (const value of [{ host: 'a' }, { port: 1 }]) expect(settingText('serving', value)).to.match(/^\{/);
    expect(settingText('extraDnsNames', [{ name: 'a' }, null, 'b'])).to.equal('[object Object],null,b');
  });

  it('is of a variable that is named as it is set', () => {
    for (const [field, { name }] of settings) expect(settingName(field)).to.equal(name);
  });
});

describe('an address as text', () => {
  it('has brackets around IPv6 alone, and no host where it is every address', () => {
    expect(bindText({ host: null, port: 9443 })).to.equal(':9443');
    expect(bindText({ host: '127.0.0.1', port: 0 })).to.equal('127.0.0.1:0');
    expect(bindText({ host: '::1', port: 9443 })).to.equal('[::1]:9443');
  });

  it('is that of a server, whether it is reached by a port or by a socket', () => {
    const upstreams: readonly (readonly [Upstream, string])[] = [
      [{ kind: 'http', url: 'http://127.0.0.1:9000' }, 'http://127.0.0.1:9000'],
      [{ kind: 'unix', path: '/run/a.sock' }, 'unix:/run/a.sock'],
    ];
    for (const [upstream, text] of upstreams) expect(upstreamText(upstream)).to.equal(text);
    const servings: readonly (readonly [ServingAddress, string])[] = [
      [{ kind: 'tcp', host: '::1', port: 9443 }, '[::1]:9443'],
      [{ kind: 'unix', path: '/run/a.sock' }, 'unix:/run/a.sock'],
    ];
    for (const [serving, text] of servings) expect(addressText(serving)).to.equal(text);
  });
});
