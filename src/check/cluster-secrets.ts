import type { X509Certificate } from 'node:crypto';
import { firstValueFrom, from, mergeMap, toArray } from 'rxjs';
import { readBundle } from '../certificates/pem.ts';
import { secretObject } from '../cluster/decode.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Backend } from './cluster-backends.ts';
import { get, type GetResult } from './get.ts';

/** A Secret with a serving certificate that Pods of a Service mount. */
export interface MountedCertificate {
  readonly secret: string;
  readonly leaf: X509Certificate;
  /** The Pods that mount it. */
  readonly pods: readonly string[];
  /** The Pods in which every mount of it is a subPath, which the kubelet never updates. */
  readonly subPathPods: readonly string[];
}

export interface MountedCertificates {
  readonly certificates: readonly MountedCertificate[];
  /** Why a Secret could not be read. */
  readonly problems: readonly string[];
}

const LEAF_KEYS = ['tls.crt', 'cert', 'cert.pem', 'server-cert.pem'] as const;

/** The leaf of a Secret under the keys that webhooks use; null when there is none. Keys are never looked at. */
const leafOf = (object: unknown): X509Certificate | null => {
  const { values } = secretObject(object);
  const [pem] = LEAF_KEYS.flatMap((key) => values[key] ?? []);
  return pem === undefined ? null : (readBundle(pem).certificates[0] ?? null);
};

/** Reads the Secrets that the Pods behind these Services mount, each once, and keeps their certificates only. */
export const readMountedCertificates = async (
  client: KubeClient,
  backends: readonly Backend[],
  concurrency: number,
): Promise<(backend: Backend) => MountedCertificates> => {
  const podsOf = ({ pods }: Backend) => (pods.state === 'there' ? pods.value : []);
  const keyOf = (namespace: string, name: string): string => `${namespace}/${name}`;
  const wanted = new Map(
    backends.flatMap((backend) =>
      podsOf(backend).flatMap(({ secrets }) =>
        secrets.map(({ name }) => {
          const { namespace } = backend.reference;
          return [keyOf(namespace, name), { namespace, name }] as const;
        }),
      ),
    ),
  );
  const read = async ([key, { namespace, name }]: readonly [
    string,
    { readonly namespace: string; readonly name: string },
  ]): Promise<readonly [string, GetResult<X509Certificate | null>]> => {
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets/${encodeURIComponent(name)}`;
    return [key, await get(client, path, leafOf)];
  };
  const leaves = new Map(await firstValueFrom(from([...wanted]).pipe(mergeMap(read, concurrency), toArray())));

  return (backend) => {
    const pods = podsOf(backend);
    const names = new Set(pods.flatMap(({ secrets }) => secrets.map(({ name }) => name)));
    const found = [...names].map((secret) => {
      const mounting = pods
        .map(({ name, secrets }) => ({ name, mounts: secrets.filter((each) => each.name === secret) }))
        .filter(({ mounts }) => mounts.length > 0);
      return {
        secret,
        leaf: leaves.get(keyOf(backend.reference.namespace, secret)),
        pods: mounting.map(({ name }) => name),
        subPathPods: mounting
          .filter(({ mounts }) => mounts.every(({ isSubPath }) => isSubPath))
          .map(({ name }) => name),
      };
    });
    return {
      certificates: found.flatMap(({ leaf, ...rest }) =>
        leaf?.state === 'there' && leaf.value !== null ? [{ ...rest, leaf: leaf.value }] : [],
      ),
      problems: found.flatMap(({ leaf }) =>
        leaf?.state === 'forbidden' || leaf?.state === 'failed' ? [leaf.why] : [],
      ),
    };
  };
};
