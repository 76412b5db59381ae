import type { NetworkPolicy } from './inspect-policy.ts';
import { shellQuote, workloadCommands } from './kubectl.ts';
import { selectorMatches } from './matching.ts';
import { type CheckResult, result } from './result.ts';
import type { ClusterSnapshot } from './snapshot.ts';

type Direction = 'ingress' | 'egress';

/** Whether one of several ports is let through. Named ports and peers get the benefit of the doubt. */
const letsThrough = (policy: NetworkPolicy, direction: Direction, ports: readonly number[]): boolean =>
  (policy[direction] ?? []).some(
    (rule) =>
      rule === null ||
      rule.some(({ from, to }) => typeof from === 'string' || ports.some((port) => port >= from && port <= to)),
  );

/** Policies add up: where one already selects the Pods, one more only ever opens. */
const opening = (evidence: ClusterSnapshot, direction: Direction, ports: readonly number[], labels: object): string => {
  const { namespace } = evidence.config;
  const policy = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: `webhook-certd-${direction}`, namespace },
    spec: {
      podSelector: { matchLabels: labels },
      policyTypes: [direction === 'ingress' ? 'Ingress' : 'Egress'],
      [direction]: [{ ports: ports.map((port) => ({ port })) }],
    },
  };
  return `echo ${shellQuote(JSON.stringify(policy))} | kubectl apply -f -`;
};

const judge = (evidence: ClusterSnapshot, policies: readonly NetworkPolicy[], direction: Direction): CheckResult => {
  const { config, server } = evidence;
  const [pod] = workloadCommands.alive(evidence);
  const isOut = direction === 'egress';
  const name = isOut ? 'replicas may reach the API server' : 'the API server may reach the replicas';
  // The Service's port and those that API servers listen on behind it.
  const ports = isOut ? [...new Set([443, 6443, Number(new URL(server).port || 443)])] : [config.webhookBind.port];
  const labels = pod?.labels ?? {};
  const governing = policies.filter(
    (policy) => policy[direction] !== null && selectorMatches(policy.podSelector, { labels, complete: true }) === true,
  );
  if (governing.length === 0) return result.ok(name, 'no NetworkPolicy forbids it');
  const names = governing.map((policy) => policy.name).join(', ');
  if (governing.some((policy) => letsThrough(policy, direction, ports)))
    return result.ok(name, `by NetworkPolicy ${names}`);
  const lasting = Object.fromEntries(
    Object.entries(labels).filter(([key]) => !['pod-template-hash', 'controller-revision-hash'].includes(key)),
  );
  const detail = `NetworkPolicy ${names} lets nothing through on port ${ports.join(', ')}`;
  return result.fail(name, detail, opening(evidence, direction, ports, lasting));
};

/** What the namespace's NetworkPolicies leave of the ways in and out. Only somebody at a desk may see them. */
export const checkNetwork = (evidence: ClusterSnapshot): readonly CheckResult[] => {
  const { policies } = evidence;
  if (policies.state !== 'there') {
    const why = policies.state === 'absent' ? 'this cluster has none' : 'they are not readable from here';
    return [result.skipped('NetworkPolicies let replicas talk', why)];
  }
  if (workloadCommands.alive(evidence).length === 0) return [];
  return [judge(evidence, policies.value, 'egress'), judge(evidence, policies.value, 'ingress')];
};
