import { expect } from 'chai';
import { type ApiUnderTest, startApiUnderTest } from '../support/api-under-test.ts';
import { install } from '../support/installation.ts';
import { until } from '../support/until.ts';

const ELECTOR = 'kubetemplater-controller-manager-6c7b_0f8e9a51-3b7e-4a57-9a33-0c7a3d1f2b10';

describe('a daemon with the Lease of another program', function () {
  this.timeout(60_000);
  let api: ApiUnderTest;
  before(async () => {
    api = await startApiUnderTest();
  });
  after(() => api[Symbol.asyncDispose]());

  it('leaves it to its leader election, and says so in log and probe', async () => {
    await using installation = await install(api);
    const { lease } = installation.paths;
    const renewed = (): object => ({
      spec: {
        holderIdentity: ELECTOR,
        leaseDurationSeconds: 2,
        renewTime: new Date().toISOString().replace('Z', '000Z'),
      },
    });
    const name = lease.slice(lease.lastIndexOf('/') + 1);
    const created = await api.admin.post(lease.slice(0, lease.lastIndexOf('/')), { metadata: { name }, ...renewed() });
    expect(created.status, created.text).to.equal(201);
    using stop = new DisposableStack();
    const timer = setInterval(() => void api.admin.patch('merge', lease, renewed() as never), 300);
    stop.defer(() => clearInterval(timer));

    await using replica = await installation.replica();
    const line = await replica.line('Lease is held by another identity that announces no certificate');
    expect(line).to.deep.include({ level: 'warn', event: 'lease-held-by-other', lease: name, holder: ELECTOR });
    expect(line['remedy']).to.include('NAME');
    expect((await replica.probe('/readyz')).text).to.include(`no-announcement: the Lease is held by ${ELECTOR}`);
    const after = await api.admin.get(lease);
    expect(after.at('spec', 'holderIdentity')).to.equal(ELECTOR);
    const managers = after.at('metadata', 'managedFields') as readonly { readonly manager: string }[];
    expect(managers.map(({ manager }) => manager)).not.to.include('webhook-certd');
  });
});

describe('a daemon whose NAME was changed', function () {
  this.timeout(60_000);
  let api: ApiUnderTest;
  before(async () => {
    api = await startApiUnderTest();
  });
  after(() => api[Symbol.asyncDispose]());

  it('says that the mounted certificate is for the name from before, while it waits for the one that it may not write', async () => {
    await using installation = await install(api, { env: { NAME: 'orders' } });
    await using before = await installation.replica();
    await before.line('Ready');
    before.kill('SIGTERM');
    await before.exit;

    // As after `kubectl set env`: the volume still mounts the Secret of the old name, and the Role names the old objects.
    await using after = await installation.replica({ env: { NAME: 'invoices' } });
    const line = await after.line('Mounted certificate is for another Service');
    expect(line).to.deep.include({ level: 'warn', expected: `invoices.${installation.namespace}.svc` });
    expect(line['names']).to.include(`orders.${installation.namespace}.svc`);
    await until(async () => (await after.probe('/readyz')).text.includes('no-announcement: '));
  });
});
