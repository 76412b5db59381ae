import type { PodInfo } from './inspect-pod.ts';
import { alivePods, isLeaving, nudgeKubelet, restartWorkload, shellQuote, startReplicas } from './kubectl.ts';
import { isDeniedByRbac } from './probe-writes.ts';
import { grantMissing } from './remedies.ts';
import { type CheckResult, fail, ok, skipped, unreadable, warn } from './result.ts';
import { announcedHash, type ClusterSnapshot, isPastDeliveryTime } from './snapshot.ts';

const settingOf = ({ containers }: PodInfo, name: string): string | null => {
  for (const { env } of containers) {
    const value = env.get(name);
    if (value !== undefined && value !== '') return value;
  }
  return null;
};

/**
 * Finds why a replica whose server terminates TLS itself does not acknowledge the announced certificate.
 *
 * @returns null when it has no such server
 */
const checkNeighbour = (
  snapshot: ClusterSnapshot,
  pod: PodInfo,
  { name, announced }: { readonly name: string; readonly announced: string },
): CheckResult | null => {
  const { config } = snapshot;
  const address = settingOf(pod, 'SERVING_ADDRESS');
  if (address === null) return null;
  if (pod.servingHash === null) {
    const readyz = `kubectl get --raw /api/v1/namespaces/${config.namespace}/pods/${pod.name}:${config.probeBind.port}/proxy/readyz`;
    return fail(name, `no handshake with its server at ${address} has shown a certificate that callers accept`, readyz);
  }
  const shows = `its server at ${address} shows ${pod.servingHash.slice(0, 12)}, announced: ${announced.slice(0, 12)}`;
  if (!isPastDeliveryTime(snapshot)) return warn(name, `${shows} since recently`, restartWorkload(snapshot, pod));
  const reload = settingOf(pod, 'RELOAD');
  const why =
    reload === null
      ? 'it does not read a changed certificate by itself, and RELOAD is not set'
      : `RELOAD=${reload} has not made it read the changed certificate`;
  const kept = 'the CA of what it shows stays trusted until then, and calls fail once that has expired';
  return fail(name, `${shows}: ${why}; a restart reads it, ${kept}`, restartWorkload(snapshot, pod));
};

/** The log of the container that ended, or why none has been started. */
const inspectPod = ({ config }: ClusterSnapshot, { name, hasExited }: PodInfo): string =>
  hasExited
    ? `kubectl logs -n ${config.namespace} ${shellQuote(name)} --all-containers --previous --tail=50`
    : `kubectl describe pod ${shellQuote(name)} -n ${config.namespace}`;

const silenceRemedy = (snapshot: ClusterSnapshot, pod: PodInfo): string =>
  grantMissing(snapshot, ({ permission }) => permission.resource === 'pods/status') ?? nudgeKubelet(snapshot, pod.name);

const checkReplica = (snapshot: ClusterSnapshot, pod: PodInfo, announced: string): CheckResult => {
  const name = `replica ${pod.name} serves the announced certificate`;
  const { config } = snapshot;
  if (isLeaving(pod)) return skipped(name, 'the Pod is being deleted');
  if (pod.problem !== null)
    return fail(name, `its container is not running: ${pod.problem}`, inspectPod(snapshot, pod));
  if (pod.servingHash === announced) {
    return pod.ready === false
      ? warn(
          name,
          'it does, but is not ready',
          `kubectl get --raw /api/v1/namespaces/${config.namespace}/pods/${pod.name}:${config.probeBind.port}/proxy/readyz`,
        )
      : ok(name, announced.slice(0, 12));
  }
  const neighbour = config.kubeletNudge ? checkNeighbour(snapshot, pod, { name, announced }) : null;
  if (neighbour !== null) return neighbour;
  if (pod.servingHash === null) {
    if (!config.kubeletNudge) return skipped(name, 'KUBELET_NUDGE=false: replicas do not acknowledge');
    return pod.ready === true
      ? warn(name, 'it is ready, but Pod has no serving-hash annotation', silenceRemedy(snapshot, pod))
      : fail(name, 'Pod has no serving-hash annotation', silenceRemedy(snapshot, pod));
  }
  const serves = `it serves ${pod.servingHash.slice(0, 12)}, announced: ${announced.slice(0, 12)}`;
  return isPastDeliveryTime(snapshot)
    ? fail(name, `${serves}, and its kubelet should have delivered by now`, nudgeKubelet(snapshot, pod.name))
    : warn(name, `${serves} since recently`, nudgeKubelet(snapshot, pod.name));
};

const checkAcknowledgement = (snapshot: ClusterSnapshot): readonly CheckResult[] => {
  const { acknowledgement } = snapshot;
  if (acknowledgement === null || acknowledgement.write.state === 'unknown') return [];
  const { pod, write } = acknowledgement;
  const name = `replica ${pod} can be annotated`;
  if (write.state === 'accepted') return [ok(name, 'by a dry run')];
  // Missing permissions are reported by the permission checks.
  if (isDeniedByRbac(write.why)) return [skipped(name, 'no permission for a dry run')];
  const policy = /ValidatingAdmissionPolicy '([^']+)'/.exec(write.why)?.[1];
  const remedy =
    policy === undefined
      ? 'kubectl get validatingwebhookconfiguration,mutatingwebhookconfiguration'
      : `kubectl get validatingadmissionpolicy ${shellQuote(policy)} -o yaml`;
  return [warn(name, `the API server rejects its annotations on the Pod: ${write.why}`, remedy)];
};

/** Checks that replicas exist and serve the announced certificate. */
export const checkReplicas = (snapshot: ClusterSnapshot): readonly CheckResult[] => {
  const name = 'replicas exist';
  const { pods, config } = snapshot;
  if (pods.state !== 'there') return [unreadable(name, pods, snapshot.paths.pods)];
  const alive = alivePods(snapshot);
  if (alive.length === 0) {
    const detail = `no Pod of ${config.namespace} matches ${config.podSelector}`;
    return [fail(name, detail, startReplicas(snapshot))];
  }
  const announced = announcedHash(snapshot);
  return [
    ok(name, alive.map((pod) => pod.name).join(', ')),
    ...(announced === null
      ? [skipped('replicas serve the announced certificate', 'no certificate is announced')]
      : alive.map((pod) => checkReplica(snapshot, pod, announced))),
    ...checkAcknowledgement(snapshot),
  ];
};
