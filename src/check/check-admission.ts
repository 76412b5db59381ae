import type { AdmissionRule } from './inspect-target.ts';
import { alivePods, shellQuote } from './kubectl.ts';
import { type KnownLabels, type Labels, type LabelSelector, selectorMatches } from './matching.ts';
import { type CheckResult, ok, skipped, warn } from './result.ts';
import type { ClusterSnapshot, TargetSnapshot } from './snapshot.ts';

/** The attributes of a request that webhook rules match on. */
export interface AdmissionRequest {
  readonly operation: string;
  readonly apiGroup: string;
  readonly resource: string;
  readonly subresource: string;
}

const matchesAny = (patterns: readonly string[], value: string): boolean =>
  patterns.includes('*') || patterns.includes(value);

/** Matches a resource pattern as the API server does: `pods`, `pods/status`, `pods/*`, or `*` (no subresources). */
const covers = (pattern: string, { resource, subresource }: AdmissionRequest): boolean => {
  const [resourcePattern = '', subresourcePattern = ''] = pattern.split('/');
  return ['*', resource].includes(resourcePattern) && ['*', subresource].includes(subresourcePattern);
};

/** Whether a webhook rule matches this request for a namespaced object of version v1. */
export const ruleMatches = (rule: AdmissionRule, request: AdmissionRequest): boolean =>
  rule.scope !== 'Cluster' &&
  matchesAny(rule.operations, request.operation) &&
  matchesAny(rule.apiGroups, request.apiGroup) &&
  matchesAny(rule.apiVersions, 'v1') &&
  rule.resources.some((pattern) => covers(pattern, request));

/** Set on every namespace by API servers since Kubernetes 1.22. */
const NAME_LABEL = 'kubernetes.io/metadata.name';

interface OwnWrite extends AdmissionRequest {
  /** Kind of the object, for the message. */
  readonly kind: string;
  readonly labels: Labels;
}

/** The writes that must be admitted for the webhook to be repaired or restarted. */
const ownWrites = (snapshot: ClusterSnapshot): readonly OwnWrite[] => {
  const { lease, secret } = snapshot;
  const [pod] = alivePods(snapshot);
  const of = (kind: string, apiGroup: string, resource: string, labels: Labels, ...operations: readonly string[]) =>
    operations.map((operation) => ({ kind, apiGroup, resource, subresource: '', labels, operation }));
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
    { kind: 'Pods', apiGroup: '', resource: 'pods', subresource: 'status', labels: podLabels, operation: 'UPDATE' },
  ];
};

const labelsOfNamespace = ({ namespaceLabels, config }: ClusterSnapshot): KnownLabels =>
  namespaceLabels.state === 'there'
    ? { labels: namespaceLabels.value, complete: true }
    : { labels: { [NAME_LABEL]: config.namespace }, complete: false };

interface Exclusion {
  readonly type: string;
  /** Of the configuration. */
  readonly name: string;
  readonly namespace: string;
  /** Whether the namespace lacks the label with its name, as before Kubernetes 1.22. */
  readonly isUnlabelled: boolean;
  readonly webhooks: readonly {
    readonly at: number;
    readonly namespaceSelector: LabelSelector;
    readonly rules: readonly AdmissionRule[];
  }[];
}

/** The command that excludes a namespace from webhooks of one configuration. */
export const excludeNamespace = ({ type, name, namespace, isUnlabelled, webhooks }: Exclusion): string => {
  const exclusion = { key: NAME_LABEL, operator: 'NotIn', values: [namespace] };
  const operations = webhooks.flatMap(({ at, namespaceSelector, rules }) => [
    // Of rules that have been corrected since, nothing is excluded.
    { op: 'test', path: `/webhooks/${at}/rules`, value: rules },
    {
      op: 'add',
      path: `/webhooks/${at}/namespaceSelector`,
      value: { ...namespaceSelector, matchExpressions: [...namespaceSelector.matchExpressions, exclusion] },
    },
  ]);
  const label = `kubectl label namespace ${namespace} ${NAME_LABEL}=${namespace} && `;
  const patch = `kubectl patch ${type} ${shellQuote(name)} --type=json -p ${shellQuote(JSON.stringify(operations))}`;
  return isUnlabelled ? label + patch : patch;
};

/** Whether these labels of a namespace are known to lack its name. */
export const lacksName = ({ labels, complete }: KnownLabels, namespace: string): boolean =>
  complete && labels[NAME_LABEL] !== namespace;

const checkTarget = (snapshot: ClusterSnapshot, target: TargetSnapshot): readonly CheckResult[] => {
  if (target.object.state !== 'there' || target.object.value.webhooks.length === 0) return [];
  const name = `${target.path.id} cannot block its own repair`;
  const namespace = labelsOfNamespace(snapshot);
  const found = target.object.value.webhooks.map((webhook, at) => {
    const inNamespace = selectorMatches(webhook.namespaceSelector, namespace);
    const matched = ownWrites(snapshot).filter(
      (write) =>
        webhook.rules.some((rule) => ruleMatches(rule, write)) &&
        selectorMatches(webhook.objectSelector, { labels: write.labels, complete: true }) !== false,
    );
    return { webhook, at, inNamespace, kinds: webhook.blocks ? [...new Set(matched.map(({ kind }) => kind))] : [] };
  });
  const blocking = found.filter(({ kinds, inNamespace }) => kinds.length > 0 && inNamespace !== false);
  const certain = blocking.filter(({ inNamespace }) => inNamespace === true);
  if (certain.length === 0) {
    return blocking.length === 0
      ? [ok(name, '')]
      : [
          skipped(
            name,
            `depends on labels of namespace ${snapshot.config.namespace}, which are not readable with these permissions`,
          ),
        ];
  }
  const kinds = [...new Set(certain.flatMap((each) => each.kinds))].join(', ');
  const unless = certain.every(({ webhook }) => webhook.isConditional)
    ? ', unless its matchConditions exclude them'
    : '';
  const detail = `failurePolicy is Fail, and its rules match ${kinds} of its own namespace ${snapshot.config.namespace}${unless}`;
  const remedy = excludeNamespace({
    ...target.path,
    namespace: snapshot.config.namespace,
    isUnlabelled: lacksName(namespace, snapshot.config.namespace),
    webhooks: certain.map(({ webhook: { namespaceSelector, rules }, at }) => ({ at, namespaceSelector, rules })),
  });
  return [warn(name, detail, remedy)];
};

/** Checks that a webhook that is down does not reject the writes that would bring it back. */
export const checkAdmission = (snapshot: ClusterSnapshot): readonly CheckResult[] =>
  snapshot.targets.flatMap((target) => checkTarget(snapshot, target));
