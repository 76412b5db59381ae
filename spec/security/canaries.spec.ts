import { generateKeyPairSync } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { get } from 'node:http';
import { request } from 'node:https';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { reviewText } from '../support/admission-review.ts';
import { startEmbeddedApi } from '../support/embedded-api.ts';
import { freePort } from '../support/free-port.ts';
import { install, type Installation, type SpecReplica } from '../support/installation.ts';
import { until } from '../support/until.ts';
import { leaksOf } from './leaks.ts';

const HANDLER = fileURLToPath(new URL('indiscreet-handler.ts', import.meta.url));
const ecKey = (): string =>
  generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' });

/** The answer's body, and that of an error too: the caller sees it. */
const review = ({ webhookPort: port }: SpecReplica, name: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' };
    request(
      { host: '127.0.0.1', port, method: 'POST', path: '/?timeout=5s', headers, rejectUnauthorized: false },
      (answer) => {
        let text = '';
        answer.on('data', (chunk: Buffer) => (text += chunk.toString())).on('end', () => resolve(text));
      },
    )
      .on('error', reject)
      .end(reviewText({ name }));
  });

const firstEvents = (port: number): Promise<string> =>
  new Promise((resolve, reject) => {
    const asked = get(`http://127.0.0.1:${port}/events`, (answer) => {
      answer.once('data', (chunk: Buffer) => (resolve(chunk.toString()), asked.destroy()));
    }).on('error', reject);
  });

/** Every private key that stands in the cluster now. */
const keysOf = async ({ api, paths }: Installation): Promise<Record<string, string>> => {
  const keys: Record<string, string> = {};
  for (const [path, entry] of [
    [paths.secret, 'tls.key'],
    [paths.authority, 'ca.key'],
  ] as const) {
    const text = Buffer.from((await api.admin.get(path)).at('data', entry) as string, 'base64').toString();
    expect(text).to.include('PRIVATE KEY');
    keys[`${entry} ${text.slice(40, 90)}`] = text;
  }
  return keys;
};

describe('a secret', function () {
  this.timeout(300_000);

  for (const format of ['json', 'pretty']) {
    it(`is in nothing that a daemon tells in its life and at its crash, logged as ${format}`, async () => {
      await using api = await startEmbeddedApi();
      const canary = ecKey();
      const planted = ecKey();
      const metricsPort = String(await freePort());
      await using installation = await install(api, {
        env: {
          WEBHOOK_HANDLER: HANDLER,
          CANARY_KEY: canary,
          LOG_FORMAT: format,
          LOG_LEVEL: 'debug',
          METRICS_BIND_ADDRESS: `127.0.0.1:${metricsPort}`,
          CA_OVERLAP: '500ms',
        },
      });
      const { paths, namespace } = installation;
      await using replica = await installation.replica();
      const said = (text: string, times = 1) => until(() => replica.stdout().split(text).length > times, 90_000);
      await said('Ready');
      let keys = await keysOf(installation);

      for (const [what, end] of [
        ['leaf', 'Certificate loaded and verified'],
        ['ca', 'Older certificate authorities dropped'],
      ] as const) {
        const before = replica.stdout().split(end).length;
        await installation.annotateLease({ rotate: what });
        await said(end, before);
        keys = { ...keys, ...(await keysOf(installation)) };
      }
      // A key that does not fit the certificate, and one that is no key: both are logged and replaced.
      for (const text of [planted, `-----BEGIN PRIVATE KEY-----\n${canary.split('\n')[1] ?? ''}\n`]) {
        await api.admin.patch('merge', paths.secret, { data: { 'tls.key': Buffer.from(text).toString('base64') } });
        await until(async () => !Object.values(await keysOf(installation)).includes(text), 90_000);
      }
      keys = { ...keys, ...(await keysOf(installation)) };
      await api.stop();
      await said('Watch creation failed');
      await api.start();

      const told: Record<string, string> = {};
      for (const name of ['throws', 'throws-text', 'rejects', 'answers', 'logs', 'forgets', 'warns'])
        told[`answer to a handler that ${name}`] = await review(replica, name);
      for (const path of ['/status', '/', '/readyz', '/livez', '/none']) told[path] = (await replica.probe(path)).text;
      told['/events'] = await firstEvents(replica.probePort);
      told['/metrics'] = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
      const listed = ['/api/v1', '/apis/coordination.k8s.io/v1'].map((group) => `${group}/namespaces/${namespace}`);
      for (const path of [`${listed[0]}/events`, `${listed[0]}/pods`, `${listed[1]}/leases`, paths.target])
        told[path] = (await api.admin.get(path)).text;

      // It may be gone before it has answered.
      told['answer'] = await review(replica, 'crashes').catch(String);
      expect(await replica.exit).to.equal(1);
      told['stdout'] = replica.stdout();
      expect(replica.stderr()).to.equal('');

      for (const line of ['Admission handler failed', 'Unhandled promise rejection', 'Fatal error'])
        expect(told['stdout']).to.include(line);
      expect(told[`${listed[0]}/events`]).to.include('CertificateIssued');
      const token = /"token":\s*"?([^"\s]+)|token: (\S+)/.exec(await readFile(replica.kubeconfig, 'utf8'));
      const canaries = { ...keys, canary, planted, token: token?.[1] ?? token?.[2] ?? '' };
      expect(canaries.token).to.have.length.above(12);
      const leaks = leaksOf(canaries);
      for (const [where, text] of Object.entries(told)) {
        expect(text, where).to.be.a('string').and.not.equal('');
        expect(leaks(text), where).to.deep.equal([]);
        if (where !== paths.target) expect(text, where).to.not.match(/-----BEGIN|LS0tLS1CRUdJT/);
      }
    });
  }
});
