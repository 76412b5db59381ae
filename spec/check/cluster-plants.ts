import { expect } from 'chai';
import type { FindingId } from '../../src/check/cluster-finding.ts';
import type { HookStatus } from '../../src/check/cluster-report.ts';
import type { ApiUnderTest } from '../support/api-under-test.ts';
import type { Json } from '../support/raw-api.ts';

/** One address behind the Service of a plant. */
export interface PlantedEndpoint {
  readonly port: number;
  readonly ready?: boolean;
  /** The Secret that its Pod mounts. */
  readonly secret?: string;
}

/** A hook with everything behind it, and what the report must say of it. */
export interface Plant {
  readonly name: string;
  readonly kind?: 'validating' | 'mutating' | 'conversion' | 'apiservice';
  /** PEM; null for none. */
  readonly bundle: string | null;
  readonly endpoints?: readonly PlantedEndpoint[];
  /** Null for none. */
  readonly service?: { readonly port: number } | null;
  readonly url?: string;
  readonly webhook?: Readonly<Record<string, Json>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** The field manager that writes it. */
  readonly manager?: string;
  readonly skipsVerification?: boolean;
  readonly status: HookStatus;
  readonly findings: readonly FindingId[];
  /** Secrets in the namespace: the certificate of each, PEM. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** The findings with `--secrets`; the same. */
  readonly withSecrets?: readonly FindingId[];
  /** What the first finding says, in part. */
  readonly says?: string | RegExp;
  /** When it fails, in days from now; not checked where it is absent. */
  readonly failsInDays?: number;
}

export const NAMESPACE = 'plants';

export const serviceName = (plant: string): string => `${plant}.${NAMESPACE}.svc`;

/** The id under which the report lists a plant. */
export const idOf = ({ name, kind = 'validating' }: Plant): string => {
  if (kind === 'conversion') return `conversion/${name}s.${name}.plants.test`;
  return kind === 'apiservice' ? `apiservice/v1.${name}.plants.test` : `${kind}/${name}/${name}.plants.test`;
};

const encoded = (pem: string): string => Buffer.from(pem).toString('base64');

const clientConfig = ({ name, bundle, url }: Plant): Json => ({
  ...(url === undefined ? { service: { name, namespace: NAMESPACE, port: 443, path: '/' } } : { url }),
  ...(bundle === null ? {} : { caBundle: encoded(bundle) }),
});

const ADMISSION = '/apis/admissionregistration.k8s.io/v1';

/** The object that names the hook, and the path of its collection. Its rules match nothing that exists. */
const hookObject = (plant: Plant): readonly [path: string, body: Json] => {
  const { name, kind = 'validating', annotations = {}, webhook = {}, skipsVerification = false, bundle } = plant;
  if (kind === 'conversion') {
    const schema = { openAPIV3Schema: { type: 'object' } };
    const version = { name: 'v1', served: true, storage: true, schema };
    return [
      '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
      {
        metadata: { name: `${name}s.${name}.plants.test`, annotations },
        spec: {
          group: `${name}.plants.test`,
          scope: 'Namespaced',
          names: { plural: `${name}s`, singular: name, kind: 'Plant', listKind: 'PlantList' },
          versions: [version],
          conversion: {
            strategy: 'Webhook',
            webhook: { conversionReviewVersions: ['v1'], clientConfig: clientConfig(plant) },
          },
        },
      },
    ];
  }
  if (kind === 'apiservice')
    return [
      '/apis/apiregistration.k8s.io/v1/apiservices',
      {
        metadata: { name: `v1.${name}.plants.test`, annotations },
        spec: {
          group: `${name}.plants.test`,
          version: 'v1',
          groupPriorityMinimum: 1000,
          versionPriority: 15,
          service: { name, namespace: NAMESPACE, port: 443 },
          ...(skipsVerification ? { insecureSkipTLSVerify: true } : {}),
          ...(bundle === null ? {} : { caBundle: encoded(bundle) }),
        },
      },
    ];
  const rule = {
    operations: ['CREATE'],
    apiGroups: ['nothing.plants.test'],
    apiVersions: ['v1'],
    resources: ['things'],
  };
  return [
    `${ADMISSION}/${kind}webhookconfigurations`,
    {
      metadata: { name, annotations },
      webhooks: [
        {
          name: `${name}.plants.test`,
          admissionReviewVersions: ['v1'],
          sideEffects: 'None',
          failurePolicy: 'Fail',
          rules: [rule],
          clientConfig: clientConfig(plant),
          ...webhook,
        },
      ],
    },
  ];
};

const pod = ({ name }: Plant, at: number, { secret }: PlantedEndpoint): Json => ({
  metadata: { name: `${name}-${at}`, labels: { app: name } },
  spec: {
    containers: [
      {
        name: 'webhook',
        image: 'webhook:1',
        ...(secret === undefined ? {} : { volumeMounts: [{ name: 'certs', mountPath: '/certs' }] }),
      },
    ],
    ...(secret === undefined ? {} : { volumes: [{ name: 'certs', secret: { secretName: secret } }] }),
  },
});

/** Documentation addresses: an API server refuses slices with those of the loopback. The spec dials the loopback. */
const documented = (at: number): string => `198.51.100.${at + 1}`;

const slice = (
  { name, endpoints = [] }: Plant,
  at: number,
  { port, ready = true }: PlantedEndpoint,
  { isV1, addressOf }: { readonly isV1: boolean; readonly addressOf: (at: number) => string },
): Json => ({
  metadata: { name: `${name}-${at}`, labels: { 'kubernetes.io/service-name': name } },
  ...(isV1 ? {} : { apiVersion: 'discovery.k8s.io/v1beta1', kind: 'EndpointSlice' }),
  addressType: 'IPv4',
  ports: [{ name: 'https', port, protocol: 'TCP' }],
  endpoints: [
    {
      addresses: [addressOf(at)],
      conditions: { ready },
      targetRef: { kind: 'Pod', name: `${name}-${Math.min(at, endpoints.length - 1)}`, namespace: NAMESPACE },
    },
  ],
});

const sliceVersion = async ({ admin }: ApiUnderTest): Promise<'v1' | 'v1beta1'> => {
  const { status } = await admin.get('/apis/discovery.k8s.io/v1');
  return status === 200 ? 'v1' : 'v1beta1';
};

/** Creates everything behind the plants, and the hooks themselves last. */
export const plantAll = async (api: ApiUnderTest, plants: readonly Plant[], addressOf = documented): Promise<void> => {
  const { admin } = api;
  const root = `/api/v1/namespaces/${NAMESPACE}`;
  const create = async (path: string, body: Json): Promise<void> => {
    const answer = await admin.post(path, body);
    expect(answer.status, `${path}: ${answer.text}`).to.equal(201);
  };
  const version = await sliceVersion(api);
  const slices = `/apis/discovery.k8s.io/${version}/namespaces/${NAMESPACE}/endpointslices`;
  for (const plant of plants.filter(({ url }) => url === undefined)) {
    const { name, service = { port: 443 }, endpoints = [] } = plant;
    if (service === null) continue;
    const ports = [{ name: 'https', port: service.port, targetPort: 8443 }];
    await create(`${root}/services`, { metadata: { name }, spec: { selector: { app: name }, ports } });
    for (const [at, endpoint] of endpoints.entries()) {
      await create(`${root}/pods`, pod(plant, at, endpoint));
      const ready = { type: 'Ready', status: endpoint.ready === false ? 'False' : 'True' };
      await admin.patch('merge', `${root}/pods/${name}-${at}/status`, { status: { conditions: [ready] } });
      await create(slices, slice(plant, at, endpoint, { isV1: version === 'v1', addressOf }));
    }
  }
  for (const [name, pem] of plants.flatMap(({ secrets = {} }) => Object.entries(secrets))) {
    const data = { 'tls.crt': encoded(pem), 'tls.key': encoded('no key') };
    await create(`${root}/secrets`, { metadata: { name }, data });
  }
  for (const plant of plants) {
    const [path, body] = hookObject(plant);
    await create(`${path}?fieldManager=${plant.manager ?? 'operator'}`, body);
  }
};
