import * as z from 'zod';
import type { Mount } from '../certificates/mount.ts';
import { clusterPaths } from '../cluster-paths.ts';
import type { Config } from '../config.ts';
import type { KubeClient } from '../kube/client.ts';
import { leaseSchema } from '../kube/lease-schema.ts';
import { FIELD_MANAGER } from '../object-states.ts';
import { permissions } from '../permissions.ts';
import type { Evidence, Labels, LeaseLook } from './evidence.ts';
import { lookAtCertDir } from './look-at-cert-dir.ts';
import { lookAtAuthority } from './look-at-authority.ts';
import { lookAtPod } from './look-at-pod.ts';
import { lookAtPolicy } from './look-at-policy.ts';
import { lookAtSecret } from './look-at-secret.ts';
import { lookAtTarget } from './look-at-target.ts';
import { look } from './look.ts';
import { observeRenewal } from './observe-renewal.ts';
import { readSettled } from './read-settled.ts';
import { surveyAccess } from './survey-access.ts';
import { watchProblem } from './watch-problem.ts';
import { workloadCommands } from './workload-commands.ts';
import { monotonicMs } from '../monotonic-ms.ts';

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
export const gather = async (gathering: Gathering): Promise<Evidence> => {
  const { client, config, mount, inReplica, version, onWait } = gathering;
  const paths = clusterPaths(config);
  const serverMs = (): number => Date.now() + (client.clockSkewMs() ?? 0);
  const items =
    <T>(parse: (object: unknown) => T) =>
    (answer: unknown): readonly T[] =>
      (listed.parse(answer).items ?? []).map(parse);
  const schema = leaseSchema(config.annotationPrefix, FIELD_MANAGER);
  const readLease = () =>
    look(client, paths.lease.path, (object): LeaseLook => ({ ...schema.parse(object), labels: labelsOf(object) }));
  const readPods = () =>
    look(client, paths.pods, items(lookAtPod(config.annotationPrefix, config.secretName)), {
      labelSelector: config.podSelector,
    });

  const early = await readPods();
  const patienceMs = (lease: LeaseLook | null): number => {
    if (lease?.holder != null) return Math.max(lease.durationMs, config.leaseDurationMs) + config.retryPeriodMs;
    const nobody = early.state === 'there' && workloadCommands.alive({ pods: early, nowMs: serverMs() }).length === 0;
    return nobody ? 0 : 2 * config.retryPeriodMs;
  };
  const [renewal, access, cannotWatch] = await Promise.all([
    observeRenewal({ read: readLease, monotonicMs, serverMs, patienceMs, onWait }),
    surveyAccess(client, permissions(config, paths), early.state === 'there' ? early.value : [], config.namespace),
    watchProblem(client, paths.lease.collection, paths.lease.name),
  ]);

  const policies = `/apis/networking.k8s.io/v1/namespaces/${config.namespace}/networkpolicies`;
  // What was read while the renewal was awaited may be old by now.
  const [settled, authority, pods, targets, namespaceLabels, seenPolicies, certDir] = await Promise.all([
    readSettled(readLease, () => look(client, paths.secret.path, lookAtSecret)),
    look(client, paths.authority.path, lookAtAuthority),
    readPods(),
    Promise.all(
      paths.targets.map(async (path) => ({ path, look: await look(client, path.path, lookAtTarget(path.type)) })),
    ),
    look(client, `/api/v1/namespaces/${config.namespace}`, labelsOf),
    look(client, policies, items(lookAtPolicy)),
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
