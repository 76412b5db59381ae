import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { writeVolume } from '../../src/dev-cluster/kubelet.ts';
import { pki } from '../support/pki.ts';
import { type Fleet, type LedLease, ledLease, startFleet, startFleetCluster } from './fleet-cluster.ts';
import type { Figure } from './report.ts';

const service = 'kubetemplater-webhook-service';
const namesIn = (namespace: string): string[] =>
  ['', `.${namespace}`, `.${namespace}.svc`, `.${namespace}.svc.cluster.local`].map((end) => `${service}${end}`);
const nowMs = (): number => performance.timeOrigin + performance.now();

interface Side {
  readonly fleet: Fleet;
  readonly lease: LedLease;
  readonly seenMs: number[];
}

const announceOnce = async ({ fleet, lease, seenMs }: Side, pauseMs: number): Promise<void> => {
  await lease.renew();
  await delay(pauseMs);
  const hash = randomBytes(32).toString('hex');
  const sentMs = nowMs();
  const atMs = await fleet.seen(hash, () => lease.announce(hash));
  seenMs.push(...atMs.map((ms) => ms - sentMs));
};

/**
 * A thousand followers in one process on one API server, with somebody else as the leader: how long after an
 * announcement is sent each of them has seen it, and what a follower takes of memory; beside as many bare watches, one
 * thread for all of either. Not in it, since no machine has a thousand of them: TLS servers, probes, nudges.
 */
export const scale: Figure = async ({ quick, folder, say }) => {
  await using opened = new AsyncDisposableStack();
  const cluster = opened.use(await startFleetCluster());
  const { admin, port, caPem, adminToken } = cluster;
  const followers = quick ? 20 : 1_000;
  const [account, directory] = [join(folder, 'account'), join(folder, 'certs')];
  const { certificate, key, trust, hash: mounted } = await pki.pair({ names: namesIn('scale') });
  await mkdir(account);
  await Promise.all([writeFile(join(account, 'token'), adminToken), writeFile(join(account, 'ca.crt'), caPem)]);
  await writeVolume(directory, new Map(Object.entries({ 'tls.crt': certificate, 'tls.key': key, 'ca.crt': trust })));

  const names = Array.from({ length: followers }, (_, number) => `replica-${number}`);
  const side = async (namespace: string, program: 'fleet' | 'bare-watches') => {
    const lease = await ledLease(admin, namespace, mounted);
    const fleet = opened.use(startFleet(program));
    const env = { POD_NAMESPACE: namespace, CERT_DIR: directory, KUBELET_NUDGE: 'false', CA_BUNDLE_TARGETS: '' };
    const order = { env, host: '127.0.0.1', port, account };
    await fleet.add({ ...order, names: names.slice(0, 1) });
    const one = await fleet.measure();
    await fleet.add({ ...order, names: names.slice(1) });
    await delay(1_000);
    const kibEach = (((await fleet.measure()).rssMiB - one.rssMiB) * 1_024) / (followers - 1);
    return { fleet, lease, kibEach, seenMs: [] };
  };
  const sides = { own: await side('scale', 'fleet'), bare: await side('scale-bare', 'bare-watches') };

  const rounds = quick ? 1 : 15;
  for (let round = 0; round <= rounds; round += 1) {
    for (const each of Object.values<Side>(sides)) {
      await announceOnce(each, quick ? 100 : 700);
      // While caches fill.
      if (round < Math.min(3, rounds)) each.seenMs.length = 0;
    }
  }
  const { own, bare } = sides;
  say(`scale: ${followers} followers in one process, ${followers} bare watches in another, ${cluster.name}`);
  return [
    {
      name: `announced-to-seen-${followers}`,
      unit: 'ms',
      values: own.seenMs,
      baseline: { name: 'bare watches', values: bare.seenMs },
      limits: [{ of: 'p99', atMost: 150 }],
    },
    {
      name: 'memory-a-follower',
      unit: 'KiB',
      values: [own.kibEach],
      baseline: { name: 'bare watches', values: [bare.kibEach] },
      limits: [],
    },
  ];
};
