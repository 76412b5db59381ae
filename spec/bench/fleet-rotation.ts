import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { followOverHttp } from '../support/follow-over-http.ts';
import { freePort } from '../support/free-port.ts';
import { accepted, type RawApi } from '../support/raw-api.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';
import { webhookTarget } from '../support/webhook-target.ts';
import { fleetInstallation, leaseOf, startFleet, startFleetCluster } from './fleet-cluster.ts';
import { ownPorts, procReading, type Production, startReplica } from './programs.ts';
import type { Figure, Finding } from './report.ts';

const PREFIX = 'kubetemplater.io';
const METADATA = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';
/** By the number of replicas with one webhook, and by the number of webhooks with three replicas. */
const SIZES = { replicas: [1, 10, 100, 1_000], webhooks: [1, 10, 100] } as const;
const WITHIN_MS = 300_000;
const MARK_SIZE = 1_000;

interface PodMetadata {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
}

/** What the installation in a namespace looks like from outside. */
const observer = (admin: RawApi, namespace: string, targets: readonly string[]) => {
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
    /** What the caBundles hold, one after the other. */
    trusted: async (): Promise<readonly string[]> => {
      const found = await Promise.all(targets.map((name) => admin.get(webhookTarget.path(name))));
      return found.flatMap((target) => {
        const encoded = target.at('webhooks', 0, 'clientConfig', 'caBundle');
        const text = typeof encoded === 'string' ? Buffer.from(encoded, 'base64').toString() : '';
        return text.match(/-----BEGIN CERTIFICATE-----[^-]+/g) ?? [];
      });
    },
  };
};

interface Place {
  readonly cluster: Awaited<ReturnType<typeof startFleetCluster>>;
  readonly production: Production;
  readonly folder: string;
  readonly namespace: string;
  readonly replicas: number;
  readonly webhooks: number;
  readonly restMs: number;
  readonly overlapS: number;
}

interface Spent {
  readonly cpuMs: number;
  /** Sent by the API server to the leader, with TLS. */
  readonly KiB: number;
}

/** Lets a fleet start from nothing, rest, and rotate its CA: what that takes, and what the leader has spent on it. */
const rotateFleet = async (at: Place) => {
  const { cluster, production, folder, namespace, replicas, webhooks, restMs, overlapS } = at;
  await using opened = new AsyncDisposableStack();
  const { admin, port, caPem, adminToken: token } = cluster;
  const follow = followOverHttp(admin);
  const place = { port, caPem, admin, follow, token, folder, namespace, replicas, targets: webhooks };
  const order = opened.use(await fleetInstallation(place));
  const names = Array.from({ length: webhooks }, (_, number) => (number === 0 ? namespace : `${namespace}-${number}`));
  const { announced, acknowledged, trusted } = observer(admin, namespace, names);
  const line = opened.use(await startTcpProxy(port));
  const leader = opened.use(
    startReplica(production, {
      ...order.env,
      ...ownPorts(await freePort()),
      KUBERNETES_SERVICE_HOST: order.host,
      KUBERNETES_SERVICE_PORT: String(line.port),
      SERVICE_ACCOUNT_DIR: order.account,
      POD_NAME: order.names[0]!,
      WEBHOOK_HANDLER: 'builtin:allow',
      CA_OVERLAP: `${overlapS}s`,
      NODE_ENV: 'production',
    }),
  );
  await until(async () => (await acknowledged(await announced())) === 1, WITHIN_MS);
  if (replicas > 1) await opened.use(startFleet()).add({ ...order, names: order.names.slice(1) });
  await until(async () => (await acknowledged(await announced())) === replicas, WITHIN_MS);

  const spending = (): (() => Spent) => {
    const [{ cpuMs }, bytes] = [procReading(leader.pid), line.received];
    return () => ({ cpuMs: procReading(leader.pid).cpuMs - cpuMs, KiB: (line.received - bytes) / 1_024 });
  };
  const atRest = spending();
  await delay(restMs);
  const { cpuMs: restCpuMs, KiB: restKiB } = atRest();
  const minutes = restMs / 60_000;

  const [rotating, hash, [ca]] = [spending(), await announced(), await trusted()];
  const startMs = performance.now();
  await accepted(
    admin.patch('merge', leaseOf(namespace).path, { metadata: { annotations: { [`${PREFIX}/rotate`]: 'ca' } } }),
  );
  const isOver = async (): Promise<boolean> => {
    const current = await trusted();
    if (current.length !== webhooks || current.some((each) => each !== current[0] || each === ca)) return false;
    const now = await announced();
    return now !== hash && (await acknowledged(now)) === replicas;
  };
  await until(isOver, WITHIN_MS);
  const seconds = (performance.now() - startMs) / 1_000 - overlapS;
  return {
    seconds,
    rotation: rotating(),
    rest: { cpuMs: restCpuMs / minutes, KiB: restKiB / minutes },
    rssMiB: procReading(leader.pid).rssMiB,
  };
};

/**
 * A rotation of the CA through a whole fleet: one replica, the leader, as the image starts it, the others in one process and
 * without TLS servers. From the request until no caBundle trusts the older CA any more, less CA_OVERLAP. Before it a rest.
 */
export const fleetRotation: Figure = async ({ quick, folder, production, say }) => {
  await using cluster = await startFleetCluster();
  const findings: Finding[] = [];
  const sizes = [
    ...(quick ? [] : SIZES.replicas).map((count) => ({ of: 'replicas', count, replicas: count, webhooks: 1 })),
    ...(quick ? [2] : SIZES.webhooks).map((count) => ({ of: 'webhooks', count, replicas: 3, webhooks: count })),
  ];
  for (const { of, count, replicas, webhooks } of sizes) {
    const namespace = `${of}-${count}`;
    const own = join(folder, namespace);
    await mkdir(own);
    const times = quick ? { restMs: 1_000, overlapS: 1 } : { restMs: 60_000, overlapS: 10 };
    const place = { cluster, production, folder: own, namespace, replicas, webhooks, ...times };
    const { seconds, rotation, rest, rssMiB } = await rotateFleet(place);
    say(`fleet-rotation: ${count} ${of}, ${cluster.name}`);
    const limits = (atMost: number) => (replicas === MARK_SIZE ? [{ of: 'median', atMost } as const] : []);
    const name = `ca-rotation-${namespace}`;
    findings.push(
      { name, unit: 's', values: [seconds], limits: limits(60) },
      { name: `${name}-leader-cpu`, unit: 'ms', values: [rotation.cpuMs], limits: [] },
      { name: `${name}-leader-received`, unit: 'KiB', values: [rotation.KiB], limits: [] },
      { name: `${name}-leader-rss`, unit: 'MiB', values: [rssMiB], limits: limits(110) },
      { name: `rest-${namespace}-leader-cpu`, unit: 'ms/min', values: [rest.cpuMs], limits: [] },
      { name: `rest-${namespace}-leader-received`, unit: 'KiB/min', values: [rest.KiB], limits: [] },
    );
  }
  return findings;
};
