import { firstValueFrom, from, mergeMap, toArray } from 'rxjs';
import * as z from 'zod';
import { Problem } from '../../streams/problem.ts';
import type { KubeClient } from '../kube/client.ts';
import { type Backend, type Endpoint, readBackends } from './cluster-backends.ts';
import { type Hook, HOOK_LISTS, namespaceOf, serverName } from './cluster-hooks.ts';
import { direct, probe, type ProbeResult, type Reach } from './cluster-probe.ts';
import { type MountedCertificates, readMountedCertificates } from './cluster-secrets.ts';
import { get, type GetResult, readList } from './get.ts';
import type { Labels } from './matching.ts';

/** One endpoint of a hook, and what it showed. */
export interface Probed {
  readonly endpoint: Endpoint;
  readonly result: ProbeResult;
}

export interface SurveyedHook {
  readonly hook: Hook;
  /** Null for a URL. */
  readonly backend: Backend | null;
  /** Every ready endpoint, or the host of the URL. */
  readonly probes: readonly Probed[];
  /** The labels of the Service's namespace; null for a URL. */
  readonly namespaceLabels: GetResult<Labels> | null;
  /** The certificates in the Secrets that the Pods mount; null unless they were asked for. */
  readonly mounted: MountedCertificates | null;
}

/** Everything that was read and dialled. Findings are a function of it. */
export interface Survey {
  readonly server: string;
  readonly version: string;
  /** The API server's clock, ms since the epoch. */
  readonly nowMs: number;
  readonly hooks: readonly SurveyedHook[];
  /** The lists that could not be read, and why: their hooks are missing. */
  readonly unreadable: readonly { readonly path: string; readonly why: string }[];
}

export interface SurveyOptions {
  readonly client: KubeClient;
  /** How the endpoints of Services are dialled. */
  readonly reach: Reach;
  /** Only hooks whose Service is in this namespace; null for all. */
  readonly namespace: string | null;
  /** Whether to read the Secrets that the Pods mount. */
  readonly secrets: boolean;
}

const versionSchema = z.object({ gitVersion: z.string() });
const labelsSchema = z.object({ metadata: z.object({ labels: z.record(z.string(), z.string()).nullish() }) });

/** Requests at once, as in cluster-backends.ts. */
const CONCURRENCY = 8;

const inTurns = <T, R>(items: readonly T[], concurrency: number, use: (item: T) => Promise<R>): Promise<R[]> =>
  firstValueFrom(from(items).pipe(mergeMap(use, concurrency), toArray()));

const readHooks = async (client: KubeClient): Promise<Pick<Survey, 'unreadable'> & { readonly hooks: Hook[] }> => {
  const lists = await Promise.all(
    HOOK_LISTS.map(async ({ path, hooksOf }) => ({ path, list: await readList(client, path, hooksOf) })),
  );
  return {
    hooks: lists.flatMap(({ list }) => (list.state === 'there' ? list.value.flat() : [])),
    // A cluster without aggregation has no APIServices.
    unreadable: lists.flatMap(({ path, list }) =>
      list.state === 'forbidden' || list.state === 'failed' ? [{ path, why: list.why }] : [],
    ),
  };
};

const readNamespaces = async (client: KubeClient, names: readonly string[]) =>
  new Map(
    await inTurns(names, CONCURRENCY, async (name) => {
      const path = `/api/v1/namespaces/${encodeURIComponent(name)}`;
      return [name, await get(client, path, (answer) => labelsSchema.parse(answer).metadata.labels ?? {})] as const;
    }),
  );

interface Dial {
  readonly key: string;
  readonly reach: Reach;
  readonly endpoint: Endpoint;
  readonly namespace: string;
  readonly servername: string;
}

const dialsOf = (hook: Hook, backend: Backend | null, reach: Reach): readonly Dial[] => {
  const { server } = hook;
  const servername = serverName(hook);
  const shared = { namespace: namespaceOf(hook) ?? '', servername };
  if (server.to === 'url') {
    const url = URL.parse(server.url);
    if (url?.protocol !== 'https:') return [];
    const endpoint = { address: servername, port: Number(url.port || 443), ready: true, pod: null };
    return [{ ...shared, key: `${servername} ${endpoint.port}`, reach: direct, endpoint }];
  }
  const endpoints = backend?.endpoints.state === 'there' ? backend.endpoints.value : [];
  return endpoints
    .filter(({ ready }) => ready)
    .map((endpoint) => ({
      ...shared,
      key: `${shared.namespace} ${servername} ${endpoint.address} ${endpoint.port}`,
      reach,
      endpoint,
    }));
};

/** Each address is dialled once under each name, however many hooks it serves. */
const dialAll = async (dials: readonly Dial[]): Promise<ReadonlyMap<string, ProbeResult>> => {
  const distinct = [...new Map(dials.map((dial) => [dial.key, dial])).values()];
  const reaches = [...new Set(distinct.map(({ reach }) => reach))];
  const results = await Promise.all(
    reaches.map((reach) =>
      inTurns(
        distinct.filter((dial) => dial.reach === reach),
        reach.concurrency,
        async ({ key, endpoint, namespace, servername }) =>
          [key, await probe(reach, endpoint, namespace, servername)] as const,
      ),
    ),
  );
  return new Map(results.flat());
};

/**
 * Reads every hook of a cluster with what stands behind it, and dials each ready endpoint. Changes nothing.
 *
 * @throws Problem when the API server does not answer
 */
export const surveyCluster = async (options: SurveyOptions): Promise<Survey> => {
  const { client, reach, namespace, secrets } = options;
  const version = await get(client, '/version', (answer) => versionSchema.parse(answer).gitVersion);
  if (version.state === 'failed') throw new Problem(version.why);
  const { hooks: all, unreadable } = await readHooks(client);
  const hooks = all.filter((hook) => namespace === null || namespaceOf(hook) === namespace);

  const references = hooks.flatMap(({ server }) => (server.to === 'service' ? [server.service] : []));
  const backendOf = await readBackends(client, references);
  const labels = await readNamespaces(client, [...new Set(references.map((each) => each.namespace))]);
  const backed = hooks.map((hook) => {
    const backend = hook.server.to === 'service' ? backendOf(hook.server.service) : null;
    return { hook, backend, dials: dialsOf(hook, backend, reach) };
  });
  const backends = backed.flatMap(({ backend }) => backend ?? []);
  const [results, mountedBehind] = await Promise.all([
    dialAll(backed.flatMap(({ dials }) => dials)),
    secrets ? readMountedCertificates(client, backends, CONCURRENCY) : null,
  ]);
  return {
    server: client.server,
    version: version.state === 'there' ? version.value : 'unknown version',
    nowMs: Date.now() + (client.clockSkewMs() ?? 0),
    unreadable,
    hooks: backed.map(({ hook, backend, dials }) => ({
      hook,
      backend,
      probes: dials.flatMap(({ key, endpoint }) => {
        const result = results.get(key);
        return result === undefined ? [] : [{ endpoint, result }];
      }),
      namespaceLabels: labels.get(namespaceOf(hook) ?? '') ?? null,
      mounted: backend === null ? null : (mountedBehind?.(backend) ?? null),
    })),
  };
};
