import type { Rule } from '../../src/dev-cluster/users.ts';
import type { RawApi } from './raw-api.ts';
import { until } from './until.ts';

export interface Grant {
  readonly admin: RawApi;
  /** Speaks as the service account that gets the rules. */
  readonly caller: RawApi;
  /** Of the service account in the namespace `default`. */
  readonly name: string;
  readonly rules: readonly Rule[];
}

const rbac = '/apis/rbac.authorization.k8s.io/v1';

const grantIn = async (grant: Grant, namespace: string | undefined): Promise<void> => {
  const name = `spec-${grant.name}`;
  const [folder, kind] =
    namespace === undefined ? ([rbac, 'ClusterRole'] as const) : ([`${rbac}/namespaces/${namespace}`, 'Role'] as const);
  const rules = grant.rules
    .filter((rule) => rule.namespace === namespace)
    .map(({ apiGroups, resources, verbs, resourceNames }) => ({
      apiGroups,
      resources,
      verbs,
      ...(resourceNames === undefined ? {} : { resourceNames }),
    }));
  const answers = [
    await grant.admin.post(`${folder}/${kind.toLowerCase()}s`, { metadata: { name }, rules }),
    await grant.admin.post(`${folder}/${kind.toLowerCase()}bindings`, {
      metadata: { name },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name },
      subjects: [{ kind: 'ServiceAccount', namespace: 'default', name: grant.name }],
    }),
  ];
  const refusal = answers.find(({ status }) => status !== 201);
  if (refusal !== undefined) throw new Error(`cannot grant rules to ${grant.name}: ${refusal.text}`);
};

/** Whether the server has heard of a rule by now: its authorizer follows the roles by a watch of its own. */
const isInForce = async (caller: RawApi, rule: Rule): Promise<boolean> => {
  const [resource, subresource] = (rule.resources[0] ?? '').split('/');
  const resourceAttributes = {
    verb: rule.verbs[0] ?? '',
    group: rule.apiGroups[0] ?? '',
    resource: resource ?? '',
    ...(subresource === undefined ? {} : { subresource }),
    ...(rule.namespace === undefined ? {} : { namespace: rule.namespace }),
    ...(rule.resourceNames === undefined ? {} : { name: rule.resourceNames[0] ?? '' }),
  };
  const review = { spec: { resourceAttributes } };
  const answer = await caller.post('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', review);
  return answer.at('status', 'allowed') === true;
};

/** Gives a service account its rules as roles and bindings, and waits until the server goes by them. */
export const grantRules = async (grant: Grant): Promise<void> => {
  for (const namespace of new Set(grant.rules.map((rule) => rule.namespace))) await grantIn(grant, namespace);
  for (const rule of grant.rules)
    await until(() => isInForce(grant.caller, rule), 10_000).catch((cause: unknown) => {
      throw new Error(`the rules of ${grant.name} did not come into force`, { cause });
    });
};
