import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pki } from '../support/pki.ts';
import type { Json, RawAnswer } from '../support/raw-api.ts';
import { writeVolume } from '../../src/embedded/write-volume.ts';
import type { Figure } from './figure.ts';
import { startFleetCluster } from './fleet-cluster.ts';
import { startFleet } from './start-fleet.ts';

const namespace = 'scale';
const leaseName = '8377a775.my.company.com';
const leases = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
const service = 'kubetemplater-webhook-service';
const ends = ['', `.${namespace}`, `.${namespace}.svc`, `.${namespace}.svc.cluster.local`];
const serviceNames = ends.map((end) => `${service}${end}`);

const ok = async (asked: Promise<RawAnswer>): Promise<void> => {
  const { status, text } = await asked;
  if (status >= 300) throw new Error(text);
};

const announcing = (hash: string) => ({
  'kubetemplater.io/cert-ready': 'true',
  'kubetemplater.io/cert-hash': hash,
  'kubetemplater.io/cert-valid-until': '2099-01-01T00:00:00Z',
});

/**
 * A thousand followers in one process on one API server, with somebody else as the leader: how long after an
 * announcement is sent each of them has seen it, and what a follower takes of memory. Not in it, since each would be
 * multiplied by a thousand on one machine: TLS servers, probes and the nudge of the kubelet.
 */
export const scale: Figure = async ({ quick, folder, say }) => {
  await using opened = new AsyncDisposableStack();
  const cluster = opened.use(await startFleetCluster());
  const { admin, port, caPem, adminToken } = cluster;
  const followers = quick ? 20 : 1_000;
  const [account, directory] = [join(folder, 'account'), join(folder, 'certs')];
  const { certificate, key, trust, hash: mounted } = await pki.pair({ names: serviceNames });
  await mkdir(account);
  await Promise.all([writeFile(join(account, 'token'), adminToken), writeFile(join(account, 'ca.crt'), caPem)]);
  await writeVolume(directory, new Map(Object.entries({ 'tls.crt': certificate, 'tls.key': key, 'ca.crt': trust })));

  await ok(admin.post('/api/v1/namespaces', { metadata: { name: namespace } }));
  const now = (): string => `${new Date().toISOString().slice(0, -1)}000Z`;
  const spec = {
    holderIdentity: 'leader',
    leaseDurationSeconds: 3_600,
    leaseTransitions: 0,
    acquireTime: now(),
    renewTime: now(),
  };
  await ok(admin.post(leases, { metadata: { name: leaseName, annotations: announcing(mounted) }, spec }));
  const patch = (body: Json) => ok(admin.patch('merge', `${leases}/${leaseName}`, body));

  const fleet = opened.use(startFleet());
  const env = { POD_NAMESPACE: namespace, CERT_DIR: directory, KUBELET_NUDGE: 'false', CA_BUNDLE_TARGETS: '' };
  const order = { env, host: '127.0.0.1', port, account };
  const named = (from: number, to: number): string[] =>
    Array.from({ length: to - from }, (_, at) => `replica-${from + at}`);
  await fleet.add({ ...order, names: named(0, 1) });
  const one = await fleet.measure();
  await fleet.add({ ...order, names: named(1, followers) });
  await delay(1_000);
  const all = await fleet.measure();

  const seenMs: number[] = [];
  for (let round = 0; round < (quick ? 2 : 21); round += 1) {
    await patch({ spec: { renewTime: now() } });
    await delay(quick ? 100 : 1_000);
    const hash = randomBytes(32).toString('hex');
    const sentMs = performance.timeOrigin + performance.now();
    const atMs = await fleet.seen(hash, () => patch({ metadata: { annotations: announcing(hash) } }));
    // The first warms up.
    if (round > 0) seenMs.push(...atMs.map((ms) => ms - sentMs));
  }
  const kib = (mib: number): number => (mib * 1_024) / (followers - 1);
  say(`scale: ${followers} followers in one process, ${cluster.name}, announced ${seenMs.length / followers} times`);
  return [
    { name: `announced-to-seen-${followers}`, unit: 'ms', values: seenMs, limits: [{ of: 'p99', atMost: 150 }] },
    { name: 'memory-a-follower', unit: 'KiB', values: [kib(all.rssMiB - one.rssMiB)], limits: [] },
  ];
};
