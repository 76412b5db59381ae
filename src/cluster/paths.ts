import type { Config } from '../config/config.ts';
import { type OwnService, targetPath, type TargetType } from './targets.ts';

export interface NamedPath {
  readonly collection: string;
  readonly name: string;
  readonly path: string;
}

export interface TargetPath extends NamedPath {
  readonly id: string;
  readonly type: TargetType;
}

export interface ClusterPaths {
  readonly lease: NamedPath;
  readonly secret: NamedPath;
  readonly ca: NamedPath;
  /** The Secret into which another program issues; null where the issuer reads none. */
  readonly source: NamedPath | null;
  readonly pods: string;
  readonly pod: string;
  readonly events: string;
  readonly targets: readonly TargetPath[];
  /** The Service whose caBundles are maintained. */
  readonly service: OwnService;
  /** The Service for which the leader issues; null where another program writes the Secret. */
  readonly issuesFor: OwnService | null;
  /** The names that a relayed certificate must carry; null where none is relayed. */
  readonly relaysFor: readonly string[] | null;
  /** @param id `TYPE/NAME` as in CA_BUNDLE_TARGETS */
  target(id: string): TargetPath;
}

const named = (collection: string, name: string): NamedPath => ({
  collection,
  name,
  path: `${collection}/${encodeURIComponent(name)}`,
});

/** Computes the API paths of the objects of one installation: all by name, the Pods by selector. */
export const clusterPaths = (config: Config): ClusterPaths => {
  const namespace = encodeURIComponent(config.namespace);
  const secrets = `/api/v1/namespaces/${namespace}/secrets`;
  const pods = `/api/v1/namespaces/${namespace}/pods`;
  const targets = config.caBundleTargets.map(({ type, name }) => ({
    id: `${type}/${name}`,
    type,
    ...named(targetPath(type), name),
  }));
  const byId = new Map(targets.map((target) => [target.id, target]));
  return {
    lease: named(`/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`, config.leaseName),
    secret: named(secrets, config.secretName),
    ca: named(secrets, `${config.secretName}-ca`),
    source: config.sourceSecret === null ? null : named(secrets, config.sourceSecret),
    pods,
    pod: `${pods}/${encodeURIComponent(config.identity)}`,
    events: `/api/v1/namespaces/${namespace}/events`,
    targets,
    service: config,
    issuesFor: config.issuer.writesSecret ? config : null,
    relaysFor: config.issuer.readsSource ? config.requiredNames : null,
    target: (id) => {
      const target = byId.get(id);
      if (target === undefined) throw new Error(`no target is called ${id}`);
      return target;
    },
  };
};
