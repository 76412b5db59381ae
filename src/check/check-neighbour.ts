import type { PodInfo } from './inspect-pod.ts';
import { restartWorkload } from './kubectl.ts';
import { type CheckResult, fail, warn } from './result.ts';
import { type ClusterSnapshot, isPastDeliveryTime } from './snapshot.ts';

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
export const checkNeighbour = (
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
