import { dirname } from 'node:path';
import { expect } from 'chai';
import { type ApiUnderTest, startApiUnderTest } from '../support/api-under-test.ts';
import { install } from '../support/installation.ts';
import { pki } from '../support/pki.ts';
import type { Json } from '../support/raw-api.ts';
import { until } from '../support/until.ts';

const base64 = (bytes: Buffer): string => bytes.toString('base64');

describe('a serving Secret that another party wrote', function () {
  this.timeout(90_000);
  let api: ApiUnderTest;
  before(async () => {
    api = await startApiUnderTest();
  });
  after(() => api[Symbol.asyncDispose]());

  it('stays as it is, with the reason in log and readiness, until it is deleted', async () => {
    await using installation = await install(api);
    const { paths } = installation;
    const name = paths.secret.split('/').at(-1) ?? '';
    const { certificate, key, trust } = await pki.pair();
    const data: Json = { ca: base64(trust), cert: base64(certificate), key: base64(key) };
    const created = await api.admin.post(dirname(paths.secret), { metadata: { name }, type: 'Opaque', data });
    expect(created.status).to.equal(201);

    const replica = await installation.replica();
    const line = await replica.line('Secret of another party is not overwritten');
    expect(line).to.include({
      level: 'error',
      reason: 'it holds ca, cert, key instead of tls.crt, tls.key and ca.crt',
    });
    await until(async () =>
      (await replica.probe('/readyz')).text.startsWith('no-announcement: the Secret cannot be used'),
    );
    expect((await api.admin.get(paths.secret)).at('data')).to.deep.equal(data);
    expect((await api.admin.get(paths.authority)).status).to.equal(404);

    await api.admin.delete(paths.secret);
    await replica.line('Ready');
  });

  it('is replaced where it was ours before: another party overwrote every value', async () => {
    await using installation = await install(api);
    const { paths } = installation;
    const replica = await installation.replica();
    await replica.line('Ready');
    replica.mark();
    const { certificate, key, trust } = await pki.pair();
    const data = { 'tls.crt': base64(certificate), 'tls.key': base64(key), 'ca.crt': base64(trust) };
    expect((await api.admin.patch('merge', paths.secret, { data })).status).to.equal(200);
    await replica.line('Certificate issued');
  });

  it('is taken over where it is a TLS Secret for this Service', async () => {
    await using installation = await install(api);
    const { paths, serverName } = installation;
    const name = paths.secret.split('/').at(-1) ?? '';
    const { certificate, key, trust } = await pki.pair({ names: [serverName] });
    const data = { 'tls.crt': base64(certificate), 'tls.key': base64(key), 'ca.crt': base64(trust) };
    await api.admin.post(dirname(paths.secret), { metadata: { name }, type: 'kubernetes.io/tls', data });
    const replica = await installation.replica();
    await replica.line('Ready');
  });
});
