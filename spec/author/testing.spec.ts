import { existsSync } from 'node:fs';
import { readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { startTestCluster, type TestObject } from '../../src/author/testing.ts';
import { until } from '../support/until.ts';

const problemOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no problem',
    (error: unknown) => (error as Error).message,
  );

const secret = (value: string): TestObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'orders-cert', namespace: 'shop' },
  data: { 'tls.crt': Buffer.from(value).toString('base64') },
});

const SECRET = '/api/v1/namespaces/shop/secrets/orders-cert';

describe('the test cluster of webhook-certd/testing', () => {
  it('creates objects, and names what is wrong with one', async () => {
    await using cluster = await startTestCluster();
    await cluster.create(secret('a'));
    expect((await cluster.send('GET', SECRET)).status).to.equal(200);
    expect(await problemOf(cluster.create(secret('b')))).to.match(/"orders-cert" already exists/);
    const unknown = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'a' } };
    expect(await problemOf(cluster.create(unknown))).to.match(
      /^apps\/v1 Deployment: expected one of .*Secret.*Lease|Lease.*Secret/,
    );
  });

  it('mounts the Secret of a Pod late, or at once after a change of its annotations', async () => {
    await using cluster = await startTestCluster();
    const { name, directory, env } = await cluster.addPod({ installation: 'orders', namespace: 'shop' });
    expect(env).to.include({ NAME: 'orders', POD_NAME: 'orders-0', POD_NAMESPACE: 'shop', CERT_DIR: directory });
    await cluster.create(secret('a'));
    expect(existsSync(join(directory, 'tls.crt'))).to.equal(false);
    const pod = `/api/v1/namespaces/shop/pods/${name}/status`;
    await cluster.send('PATCH', pod, { metadata: { annotations: { nudged: 'yes' } } });
    await until(() => existsSync(join(directory, 'tls.crt')));
    expect(await readlink(join(directory, 'tls.crt'))).to.equal(join('..data', 'tls.crt'));
    expect((await cluster.addPod({ installation: 'orders', namespace: 'shop', delayMs: 0 })).name).to.equal('orders-1');
  });

  it('refuses connections while it is stopped, and keeps its objects', async () => {
    await using cluster = await startTestCluster();
    await cluster.create(secret('a'));
    await cluster.stop();
    expect(await problemOf(cluster.send('GET', SECRET))).to.match(/ECONNREFUSED/);
    await cluster.start();
    expect((await cluster.send('GET', SECRET)).status).to.equal(200);
  });
});
