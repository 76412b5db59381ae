import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { writeVolume } from '../../src/dev-cluster/kubelet.ts';
import type { InCluster } from '../../src/kube/in-cluster.ts';
import { type ApiUnderTest, startApiUnderTest } from '../support/api-under-test.ts';
import { layOut, type Scene } from './scene.ts';

const DAY_MS = 86_400_000;
const NAME = 'local CERT_DIR is the mounted Secret';

describe('what check says inside a replica', function () {
  this.timeout(60_000);
  let api: ApiUnderTest;
  before(async () => {
    api = await startApiUnderTest();
  });
  after(() => api[Symbol.asyncDispose]());

  /** The service account directory of a Pod, and the two variables the kubelet sets. */
  const inside = async ({ folder }: Scene): Promise<InCluster> => {
    const directory = join(folder, 'serviceaccount');
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, 'token'), api.adminToken);
    await writeFile(join(directory, 'ca.crt'), api.caPem);
    const { hostname: host, port } = new URL(api.url);
    return { host, port, directory };
  };

  const filesOf = ({ pair }: Scene, certificate = pair.certificate): ReadonlyMap<string, Uint8Array> =>
    new Map([
      ['tls.crt', certificate],
      ['tls.key', pair.key],
      ['ca.crt', pair.trust],
    ]);

  it('is content with the volume that the kubelet keeps', async () => {
    await using scene = await layOut(api);
    const directory = join(scene.folder, 'volume');
    await writeVolume(directory, filesOf(scene));
    const { named } = await scene.check({ CERT_DIR: directory, POD_NAME: scene.podName }, await inside(scene));
    expect(named(NAME)).to.include({ status: 'ok', detail: scene.pair.hash.slice(0, 12) });
  });

  for (const [agedMs, status] of [
    [DAY_MS, 'fail'],
    [0, 'warn'],
  ] as const)
    it(`says ${status} of another certificate than the announced one, ${agedMs / DAY_MS} d after it was issued`, async () => {
      await using scene = await layOut(api, { leaf: { nowMs: Date.now() - agedMs, validityMs: 365 * DAY_MS } });
      const directory = join(scene.folder, 'volume');
      await writeVolume(directory, filesOf(scene, Buffer.concat([scene.pair.certificate, Buffer.from('\n')])));
      const { named } = await scene.check({ CERT_DIR: directory, POD_NAME: scene.podName }, await inside(scene));
      expect(named(NAME).status).to.equal(status);
      expect(named(NAME).detail).to.match(/^mounted: \w{12}, announced: \w{12}$/);
      expect(named(NAME).remedy).to.include(`kubectl annotate --overwrite pod ${scene.podName} -n ${scene.namespace}`);
    });

  it('says that nothing is mounted, and that what is there is no volume', async () => {
    await using scene = await layOut(api);
    const cluster = await inside(scene);
    const CERT_DIR = join(scene.folder, 'plain');
    const absent = (await scene.check({ CERT_DIR, POD_NAME: scene.podName }, cluster)).named(NAME);
    expect(absent).to.include({ status: 'fail', detail: `there is no ${CERT_DIR}` });
    expect(absent.remedy).to.match(/^kubectl patch deployment\/webhook /);
    await mkdir(CERT_DIR);
    const plain = (await scene.check({ CERT_DIR, POD_NAME: scene.podName }, cluster)).named(NAME);
    expect(plain).to.include({ status: 'fail', detail: `${CERT_DIR} is not a Secret volume` });
  });
});
