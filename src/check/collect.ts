import { setTimeout as delay } from 'node:timers/promises';
import { catchError, filter, firstValueFrom, map, of, take } from 'rxjs';
import * as z from 'zod';
import { Problem } from '../../streams/problem.ts';
import type { Mount } from '../certificates/mount.ts';
import { leaseSchema } from '../cluster/lease-codec.ts';
import { clusterPaths } from '../cluster/paths.ts';
import { permissions } from '../cluster/permissions.ts';
import type { Config } from '../config/config.ts';
import type { KubeClient } from '../kube/client.ts';
import { FIELD_MANAGER } from '../kube/managed-fields.ts';
import { monotonicMs } from '../util/time.ts';
import { get, type GetResult } from './get.ts';
import { inspectPod } from './inspect-pod.ts';
import { inspectPolicy } from './inspect-policy.ts';
import { inspectCa, inspectSecret, type SecretInfo, trustAnchors } from './inspect-secrets.ts';
import { inspectTarget } from './inspect-target.ts';
import { alivePods } from './kubectl.ts';
import { probeLease } from './lease-probe.ts';
import type { Located } from './locate.ts';
import type { Labels } from './matching.ts';
import { probeAcknowledgement, probeCaBundleWrite } from './probe-writes.ts';
import {
  announcedHash,
  type CertDirInfo,
  type ClusterSnapshot,
  type LeaseInfo,
  ownCalls,
  type TargetSnapshot,
} from './snapshot.ts';
import { surveyAccess } from './survey-access.ts';

export interface CollectOptions {
  readonly client: KubeClient;
  readonly located: Located;
  readonly config: Config;
  readonly mount: Mount;
  readonly inReplica: boolean;
  readonly version: string;
  /** Called when a renewal has to be awaited, with the longest time that takes. */
  readonly onWait: (atMostMs: number) => void;
}

const labelsSchema = z.object({ metadata: z.object({ labels: z.record(z.string(), z.string()).nullish() }) });
const listSchema = z.object({ items: z.array(z.unknown()).nullish() });

const labelsOf = (object: unknown): Labels => labelsSchema.parse(object).metadata.labels ?? {};

/** Reads every object that the checks need. An unreadable object is part of the snapshot; rejects when the connection fails. */
export const collect = async (options: CollectOptions): Promise<ClusterSnapshot> => {
  const { client, located, config, mount, inReplica, version, onWait } = options;
  const paths = clusterPaths(config);
  const serverMs = (): number => Date.now() + (client.clockSkewMs() ?? 0);
  const items =
    <T>(parse: (object: unknown) => T) =>
    (answer: unknown): readonly T[] =>
      (listSchema.parse(answer).items ?? []).map(parse);
  const schema = leaseSchema(config.annotationPrefix, FIELD_MANAGER);
  const readLease = () =>
    get(client, paths.lease.path, (object): LeaseInfo => ({ ...schema.parse(object), labels: labelsOf(object) }));
  const readPods = () =>
    get(client, paths.pods, items(inspectPod(config.annotationPrefix, config.secretName)), {
      labelSelector: config.podSelector,
    });

  const early = await readPods();
  const timeoutMs = (lease: LeaseInfo | null): number => {
    if (lease?.holder != null) return Math.max(lease.durationMs, config.leaseDurationMs) + config.retryPeriodMs;
    const hasNoReplica = early.state === 'there' && alivePods({ pods: early, nowMs: serverMs() }).length === 0;
    return hasNoReplica ? 0 : 2 * config.retryPeriodMs;
  };
  const [renewal, access, leaseWatchProblem] = await Promise.all([
    probeLease({ read: readLease, monotonicMs, serverMs, timeoutMs, onWait }),
    surveyAccess(client, permissions(config, paths), early.state === 'there' ? early.value : [], config.namespace),
    watchProblem(client, paths.lease.collection, paths.lease.name),
  ]);

  const policies = `/apis/networking.k8s.io/v1/namespaces/${config.namespace}/networkpolicies`;
  // Read after the renewal was awaited, so that all objects are of one time.
  const [settled, ca, pods, seenTargets, namespaceLabels, networkPolicies, certDir] = await Promise.all([
    readSettled(readLease, () => get(client, paths.secret.path, inspectSecret)),
    get(client, paths.ca.path, inspectCa),
    readPods(),
    Promise.all(
      paths.targets.map(async (path) => ({ path, object: await get(client, path.path, inspectTarget(path.type)) })),
    ),
    get(client, `/api/v1/namespaces/${config.namespace}`, labelsOf),
    get(client, policies, items(inspectPolicy)),
    inspectCertDir(mount),
  ]);
  const trust = settled.secret.state === 'there' ? trustAnchors(settled.secret.value) : [];
  const trustPem = trust.map((certificate) => certificate.toString()).join('');
  const probeTarget = async ({ path, object }: Omit<TargetSnapshot, 'write'>): Promise<TargetSnapshot> => {
    const fields = object.state === 'there' ? ownCalls({ config }, object.value).map(({ field }) => field) : [];
    return { path, object, write: await probeCaBundleWrite(client, path.path, fields, trustPem) };
  };
  const alive = alivePods({ pods, nowMs: serverMs() }).map(({ name }) => name);
  const podName = inReplica && alive.includes(config.identity) ? config.identity : alive[0];
  const [targets, write] = await Promise.all([
    Promise.all(seenTargets.map(probeTarget)),
    podName === undefined || !config.kubeletNudge
      ? null
      : probeAcknowledgement(client, `${paths.pods}/${encodeURIComponent(podName)}`, {
          [`${config.annotationPrefix}/serving-hash`]: announcedHash(settled) ?? '0'.repeat(64),
        }),
  ]);
  return {
    located,
    config,
    paths,
    inReplica,
    nowMs: serverMs(),
    skewMs: client.clockSkewMs(),
    version,
    server: client.server,
    ...access,
    lease: settled.lease,
    renewal,
    watchProblem: leaseWatchProblem,
    secret: settled.secret,
    ca,
    pods,
    targets,
    namespaceLabels,
    policies: networkPolicies,
    certDir,
    acknowledgement: podName === undefined || write === null ? null : { pod: podName, write },
  };
};

interface SettledReads {
  readonly lease: GetResult<LeaseInfo>;
  readonly secret: GetResult<SecretInfo>;
}

/** Pause between two reads: a leader announces a Secret shortly after it has written it. */
const PAUSE_MS = 700;
const MAX_READS = 3;

const agree = ({ lease, secret }: SettledReads): boolean =>
  lease.state !== 'there' || secret.state !== 'there' || lease.value.announcement?.hash === secret.value.hash;

/** Reads Lease and Secret, repeatedly for two seconds while the Lease does not announce the Secret. */
const readSettled = async (
  readLease: () => Promise<GetResult<LeaseInfo>>,
  readSecret: () => Promise<GetResult<SecretInfo>>,
): Promise<SettledReads> => {
  for (let count = 1; ; count += 1) {
    const [secret, lease] = await Promise.all([readSecret(), readLease()]);
    const reads = { lease, secret };
    if (agree(reads) || count === MAX_READS) return reads;
    await delay(PAUSE_MS);
  }
};

/** Opens and closes a watch of one object. Returns why it does not open, null when it does. */
const watchProblem = (client: KubeClient, path: string, name: string): Promise<string | null> =>
  firstValueFrom(
    client
      .stream({
        method: 'GET',
        path,
        query: { watch: 'true', timeoutSeconds: '5', fieldSelector: `metadata.name=${name}` },
      })
      .pipe(
        filter(({ type }) => type === 'opened'),
        take(1),
        map(() => null),
        catchError((error: unknown) => {
          if (!(error instanceof Problem)) throw error;
          return of(error.message);
        }),
      ),
    { defaultValue: 'it ended before it opened' },
  );

/** Reads CERT_DIR on this machine. */
const inspectCertDir = async (mount: Mount): Promise<CertDirInfo> => {
  const kind = mount.kind();
  if (kind === 'absent') return { kind, hash: null, problem: null };
  const { hash, problem } = await firstValueFrom(mount.read());
  return { kind, hash, problem };
};
