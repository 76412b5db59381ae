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
import { FIELD_MANAGER, managedFieldsSchema, otherFieldManager } from '../kube/managed-fields.ts';
import { monotonicMs } from '../util/time.ts';
import { surveyAccess } from './access.ts';
import { get, type GetResult } from './get.ts';
import { inspectComponents, inspectNetworkPolicy } from './inspect-components.ts';
import { inspectPod, inspectWorkload, workloadCollections, type WorkloadInfo } from './inspect-pod.ts';
import { inspectCa, inspectSecret, inspectSource, type SecretInfo, trustAnchors } from './inspect-secrets.ts';
import { inspectTarget } from './inspect-target.ts';
import { alivePods } from './kubectl.ts';
import { probeLease } from './lease-probe.ts';
import type { Located } from './locate.ts';
import type { Labels } from './matching.ts';
import { asReplica, probeAcknowledgement, probeCaBundleWrite } from './probe-writes.ts';
import {
  announcedHash,
  type CertDirInfo,
  type ClusterSnapshot,
  isHeldBy,
  type LeaseInfo,
  ownCalls,
  type TargetSnapshot,
} from './snapshot.ts';

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

const texts = z.record(z.string(), z.string()).nullish();
const metadataSchema = z.object({
  metadata: z.object({ labels: texts, annotations: texts, managedFields: managedFieldsSchema }),
});
const listSchema = z.object({ items: z.array(z.unknown()).nullish() });

const labelsOf = (object: unknown): Labels => metadataSchema.parse(object).metadata.labels ?? {};

/** Reads a Lease with what concerns its owner. */
const inspectLease = (annotationPrefix: string) => {
  const schema = leaseSchema(annotationPrefix, FIELD_MANAGER);
  return (object: unknown): LeaseInfo => {
    const { labels, annotations, managedFields } = metadataSchema.parse(object).metadata;
    return {
      ...schema.parse(object),
      labels: labels ?? {},
      annotations: annotations ?? {},
      electedBy: otherFieldManager(managedFields, FIELD_MANAGER, 'f:holderIdentity'),
    };
  };
};

/** Reads every object that the checks need. An unreadable object is part of the snapshot; rejects when the connection fails. */
export const collect = async (options: CollectOptions): Promise<ClusterSnapshot> => {
  const { client, located, config, mount, inReplica, version, onWait } = options;
  const paths = clusterPaths(config);
  const serverMs = (): number => Date.now() + (client.clockSkewMs() ?? 0);
  const items =
    <T>(parse: (object: unknown) => T) =>
    (answer: unknown): readonly T[] =>
      (listSchema.parse(answer).items ?? []).map(parse);
  const readLease = () => get(client, paths.lease.path, inspectLease(config.annotationPrefix));
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

  const { namespace } = config;
  const readWorkloads = async (): Promise<GetResult<readonly WorkloadInfo[]>> => {
    const found: WorkloadInfo[] = [];
    for (const [kind, path] of workloadCollections(namespace)) {
      const answer = await get(client, path, items(inspectWorkload(kind, config.secretName)));
      if (answer.state !== 'there') return answer;
      found.push(...answer.value);
    }
    return { state: 'there', value: found };
  };

  const policies = `/apis/networking.k8s.io/v1/namespaces/${config.namespace}/networkpolicies`;
  // Read after the renewal was awaited, so that all objects are of one time.
  const [settled, ca, source, pods, workloads, seenTargets, namespaceLabels, networkPolicies, components, certDir] =
    await Promise.all([
      readSettled(readLease, () => get(client, paths.secret.path, inspectSecret(paths.issuesFor))),
      get(client, paths.ca.path, inspectCa),
      paths.source === null ? null : get(client, paths.source.path, inspectSource(paths.relaysFor)),
      readPods(),
      readWorkloads(),
      Promise.all(
        paths.targets.map(async (path) => ({ path, object: await get(client, path.path, inspectTarget(path.type)) })),
      ),
      get(client, `/api/v1/namespaces/${config.namespace}`, labelsOf),
      get(client, policies, items(inspectNetworkPolicy)),
      inspectComponents(client, config),
      inspectCertDir(mount),
    ]);
  const alive = alivePods({ pods, nowMs: serverMs() });
  const pod = (inReplica ? alive.find(({ name }) => name === config.identity) : undefined) ?? alive[0];
  const by = pod === undefined || inReplica ? null : asReplica(pod, namespace);
  const trust = settled.secret.state === 'there' ? trustAnchors(settled.secret.value) : [];
  const trustPem = trust.map((certificate) => certificate.toString()).join('');
  const probeTarget = async ({ path, object }: Omit<TargetSnapshot, 'write'>): Promise<TargetSnapshot> => {
    const fields = object.state === 'there' ? ownCalls({ config }, object.value).map(({ field }) => field) : [];
    return { path, object, write: await probeCaBundleWrite(client, path.path, fields, trustPem, by) };
  };
  const holder = settled.lease.state === 'there' ? settled.lease.value.holder : null;
  const readStranger = async (): Promise<ClusterSnapshot['stranger']> => {
    if (holder === null || pods.state !== 'there' || pods.value.some(({ name }) => isHeldBy(holder, name))) return null;
    const query = { fieldSelector: `metadata.name=${holder.split('_')[0] ?? ''}` };
    const answer = await get(client, paths.pods, items(labelsOf), query);
    const [labels] = answer.state === 'there' ? answer.value : [];
    return labels === undefined ? null : { labels };
  };
  const [targets, stranger, write] = await Promise.all([
    Promise.all(seenTargets.map(probeTarget)),
    readStranger(),
    pod === undefined || !config.kubeletNudge
      ? null
      : probeAcknowledgement(
          client,
          `${paths.pods}/${encodeURIComponent(pod.name)}`,
          { [`${config.annotationPrefix}/serving-hash`]: announcedHash(settled) ?? '0'.repeat(64) },
          by,
        ),
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
    source,
    pods,
    workloads,
    stranger,
    targets,
    namespaceLabels,
    policies: networkPolicies,
    components,
    certDir,
    acknowledgement: pod === undefined || write === null ? null : { pod: pod.name, write },
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
