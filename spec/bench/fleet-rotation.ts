import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { followOverHttp } from '../support/follow-over-http.ts';
import { freePort } from '../support/free-port.ts';
import { accepted, type RawApi } from '../support/raw-api.ts';
import { until } from '../support/until.ts';
import { webhookTarget } from '../support/webhook-target.ts';
import { fleetInstallation, startFleet, startFleetCluster } from './fleet-cluster.ts';
import { leaseOf } from './fleet-protocol.ts';
import { ownPorts, procReading, type Production, startReplica } from './programs.ts';
import type { Figure, Finding } from './report.ts';

const PREFIX = 'kubetemplater.io';
const METADATA = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';
const OVERLAP_S = 10;
const WITHIN_MS = 300_000;
const MARK_SIZE = 1_000;

interface PodMetadata {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
}

/** What the installation in a namespace looks like from outside. */
const observer = (admin: RawApi, namespace: string) => {
  const hashes = async (): Promise<readonly (string | undefined)[]> => {
    const pods = await admin.get(`/api/v1/namespaces/${namespace}/pods`, METADATA);
    const items = (pods.at('items') ?? []) as unknown as readonly PodMetadata[];
    return items.map(({ metadata }) => metadata.annotations?.[`${PREFIX}/serving-hash`]);
  };
  return {
    announced: async () =>
      (await admin.get(leaseOf(namespace).path)).at('metadata', 'annotations', `${PREFIX}/cert-hash`),
    acknowledged: async (hash: unknown): Promise<number> =>
      (await hashes()).filter((each) => each !== undefined && each === hash).length,
    trusted: async (): Promise<readonly string[]> => {
      const target = await admin.get(webhookTarget.path(namespace));
      const encoded = target.at('webhooks', 0, 'clientConfig', 'caBundle');
      const text = typeof encoded === 'string' ? Buffer.from(encoded, 'base64').toString() : '';
      return text.match(/-----BEGIN CERTIFICATE-----[^-]+/g) ?? [];
    },
  };
};

interface Place {
  readonly cluster: Awaited<ReturnType<typeof startFleetCluster>>;
  readonly production: Production;
  readonly folder: string;
  readonly replicas: number;
}

/** Lets a fleet start from nothing and then rotates its CA: what that takes, and what the leader has spent on it. */
const rotateFleet = async ({ cluster, production, folder, replicas }: Place) => {
  await using opened = new AsyncDisposableStack();
  const { admin, port, caPem, adminToken: token } = cluster;
  const namespace = `fleet-${replicas}`;
  const place = { port, caPem, admin, follow: followOverHttp(admin), token, folder, namespace, replicas };
  const order = opened.use(await fleetInstallation(place));
  const { announced, acknowledged, trusted } = observer(admin, namespace);
  const leader = opened.use(
    startReplica(production, {
      ...order.env,
      ...ownPorts(await freePort()),
      KUBERNETES_SERVICE_HOST: order.host,
      KUBERNETES_SERVICE_PORT: String(order.port),
      SERVICE_ACCOUNT_DIR: order.account,
      POD_NAME: order.names[0]!,
      WEBHOOK_HANDLER: 'builtin:allow',
      CA_OVERLAP: `${OVERLAP_S}s`,
      NODE_ENV: 'production',
    }),
  );
  await until(async () => (await acknowledged(await announced())) === 1, WITHIN_MS);
  const fleet = opened.use(startFleet());
  await fleet.add({ ...order, names: order.names.slice(1) });
  await until(async () => (await acknowledged(await announced())) === replicas, WITHIN_MS);

  const [before, hash, [ca]] = [procReading(leader.pid), await announced(), await trusted()];
  const startMs = performance.now();
  await accepted(
    admin.patch('merge', leaseOf(namespace).path, { metadata: { annotations: { [`${PREFIX}/rotate`]: 'ca' } } }),
  );
  const isOver = async (): Promise<boolean> => {
    const current = await trusted();
    if (current.length !== 1 || current[0] === ca) return false;
    const now = await announced();
    return now !== hash && (await acknowledged(now)) === replicas;
  };
  await until(isOver, WITHIN_MS);
  const seconds = (performance.now() - startMs) / 1_000 - OVERLAP_S;
  const after = procReading(leader.pid);
  return { seconds, cpuMs: after.cpuMs - before.cpuMs, rssMiB: after.rssMiB };
};

/**
 * A rotation of the CA through a whole fleet: one replica, the leader, as the image starts it, the others in one process and
 * without TLS servers. From the request until no caBundle trusts the older CA any more, less CA_OVERLAP.
 */
export const fleetRotation: Figure = async ({ quick, folder, production, say }) => {
  await using cluster = await startFleetCluster();
  const findings: Finding[] = [];
  for (const replicas of quick ? [3] : [10, 100, 1_000]) {
    const own = join(folder, String(replicas));
    await mkdir(own);
    const { seconds, cpuMs, rssMiB } = await rotateFleet({ cluster, production, folder: own, replicas });
    say(`fleet-rotation: ${replicas} replicas, ${cluster.name}`);
    const limits = (atMost: number) => (replicas === MARK_SIZE ? [{ of: 'median', atMost } as const] : []);
    findings.push(
      { name: `ca-rotation-${replicas}`, unit: 's', values: [seconds], limits: limits(60) },
      { name: `ca-rotation-${replicas}-leader-cpu`, unit: 'ms', values: [cpuMs], limits: [] },
      { name: `ca-rotation-${replicas}-leader-rss`, unit: 'MiB', values: [rssMiB], limits: limits(110) },
    );
  }
  return findings;
};
