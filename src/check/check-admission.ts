import type { AdmissionRule, WebhookInfo } from './inspect-target.ts';
import { shellQuote, workloadCommands } from './kubectl.ts';
import { type KnownLabels, type Labels, selectorMatches } from './matching.ts';
import { type CheckResult, result } from './result.ts';
import type { ClusterSnapshot, SeenTarget } from './snapshot.ts';

/** A request as admission sees it. */
interface AdmissionRequest {
  readonly operation: string;
  readonly apiGroup: string;
  readonly resource: string;
  readonly subresource: string;
}

const among = (values: readonly string[], wanted: string): boolean => values.includes('*') || values.includes(wanted);

/** `pods`, `pods/status`, `pods/*`, `*` (no subresources) and the like, as the API server reads them. */
const covers = (pattern: string, { resource, subresource }: AdmissionRequest): boolean => {
  const [wantedResource = '', wantedSub = ''] = pattern.split('/');
  return ['*', resource].includes(wantedResource) && ['*', subresource].includes(wantedSub);
};

/** Whether a webhook's rule sends this request, about something in a namespace and of version v1, to the webhook. */
export const ruleMatches = (rule: AdmissionRule, request: AdmissionRequest): boolean =>
  rule.scope !== 'Cluster' &&
  among(rule.operations, request.operation) &&
  among(rule.apiGroups, request.apiGroup) &&
  among(rule.apiVersions, 'v1') &&
  rule.resources.some((pattern) => covers(pattern, request));

/** Since 1.22 the API server sets it on every namespace. */
const NAME_LABEL = 'kubernetes.io/metadata.name';

interface OwnWrite extends AdmissionRequest {
  readonly what: string;
  readonly labels: Labels;
}

/** What must get through for the webhook to be repaired, or to come back at all. */
const ownWrites = (evidence: ClusterSnapshot): readonly OwnWrite[] => {
  const { lease, secret } = evidence;
  const [pod] = workloadCommands.alive(evidence);
  const of = (what: string, apiGroup: string, resource: string, labels: Labels, ...operations: readonly string[]) =>
    operations.map((operation) => ({ what, apiGroup, resource, subresource: '', labels, operation }));
  const podLabels = pod?.labels ?? {};
  return [
    ...of('Secrets', '', 'secrets', secret.state === 'there' ? secret.value.labels : {}, 'CREATE', 'UPDATE'),
    ...of(
      'Leases',
      'coordination.k8s.io',
      'leases',
      lease.state === 'there' ? lease.value.labels : {},
      'CREATE',
      'UPDATE',
    ),
    ...of('Pods', '', 'pods', podLabels, 'CREATE', 'DELETE'),
    { what: 'Pods', apiGroup: '', resource: 'pods', subresource: 'status', labels: podLabels, operation: 'UPDATE' },
  ];
};

const namespaceOf = ({ namespaceLabels, config }: ClusterSnapshot): KnownLabels =>
  namespaceLabels.state === 'there'
    ? { labels: namespaceLabels.value, complete: true }
    : { labels: { [NAME_LABEL]: config.namespace }, complete: false };

const mend = (
  evidence: ClusterSnapshot,
  { path }: SeenTarget,
  blocking: readonly (readonly [WebhookInfo, number])[],
): string => {
  const { namespace } = evidence.config;
  const exclusion = { key: NAME_LABEL, operator: 'NotIn', values: [namespace] };
  const operations = blocking.map(([{ namespaceSelector }, at]) => ({
    op: 'add',
    path: `/webhooks/${at}/namespaceSelector`,
    value: { ...namespaceSelector, matchExpressions: [...namespaceSelector.matchExpressions, exclusion] },
  }));
  const { labels, complete } = namespaceOf(evidence);
  const label = `kubectl label namespace ${namespace} ${NAME_LABEL}=${namespace} && `;
  const isUnlabelled = complete && labels[NAME_LABEL] !== namespace;
  const patch = `kubectl patch ${path.type} ${shellQuote(path.name)} --type=json -p ${shellQuote(JSON.stringify(operations))}`;
  return isUnlabelled ? label + patch : patch;
};

const judgeTarget = (evidence: ClusterSnapshot, target: SeenTarget): readonly CheckResult[] => {
  if (target.look.state !== 'there' || target.look.value.webhooks.length === 0) return [];
  const name = `${target.path.id} cannot block its own repair`;
  const namespace = namespaceOf(evidence);
  const found = target.look.value.webhooks.map((webhook, at) => {
    const inNamespace = selectorMatches(webhook.namespaceSelector, namespace);
    const caught = ownWrites(evidence).filter(
      (write) =>
        webhook.rules.some((rule) => ruleMatches(rule, write)) &&
        selectorMatches(webhook.objectSelector, { labels: write.labels, complete: true }) !== false,
    );
    return { webhook, at, inNamespace, whats: webhook.blocks ? [...new Set(caught.map(({ what }) => what))] : [] };
  });
  const blocking = found.filter(({ whats, inNamespace }) => whats.length > 0 && inNamespace !== false);
  const certain = blocking.filter(({ inNamespace }) => inNamespace === true);
  if (certain.length === 0) {
    return blocking.length === 0
      ? [result.ok(name, '')]
      : [
          result.skipped(
            name,
            `that hangs on labels of namespace ${evidence.config.namespace}, not readable from here`,
          ),
        ];
  }
  const whats = [...new Set(certain.flatMap((each) => each.whats))].join(', ');
  const unless = certain.every(({ webhook }) => webhook.isConditional)
    ? ', unless its matchConditions let them pass'
    : '';
  const detail = `failurePolicy Fail, and it is asked about ${whats} of its own namespace ${evidence.config.namespace}${unless}`;
  const remedy = mend(
    evidence,
    target,
    certain.map(({ webhook, at }) => [webhook, at] as const),
  );
  return [result.warn(name, detail, remedy)];
};

/** Whether a webhook that is down would refuse the very writes that bring it back. */
export const checkAdmission = (evidence: ClusterSnapshot): readonly CheckResult[] =>
  evidence.targets.flatMap((target) => judgeTarget(evidence, target));
