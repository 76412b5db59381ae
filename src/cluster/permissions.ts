import type { Config } from '../config/config.ts';
import type { ClusterPaths } from './paths.ts';

/** One RBAC rule that this installation needs. */
export interface Permission {
  readonly apiGroup: string;
  readonly resource: string;
  readonly verbs: readonly string[];
  /** Empty where RBAC cannot restrict by name: a create, and the Pods that a selector finds. */
  readonly names: readonly string[];
  /** Null: at the cluster's scope. */
  readonly namespace: string | null;
}

/** Parses group and plural of a collection: `/api/v1/namespaces/ns/secrets` or `/apis/GROUP/v1/PLURAL`. */
const subjectOf = (collection: string): { readonly apiGroup: string; readonly resource: string } => {
  const parts = collection.split('/');
  return { apiGroup: parts[1] === 'api' ? '' : (parts[2] ?? ''), resource: parts.at(-1) ?? '' };
};

const WATCHED = ['get', 'list', 'watch'];

/** Lists every permission that a replica with this configuration uses: the manifests grant them, `check` verifies them. */
export const permissions = (config: Config, paths: ClusterPaths): readonly Permission[] => {
  const { namespace } = config;
  const inNamespace = (collection: string, verbs: readonly string[], names: readonly string[] = []): Permission => ({
    ...subjectOf(collection),
    verbs,
    names,
    namespace,
  });
  const { lease, secret, ca: authority, source, pods, events, targets } = paths;
  const written = config.issuer.keepsCa ? [secret.name, authority.name] : [secret.name];
  return [
    inNamespace(lease.collection, [...WATCHED, 'patch'], [lease.name]),
    inNamespace(lease.collection, ['create']),
    ...(config.issuer.writesSecret
      ? [inNamespace(secret.collection, [...WATCHED, 'patch'], written), inNamespace(secret.collection, ['create'])]
      : [inNamespace(secret.collection, WATCHED, [secret.name])]),
    ...(source === null ? [] : [inNamespace(source.collection, WATCHED, [source.name])]),
    inNamespace(pods, ['list', 'watch']),
    { ...inNamespace(pods, ['patch']), resource: 'pods/status' },
    inNamespace(events, ['create', 'patch']),
    ...targets.map(({ collection, name }) => ({
      ...subjectOf(collection),
      verbs: [...WATCHED, 'patch'],
      names: [name],
      namespace: null,
    })),
  ];
};
