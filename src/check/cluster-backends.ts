import { firstValueFrom, from, mergeMap, toArray } from 'rxjs';
import * as z from 'zod';
import type { KubeClient } from '../kube/client.ts';
import type { ServiceReference } from './cluster-hooks.ts';
import { get, type GetResult, readList } from './get.ts';
import { podVolumes, secretNamesOf, sidecarsOf, statusesOf } from './inspect-pod.ts';
import type { Labels } from './matching.ts';

/** One address that the Service sends connections to. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
  readonly ready: boolean;
  /** The Pod with this address in the namespace of the Service, null when it is none. */
  readonly pod: string | null;
}

interface ServicePort {
  readonly name: string;
  readonly port: number;
}

interface ServiceInfo {
  readonly ports: readonly ServicePort[];
  readonly selector: Readonly<Record<string, string>>;
  /** The host of a Service of type ExternalName, else null. */
  readonly externalName: string | null;
  /** `IPv4` or `IPv6`: the family that the Service's own address has. Null before Kubernetes 1.20. */
  readonly family: string | null;
}

/** What stands behind a Service. */
export interface Backend {
  readonly reference: ServiceReference;
  readonly service: GetResult<ServiceInfo>;
  /** The endpoints at the referenced port. Empty when the Service has no such port. */
  readonly endpoints: GetResult<readonly Endpoint[]>;
  /** The Pods that the Service selects. */
  readonly pods: GetResult<readonly BackendPod[]>;
}

const serviceSchema = z
  .object({
    spec: z.object({
      type: z.string().nullish(),
      externalName: z.string().nullish(),
      selector: z.record(z.string(), z.string()).nullish(),
      ipFamilies: z.array(z.string()).nullish(),
      ports: z.array(z.object({ name: z.string().nullish(), port: z.number() })).nullish(),
    }),
  })
  .transform(({ spec }): ServiceInfo => ({
    ports: (spec.ports ?? []).map(({ name, port }) => ({ name: name ?? '', port })),
    selector: spec.selector ?? {},
    externalName: spec.type === 'ExternalName' ? (spec.externalName ?? null) : null,
    family: spec.ipFamilies?.[0] ?? null,
  }));

const podReference = z.object({ kind: z.string().nullish(), name: z.string().nullish() }).nullish();
const ports = z.array(z.object({ name: z.string().nullish(), port: z.number().nullish() })).nullish();
const sliceSchema = z.object({
  addressType: z.string(),
  ports,
  endpoints: z
    .array(
      z.object({
        addresses: z.array(z.string()),
        conditions: z.object({ ready: z.boolean().nullish() }).nullish(),
        targetRef: podReference,
      }),
    )
    .nullish(),
});
const addresses = z.array(z.object({ ip: z.string(), targetRef: podReference })).nullish();
const endpointsSchema = z.object({
  subsets: z.array(z.object({ addresses, notReadyAddresses: addresses, ports })).nullish(),
});

type Reference = z.infer<typeof podReference>;

const podOf = (reference: Reference): string | null => (reference?.kind === 'Pod' ? (reference.name ?? null) : null);

const portsNamed = (given: z.infer<typeof ports>, name: string): readonly number[] =>
  (given ?? []).flatMap((each) => (each.port != null && (each.name ?? '') === name ? [each.port] : []));

/** A Pod has one address in each family and may be in two slices while a change is being written. */
const unique = (endpoints: readonly Endpoint[]): readonly Endpoint[] => [
  ...new Map(endpoints.map((each) => [`${each.address} ${each.port}`, each])).values(),
];

const ofSlices = (slices: readonly z.infer<typeof sliceSchema>[], name: string, family: string | null) => {
  const own = slices.filter(({ addressType }) => addressType === family);
  return unique(
    (own.length > 0 ? own : slices).flatMap((slice) =>
      portsNamed(slice.ports, name).flatMap((port) =>
        (slice.endpoints ?? []).flatMap(({ addresses: all, conditions, targetRef }) =>
          // The others of one endpoint are of no use: kube-proxy takes the first.
          all.slice(0, 1).map((address) => ({
            address,
            port,
            ready: conditions?.ready !== false,
            pod: podOf(targetRef),
          })),
        ),
      ),
    ),
  );
};

const ofEndpoints = ({ subsets }: z.infer<typeof endpointsSchema>, name: string): readonly Endpoint[] =>
  unique(
    (subsets ?? []).flatMap((subset) =>
      portsNamed(subset.ports, name).flatMap((port) =>
        [subset.addresses, subset.notReadyAddresses].flatMap((given, at) =>
          (given ?? []).map(({ ip, targetRef }) => ({ address: ip, port, ready: at === 0, pod: podOf(targetRef) })),
        ),
      ),
    ),
  );

/** `v1` since Kubernetes 1.21, `v1beta1` from 1.17 to 1.24. */
const SLICE_VERSIONS = ['v1', 'v1beta1'] as const;
const SERVICE_LABEL = 'kubernetes.io/service-name';

/** Services at once, with two requests each: few enough for the API server's priority and fairness limits. */
const CONCURRENCY = 8;

const keyOf = ({ namespace, name, port }: ServiceReference): string => `${namespace}/${name}:${port}`;

/** Reads what stands behind Services, each once. */
export const readBackends = async (
  client: KubeClient,
  references: readonly ServiceReference[],
): Promise<(reference: ServiceReference) => Backend> => {
  /** A cluster either has an API or not: what the first answer says counts for the rest. */
  const absent = new Set<string>();

  const readEndpoints = async (
    { namespace, name }: ServiceReference,
    portName: string,
    family: string | null,
  ): Promise<GetResult<readonly Endpoint[]>> => {
    for (const version of SLICE_VERSIONS.filter((each) => !absent.has(each))) {
      const path = `/apis/discovery.k8s.io/${version}/namespaces/${encodeURIComponent(namespace)}/endpointslices`;
      const slices = await readList(client, path, (item) => sliceSchema.parse(item), {
        labelSelector: `${SERVICE_LABEL}=${name}`,
      });
      if (slices.state === 'there') return { state: 'there', value: ofSlices(slices.value, portName, family) };
      if (slices.state !== 'absent') return slices;
      absent.add(version);
    }
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/endpoints/${encodeURIComponent(name)}`;
    const endpoints = await get(client, path, (answer) => ofEndpoints(endpointsSchema.parse(answer), portName));
    return endpoints.state === 'absent' ? { state: 'there', value: [] } : endpoints;
  };

  const readBackend = async (reference: ServiceReference): Promise<Backend> => {
    const { namespace, name, port } = reference;
    const root = `/api/v1/namespaces/${encodeURIComponent(namespace)}`;
    const service = await get(client, `${root}/services/${encodeURIComponent(name)}`, (answer) =>
      serviceSchema.parse(answer),
    );
    const nothing = { state: 'there', value: [] } as const;
    if (service.state !== 'there') return { reference, service, endpoints: nothing, pods: nothing };
    const { selector, ports: servicePorts, externalName, family } = service.value;
    if (externalName !== null) {
      const value = [{ address: externalName, port, ready: true, pod: null }];
      return { reference, service, endpoints: { state: 'there', value }, pods: nothing };
    }
    const found = servicePorts.find((each) => each.port === port);
    const labelSelector = Object.entries(selector)
      .map(([key, value]) => `${key}=${value}`)
      .join(',');
    const [endpoints, pods] = await Promise.all([
      found === undefined ? nothing : readEndpoints(reference, found.name, family),
      labelSelector === '' ? nothing : readList(client, `${root}/pods`, inspectBackendPod, { labelSelector }),
    ]);
    return { reference, service, endpoints, pods };
  };

  const distinct = new Map(references.map((reference) => [keyOf(reference), reference]));
  const backends = await firstValueFrom(
    from([...distinct.values()]).pipe(mergeMap(readBackend, CONCURRENCY), toArray()),
  );
  const byKey = new Map(backends.map((backend) => [keyOf(backend.reference), backend]));
  return (reference) => {
    const backend = byKey.get(keyOf(reference));
    if (backend === undefined) throw new Error(`no backend was read for ${keyOf(reference)}`);
    return backend;
  };
};

const text = z.string().nullish();
const container = z.object({
  restartPolicy: text,
  volumeMounts: z.array(z.object({ name: z.string(), subPath: text, subPathExpr: text })).nullish(),
});
const containerStatuses = z
  .array(z.object({ state: z.object({ waiting: z.object({ reason: text }).nullish() }).nullish() }))
  .nullish();
const podSchema = z.object({
  metadata: z.object({ name: z.string(), labels: z.record(z.string(), z.string()).nullish() }),
  spec: z.object({
    containers: z.array(container),
    initContainers: z.array(container).nullish(),
    volumes: podVolumes,
  }),
  status: z.object({ initContainerStatuses: containerStatuses, containerStatuses }).nullish(),
});

/** A Secret that a Pod mounts. */
interface MountedSecret {
  readonly name: string;
  /** Whether every mount of it is a subPath, which the kubelet never updates. */
  readonly isSubPath: boolean;
}

/** A Pod behind a Service of a hook. */
interface BackendPod {
  readonly name: string;
  readonly labels: Labels;
  readonly secrets: readonly MountedSecret[];
  /** The kubelet's reason why a container is not running; null when all are. */
  readonly problem: string | null;
}

type Parsed = z.infer<typeof podSchema>;

/** The Secrets that containers mount, native sidecars among them. */
const secretsOf = (spec: Parsed['spec']): readonly MountedSecret[] => {
  const mounts = [...spec.containers, ...sidecarsOf(spec)].flatMap(({ volumeMounts }) => volumeMounts ?? []);
  return (spec.volumes ?? []).flatMap((volume) => {
    const own = mounts.filter(({ name }) => name === volume.name);
    const isSubPath = own.every(({ subPath, subPathExpr }) => Boolean(subPath) || Boolean(subPathExpr));
    return own.length === 0 ? [] : secretNamesOf(volume).map((name) => ({ name, isSubPath }));
  });
};

/** Reads a Pod behind a Service. @throws ZodError for anything but a Pod */
const inspectBackendPod = (object: unknown): BackendPod => {
  const { metadata, spec, status } = podSchema.parse(object);
  const [waiting] = statusesOf(status).flatMap(({ state }) => state?.waiting ?? []);
  return {
    name: metadata.name,
    labels: metadata.labels ?? {},
    secrets: secretsOf(spec),
    problem: waiting?.reason ?? null,
  };
};
