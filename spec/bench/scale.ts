import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { writeVolume } from '../../src/dev-cluster/kubelet.ts';
import { type MountedPair, pki } from '../support/pki.ts';
import { until } from '../support/until.ts';
import { ledLease, startFleetCluster } from './fleet-cluster.ts';
import { filesOf } from './installed.ts';
import { ownPorts, type StartedProgram, startReplica } from './programs.ts';
import type { Figure } from './report.ts';

const NAMESPACE = 'scale';
const SERVICE = 'kubetemplater-webhook-service';
const NAMES = ['', `.${NAMESPACE}`, `.${NAMESPACE}.svc`, `.${NAMESPACE}.svc.cluster.local`].map(
  (end) => `${SERVICE}${end}`,
);
const WITHIN_MS = 120_000;
/** Starting takes a core each. */
const AT_ONCE = 4;
/** By then every replica has seen that the mount has changed. */
const MOUNTED_MS = 2_000;

/** When each hash was served by a replica, ms since the epoch, by its own log. */
const servedBy = ({ stdout }: StartedProgram): ReadonlyMap<string, number> => {
  const served = new Map<string, number>();
  createInterface(stdout).on('line', (text) => {
    const { event, hash, time } = JSON.parse(text) as { event?: string; hash?: string; time: string };
    if (event === 'certificate-loaded' && hash !== undefined) served.set(hash, Date.parse(time));
  });
  return served;
};

/**
 * A hundred replicas, each a process as the image starts it, on one API server with somebody else as the leader: how long
 * after an announcement is sent each of them serves the certificate, verified and after a handshake with itself. It is
 * mounted already. All of them share the cores of one machine, which no installation does.
 */
export const scale: Figure = async ({ quick, folder, production, say }) => {
  await using opened = new AsyncDisposableStack();
  const { name, admin, port, caPem, adminToken } = opened.use(await startFleetCluster());
  const replicas = quick ? 3 : 100;
  const [account, directory] = [join(folder, 'account'), join(folder, 'certs')];
  await mkdir(account);
  await Promise.all([writeFile(join(account, 'token'), adminToken), writeFile(join(account, 'ca.crt'), caPem)]);
  const mount = (pair: MountedPair) => writeVolume(directory, new Map(Object.entries(filesOf(pair))));
  const first = await pki.pair({ names: NAMES });
  await mount(first);
  const lease = await ledLease(admin, NAMESPACE, first.hash);

  const start = (replica: string) =>
    servedBy(
      opened.use(
        startReplica(production, {
          ...ownPorts(0),
          KUBERNETES_SERVICE_HOST: '127.0.0.1',
          KUBERNETES_SERVICE_PORT: String(port),
          SERVICE_ACCOUNT_DIR: account,
          POD_NAMESPACE: NAMESPACE,
          POD_NAME: replica,
          CERT_DIR: directory,
          CA_BUNDLE_TARGETS: '',
          KUBELET_NUDGE: 'false',
          WEBHOOK_HANDLER: 'builtin:allow',
          NODE_ENV: 'production',
        }),
      ),
    );
  const logs: ReadonlyMap<string, number>[] = [];
  const allServe = (hash: string) => until(() => logs.every((log) => log.has(hash)), WITHIN_MS);
  while (logs.length < replicas) {
    const more = Math.min(AT_ONCE, replicas - logs.length);
    for (let one = 0; one < more; one += 1) logs.push(start(`replica-${logs.length}`));
    await allServe(first.hash);
  }

  const values: number[] = [];
  const rounds = quick ? 1 : 15;
  for (let round = 0; round < rounds; round += 1) {
    const pair = await pki.pair({ names: NAMES });
    await lease.renew();
    await mount(pair);
    await delay(quick ? 200 : MOUNTED_MS);
    const sentMs = Date.now();
    await lease.announce(pair.hash);
    await allServe(pair.hash);
    values.push(...logs.map((log) => (log.get(pair.hash) ?? NaN) - sentMs));
  }
  say(`scale: ${replicas} replicas in processes of their own, ${name}`);
  return [{ name: `announced-to-served-${replicas}`, unit: 'ms', values, limits: [] }];
};
