import { clusterPaths } from '../cluster/paths.ts';
import { type Permission, permissions } from '../cluster/permissions.ts';
import type { Config } from '../config/config.ts';
import { clusterName, inCluster, inNamespace, type InstallationSpec, type Manifest, manifest } from './installation.ts';
import type { Json } from './yaml.ts';

const RBAC = 'rbac.authorization.k8s.io';

/** What a rule is for, by its resource. */
const reasonsFor = ({ issuer }: Config): Readonly<Record<string, string>> => ({
  leases: 'LEASE_NAME. RBAC cannot restrict create by name.',
  secrets: issuer.keepsCa
    ? 'SECRET_NAME and SECRET_NAME-ca.'
    : issuer.readsSource
      ? 'SECRET_NAME, and SOURCE_SECRET, which another program writes.'
      : 'SECRET_NAME, which another program writes.',
  pods: 'The replicas, selected by POD_SELECTOR, and the two annotations on the own Pod: see --with policy.',
  events: 'Events on the Lease and the Pods. Repeated Events are counted by a patch.',
});

const ruleOf = ({ apiGroup, resource, names, verbs }: Permission): Json => ({
  apiGroups: [apiGroup],
  resources: [resource],
  ...(names.length === 0 ? {} : { resourceNames: names }),
  verbs,
});

const roleOf = (
  { config }: InstallationSpec,
  kind: string,
  metadata: Manifest['object']['metadata'],
  granted: readonly Permission[],
): Manifest => {
  const reasons = reasonsFor(config);
  const comments: Record<string, string> = {};
  const explained = new Set<string>();
  granted.forEach(({ resource, namespace }, at) => {
    const reason = namespace === null ? 'CA_BUNDLE_TARGETS: one rule per type.' : reasons[resource];
    if (reason !== undefined && !explained.has(reason)) comments[`/rules/${at}`] = reason;
    explained.add(reason ?? '');
  });
  return manifest({ apiVersion: `${RBAC}/v1`, kind, metadata, rules: granted.map(ruleOf) }, comments);
};

const bindingOf = (
  { name: account, config: { namespace } }: InstallationSpec,
  kind: string,
  metadata: Manifest['object']['metadata'],
  role: string,
): Manifest =>
  manifest({
    apiVersion: `${RBAC}/v1`,
    kind: `${kind}Binding`,
    metadata,
    roleRef: { apiGroup: RBAC, kind, name: role },
    subjects: [{ kind: 'ServiceAccount', name: account, namespace }],
  });

/** Joins the permissions on several targets of one type into one, in the order of the types. */
const perType = (granted: readonly Permission[]): readonly Permission[] => {
  const byResource = new Map<string, Permission>();
  for (const each of granted) {
    const names = [...(byResource.get(each.resource)?.names ?? []), ...each.names];
    byResource.set(each.resource, { ...each, names });
  }
  return [...byResource].toSorted().map(([, each]) => each);
};

/** The service account of the replicas, and exactly the permissions that they use. */
export const access = (spec: InstallationSpec): readonly Manifest[] => {
  const { name, config } = spec;
  const granted = permissions(config, clusterPaths(config));
  const clusterWide = perType(granted.filter(({ namespace }) => namespace === null));
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: inNamespace(spec, name) };
  return [
    manifest({ ...account, automountServiceAccountToken: false }),
    roleOf(
      spec,
      'Role',
      inNamespace(spec, name),
      granted.filter(({ namespace }) => namespace !== null),
    ),
    bindingOf(spec, 'Role', inNamespace(spec, name), name),
    ...(clusterWide.length === 0
      ? []
      : [
          roleOf(spec, 'ClusterRole', inCluster(spec), clusterWide),
          bindingOf(spec, 'ClusterRole', inCluster(spec), clusterName(spec)),
        ]),
  ];
};
