import { setTimeout as delay } from 'node:timers/promises';
import { catchError, filter, firstValueFrom, map, of, take } from 'rxjs';
import * as z from 'zod';
import { Problem } from '../../streams/problem.ts';
import type { Mount } from '../certificates/mount.ts';
import { FIELD_MANAGER } from '../cluster/field-manager.ts';
import { leaseSchema } from '../cluster/lease-codec.ts';
import { clusterPaths } from '../cluster/paths.ts';
import { permissions } from '../cluster/permissions.ts';
import type { Config } from '../config/config.ts';
import type { KubeClient } from '../kube/client.ts';
import { monotonicMs } from '../util/time.ts';
import { get, type GetResult } from './get.ts';
import { inspectPod } from './inspect-pod.ts';
import { inspectPolicy } from './inspect-policy.ts';
import { inspectCa, inspectSecret, type SecretInfo } from './inspect-secrets.ts';
import { inspectTarget } from './inspect-target.ts';
import { workloadCommands } from './kubectl.ts';
import { probeLease } from './lease-probe.ts';
import type { Labels } from './matching.ts';
import type { CertDirInfo, ClusterSnapshot, LeaseInfo } from './snapshot.ts';
import { surveyAccess } from './survey-access.ts';

export interface Gathering {
  readonly client: KubeClient;
  readonly config: Config;
  readonly mount: Mount;
  readonly inReplica: boolean;
  readonly version: string;
  /** Called when a renewal has to be waited for, with the longest that may take. */
  readonly onWait: (atMostMs: number) => void;
}

const labelled = z.object({ metadata: z.object({ labels: z.record(z.string(), z.string()).nullish() }) });
const listed = z.object({ items: z.array(z.unknown()).nullish() });

const labelsOf = (object: unknown): Labels => labelled.parse(object).metadata.labels ?? {};

/** Looks at everything. What it may not see is part of the evidence; rejects when the API server goes away meanwhile. */
export const collect = async (gathering: Gathering): Promise<ClusterSnapshot> => {
  const { client, config, mount, inReplica, version, onWait } = gathering;
  const paths = clusterPaths(config);
  const serverMs = (): number => Date.now() + (client.clockSkewMs() ?? 0);
  const items =
    <T>(parse: (object: unknown) => T) =>
    (answer: unknown): readonly T[] =>
      (listed.parse(answer).items ?? []).map(parse);
  const schema = leaseSchema(config.annotationPrefix, FIELD_MANAGER);
  const readLease = () =>
    get(client, paths.lease.path, (object): LeaseInfo => ({ ...schema.parse(object), labels: labelsOf(object) }));
  const readPods = () =>
    get(client, paths.pods, items(inspectPod(config.annotationPrefix, config.secretName)), {
      labelSelector: config.podSelector,
    });

  const early = await readPods();
  const patienceMs = (lease: LeaseInfo | null): number => {
    if (lease?.holder != null) return Math.max(lease.durationMs, config.leaseDurationMs) + config.retryPeriodMs;
    const nobody = early.state === 'there' && workloadCommands.alive({ pods: early, nowMs: serverMs() }).length === 0;
    return nobody ? 0 : 2 * config.retryPeriodMs;
  };
  const [renewal, access, cannotWatch] = await Promise.all([
    probeLease({ read: readLease, monotonicMs, serverMs, patienceMs, onWait }),
    surveyAccess(client, permissions(config, paths), early.state === 'there' ? early.value : [], config.namespace),
    watchProblem(client, paths.lease.collection, paths.lease.name),
  ]);

  const policies = `/apis/networking.k8s.io/v1/namespaces/${config.namespace}/networkpolicies`;
  // What was read while the renewal was awaited may be old by now.
  const [settled, authority, pods, targets, namespaceLabels, seenPolicies, certDir] = await Promise.all([
    readSettled(readLease, () => get(client, paths.secret.path, inspectSecret)),
    get(client, paths.ca.path, inspectCa),
    readPods(),
    Promise.all(
      paths.targets.map(async (path) => ({ path, look: await get(client, path.path, inspectTarget(path.type)) })),
    ),
    get(client, `/api/v1/namespaces/${config.namespace}`, labelsOf),
    get(client, policies, items(inspectPolicy)),
    lookAtCertDir(mount),
  ]);
  return {
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
    watchProblem: cannotWatch,
    secret: settled.secret,
    authority,
    pods,
    targets,
    namespaceLabels,
    policies: seenPolicies,
    certDir,
  };
};

interface SettledReads {
  readonly lease: GetResult<LeaseInfo>;
  readonly secret: GetResult<SecretInfo>;
}

/** A leader writes the Secret and announces it right after: whoever looks in between sees nothing wrong. */
const PAUSE_MS = 700;
const MOST_LOOKS = 3;

const agree = ({ lease, secret }: SettledReads): boolean =>
  lease.state !== 'there' || secret.state !== 'there' || lease.value.announcement?.hash === secret.value.hash;

/** Reads Lease and Secret, again for two seconds while the one does not announce the other. */
const readSettled = async (
  readLease: () => Promise<GetResult<LeaseInfo>>,
  readSecret: () => Promise<GetResult<SecretInfo>>,
): Promise<SettledReads> => {
  for (let looks = 1; ; looks += 1) {
    const [secret, lease] = await Promise.all([readSecret(), readLease()]);
    const reads = { lease, secret };
    if (agree(reads) || looks === MOST_LOOKS) return reads;
    await delay(PAUSE_MS);
  }
};

/** Opens a watch of one object by its name, and closes it. Returns why it does not open, null when it does. */
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
    { defaultValue: 'it ended before it began' },
  );

/** CERT_DIR on this machine, whatever it is. */
const lookAtCertDir = async (mount: Mount): Promise<CertDirInfo> => {
  const kind = mount.kind();
  if (kind === 'absent') return { kind, hash: null, problem: null };
  const { hash, problem } = await firstValueFrom(mount.read());
  return { kind, hash, problem };
};
