import type { NetworkPolicy } from './inspect-components.ts';
import { alivePods, shellQuote } from './kubectl.ts';
import { type Labels, selectorMatches } from './matching.ts';
import { type CheckResult, fail, ok, skipped } from './result.ts';
import type { ClusterSnapshot } from './snapshot.ts';

type Direction = 'ingress' | 'egress';

/** Whether a policy allows one of several ports. Named ports and peers are taken to match. */
const allowsAny = (policy: NetworkPolicy, direction: Direction, ports: readonly number[]): boolean =>
  (policy[direction] ?? []).some(
    (rule) =>
      rule === null ||
      rule.some(({ from, to }) => typeof from === 'string' || ports.some((port) => port >= from && port <= to)),
  );

/**
 * The command that adds a policy which allows the ports. Policies are additive, so that another one only allows more, as
 * long as the one that restricts is there: without it, the Pods would be restricted to these ports.
 */
const allowRemedy = (
  { config: { namespace, serviceName } }: ClusterSnapshot,
  direction: Direction,
  ports: readonly number[],
  { labels, restrictedBy }: { readonly labels: object; readonly restrictedBy: string },
): string => {
  const policy = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: `${serviceName}-${direction}`, namespace },
    spec: {
      podSelector: { matchLabels: labels },
      policyTypes: [direction === 'ingress' ? 'Ingress' : 'Egress'],
      [direction]: [{ ports: ports.map((port) => ({ port })) }],
    },
  };
  const isRestricted = `kubectl get networkpolicy ${shellQuote(restrictedBy)} -n ${namespace}`;
  return `${isRestricted} && echo ${shellQuote(JSON.stringify(policy))} | kubectl create -f -`;
};

const checkDirection = (
  snapshot: ClusterSnapshot,
  policies: readonly NetworkPolicy[],
  direction: Direction,
  labels: Labels,
): CheckResult => {
  const { config, server } = snapshot;
  const isEgress = direction === 'egress';
  const name = isEgress ? 'replicas may reach the API server' : 'the API server may reach the replicas';
  // The port of the Service `kubernetes`, and those that API servers usually listen on behind it.
  const ports = isEgress ? [...new Set([443, 6443, Number(new URL(server).port || 443)])] : [config.webhookBind.port];
  const governing = policies.filter(
    (policy) => policy[direction] !== null && selectorMatches(policy.podSelector, { labels, complete: true }) === true,
  );
  const [first] = governing;
  if (first === undefined) return ok(name, 'no NetworkPolicy applies');
  const names = governing.map((policy) => policy.name).join(', ');
  if (governing.some((policy) => allowsAny(policy, direction, ports)))
    return ok(name, `allowed by NetworkPolicy ${names}`);
  const stableLabels = Object.fromEntries(
    Object.entries(labels).filter(([key]) => !['pod-template-hash', 'controller-revision-hash'].includes(key)),
  );
  const detail = `NetworkPolicy ${names} allows nothing on port ${ports.join(', ')}`;
  return fail(
    name,
    detail,
    allowRemedy(snapshot, direction, ports, { labels: stableLabels, restrictedBy: first.name }),
  );
};

/** Checks that NetworkPolicies allow the connections in both directions. Replicas have no permission to read them. */
export const checkNetwork = (snapshot: ClusterSnapshot): readonly CheckResult[] => {
  const { policies } = snapshot;
  if (policies.state !== 'there') {
    const why = policies.state === 'absent' ? 'this cluster has none' : 'not readable with these permissions';
    return [skipped('NetworkPolicies allow the connections', why)];
  }
  const [pod] = alivePods(snapshot);
  if (pod === undefined) return [];
  return (['egress', 'ingress'] as const).map((direction) =>
    checkDirection(snapshot, policies.value, direction, pod.labels),
  );
};
