import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { type EmbeddedKubelet, type KubeletOptions, startKubelet } from '../../src/dev-cluster/kubelet.ts';
import { scaled, until } from '../support/until.ts';
import { bodies } from './bodies.ts';
import { useApi } from './use-api.ts';

/** Waits until that many deliveries are done. */
const deliveries = (kubelet: EmbeddedKubelet, wanted: number) => until(() => kubelet.deliveries >= wanted);

describe('api: kubelet', () => {
  const api = useApi();
  let directory: string;
  let name: string;
  let count = 0;

  const read = (file: string) => readFile(join(directory, file), 'utf8').catch(() => null);
  const write = (text: string) => {
    const content = { data: { 'tls.crt': Buffer.from(text).toString('base64') } };
    return api.admin.put(`${api.secrets}/${name}`, bodies.secret(name, content));
  };
  const nudge = (value: string) =>
    api.admin.patch('merge', `${api.pods}/${name}/status`, { metadata: { annotations: { nudge: value } } });
  const start = (options: Partial<KubeletOptions> = {}) =>
    startKubelet({
      server: api.server,
      namespace: api.namespace,
      podName: name,
      secretName: name,
      directory,
      delayMs: Infinity,
      nudgeDelayMs: 10,
      ...options,
    });

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kubelet-'));
    name = `mounted-${(count += 1)}`;
    await api.admin.post(api.pods, bodies.pod(name));
    await api.admin.post(api.secrets, bodies.secret(name, { stringData: { 'tls.crt': 'one' } }));
  });

  afterEach(async () => {
    await rm(directory, { recursive: true });
  });

  it('has mounted what the Secret holds when it starts', async () => {
    await using kubelet = await start();
    expect(await read('tls.crt')).to.equal('one');
    expect(kubelet.deliveries).to.equal(1);
  });

  it('delivers a change only after its delay', async () => {
    await using kubelet = await start({ delayMs: 300 });
    const startMs = Date.now();
    await write('two');
    await deliveries(kubelet, 2);
    expect(await read('tls.crt')).to.equal('two');
    expect(Date.now() - startMs).to.be.at.least(290);
  });

  it('delivers what the Secret is by then, not what it was', async () => {
    await using kubelet = await start({ delayMs: scaled(500) });
    await write('two');
    await write('three');
    await deliveries(kubelet, 2);
    expect(await read('tls.crt')).to.equal('three');
    await sleep(100);
    expect(kubelet.deliveries).to.equal(2);
  });

  it('delivers at once when the annotations of its Pod change', async () => {
    await using kubelet = await start();
    await write('two');
    await nudge('1');
    await deliveries(kubelet, 2);
    expect(await read('tls.crt')).to.equal('two');
  });

  it('touches nothing when a nudge finds nothing new', async () => {
    await using kubelet = await start();
    const before = await readdir(directory);
    await nudge('1');
    await sleep(100);
    expect(await readdir(directory)).to.deep.equal(before);
    expect(kubelet.deliveries).to.equal(1);
  });

  it('goes by a new delay from the next change on', async () => {
    await using kubelet = await start();
    kubelet.delayMs = 0;
    await write('two');
    await deliveries(kubelet, 2);
    expect(await read('tls.crt')).to.equal('two');
  });

  it('mounts an optional Secret that is not there as an empty volume, and fills it later', async () => {
    await api.admin.delete(`${api.secrets}/${name}`);
    await using kubelet = await start({ delayMs: 0 });
    expect(await readdir(directory)).to.have.length(2);
    await api.admin.post(api.secrets, bodies.secret(name, { stringData: { 'tls.crt': 'late' } }));
    await deliveries(kubelet, 2);
    expect(await read('tls.crt')).to.equal('late');
  });

  for (const isOptional of [true, false]) {
    const kept = isOptional ? null : 'one';
    it(`${isOptional ? 'empties' : 'keeps'} the volume of ${isOptional ? 'an optional' : 'a required'} Secret that is deleted`, async () => {
      await using kubelet = await start({ delayMs: 0, isOptional });
      await api.admin.delete(`${api.secrets}/${name}`);
      await nudge('1');
      if (isOptional) await deliveries(kubelet, 2);
      else await sleep(150);
      expect(await read('tls.crt')).to.equal(kept);
    });
  }

  it('delivers nothing any more once it is disposed of', async () => {
    const kubelet = await start({ delayMs: 20 });
    await write('two');
    await kubelet[Symbol.asyncDispose]();
    await sleep(100);
    expect(await read('tls.crt')).to.equal('one');
  });
});
