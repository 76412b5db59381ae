import { X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import { type ApiUnderTest, startApiUnderTest } from '../support/api-under-test.ts';
import { chainVerdicts, type Presented, type Verdicts } from '../support/chain-verdicts.ts';
import { install } from '../support/installation.ts';
import { LOADED, rotateAll, settled } from '../support/rotate-all.ts';
import { certificatesIn, standingObjects } from '../support/standing-objects.ts';

const TAKEN: Verdicts = { node: 'ok', openssl: 'ok' };

describe('the certificates and bundles of a CA rotation as it stood in the cluster (law L8)', function () {
  this.timeout(90_000);
  let api: ApiUnderTest;
  let serverName = '';
  const served: Presented[] = [];
  const bundles: string[] = [];

  before(async () => {
    api = await startApiUnderTest();
    await using installation = await install(api, { env: { CA_OVERLAP: '500ms' } });
    await using replica = await installation.replica();
    await replica.line(LOADED, {}, 40_000);
    using objects = await standingObjects(installation);
    await settled(objects, 15_000);
    await rotateAll('ca', installation, objects, { replicas: [replica], withinMs: 15_000 });
    await settled(objects, 15_000);

    ({ serverName } = installation);
    for (const version of objects.secret.versions) {
      const [certificate, key] = [version.text('data', 'tls.crt'), version.text('data', 'tls.key')];
      if (served.at(-1)?.certificate !== certificate) served.push({ certificate, key });
    }
    for (const version of objects.target.versions) {
      const bundle = version.text('webhooks', 0, 'clientConfig', 'caBundle');
      if (bundles.at(-1) !== bundle) bundles.push(bundle);
    }
  });
  after(() => api[Symbol.asyncDispose]());

  const verdicts = (leaf: number, bundle: number): Promise<Verdicts> => {
    const [presented, trust] = [served[leaf], bundles[bundle]];
    if (presented === undefined || trust === undefined) throw new Error('the rotation left no such object');
    return chainVerdicts(presented, trust, serverName);
  };

  it('were two leaves, and three bundles of one, two and one CA', () => {
    expect(served).to.have.lengthOf(2);
    expect(bundles.map(certificatesIn)).to.deep.equal([1, 2, 1]);
  });

  for (const [what, leaf, bundle] of [
    ['the old leaf under the old bundle', 0, 0],
    ['the old leaf under the widened bundle', 0, 1],
    ['the new leaf under the old bundle', 1, 0],
    ['the new leaf under the widened bundle', 1, 1],
    ['the new leaf under the new bundle', 1, 2],
  ] as const)
    it(`verify ${what}, with Node and with OpenSSL`, async () => {
      expect(await verdicts(leaf, bundle)).to.deep.equal(TAKEN);
    });

  it('would not verify the old leaf once narrowed, nor the new one under the old bundle without its bridge', async () => {
    const narrowed = await verdicts(0, 2);
    expect(narrowed.openssl).to.equal('refused');
    expect(narrowed.node).not.to.equal('ok');

    const { certificate = '', key = '' } = served[1] ?? {};
    const unbridged = { certificate: new X509Certificate(certificate).toString(), key };
    const alone = await chainVerdicts(unbridged, bundles[0] ?? '', serverName);
    expect(alone.openssl).to.equal('refused');
    expect(alone.node).not.to.equal('ok');
  });
});
