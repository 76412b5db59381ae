import * as z from 'zod/mini';
import type { Config } from '../config/config.ts';
import type { TargetType } from '../config/types.ts';
import { FIELD_MANAGER, managedFieldsSchema, otherFieldManager } from '../kube/managed-fields.ts';
import { hostOf } from '../util/ip.ts';

export type { TargetType } from '../config/types.ts';

/** One caBundle field: its place in the object, and the PEM in it. */
export interface CaBundleField {
  /** JSON pointer of the field. */
  readonly pointer: string;
  /** Empty when the field is absent or empty. */
  readonly pem: string;
}

interface TargetObject {
  readonly resourceVersion: string;
  readonly fields: readonly CaBundleField[];
  /** The field manager other than ours that wrote a caBundle last; null when there is none. */
  readonly otherManager: string | null;
}

/** Names of the Service that this installation serves. */
export type OwnService = Pick<Config, 'serviceName' | 'namespace' | 'serviceNames'>;

const serviceSchema = z.nullish(z.object({ name: z.nullish(z.string()), namespace: z.nullish(z.string()) }));

const clientSchema = z.nullish(
  z.looseObject({ caBundle: z.nullish(z.string()), service: serviceSchema, url: z.nullish(z.string()) }),
);

const objectSchema = z.object({
  metadata: z.object({
    resourceVersion: z.string().check(z.minLength(1)),
    managedFields: managedFieldsSchema,
  }),
  webhooks: z.nullish(z.array(z.object({ clientConfig: clientSchema }))),
  spec: z.nullish(
    z.object({
      caBundle: z.nullish(z.string()),
      service: serviceSchema,
      conversion: z.nullish(
        z.object({ strategy: z.nullish(z.string()), webhook: z.nullish(z.object({ clientConfig: clientSchema })) }),
      ),
    }),
  ),
});

type Parsed = z.infer<typeof objectSchema>;

/** One server that the API server calls, with the place of the bundle that it verifies the call by. */
interface Call {
  readonly pointer: string;
  readonly client: NonNullable<z.infer<typeof clientSchema>>;
}

interface TargetRow {
  /** Path of the collection; its last two parts are the API version and the resource of RBAC. */
  readonly collection: string;
  readonly calls: (object: Parsed) => readonly Call[];
}

const webhookCalls = ({ webhooks }: Parsed): readonly Call[] =>
  (webhooks ?? []).flatMap(({ clientConfig }, at) =>
    clientConfig == null ? [] : [{ pointer: `/webhooks/${at}/clientConfig/caBundle`, client: clientConfig }],
  );

/** Every type of caBundle target. Configuration, permissions and `check` derive from it: a new type is a row here. */
const TARGETS = {
  validatingwebhookconfiguration: {
    collection: '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations',
    calls: webhookCalls,
  },
  mutatingwebhookconfiguration: {
    collection: '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations',
    calls: webhookCalls,
  },
  customresourcedefinition: {
    collection: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
    calls: ({ spec }) => {
      const client = spec?.conversion?.webhook?.clientConfig;
      return client == null ? [] : [{ pointer: '/spec/conversion/webhook/clientConfig/caBundle', client }];
    },
  },
  apiservice: {
    collection: '/apis/apiregistration.k8s.io/v1/apiservices',
    calls: ({ spec }) =>
      spec?.service == null
        ? []
        : [{ pointer: '/spec/caBundle', client: { caBundle: spec.caBundle, service: spec.service } }],
  },
} as const satisfies Readonly<Record<TargetType, TargetRow>>;

/** A webhook on the API server's own host, as in development, has no Service whose bundle could be another program's. */
const LOOPBACK_HOSTS = ['localhost', '127.0.0.1', '::1'];

/** The server of a call, as its object names it. */
type Callee = Pick<NonNullable<z.infer<typeof clientSchema>>, 'service' | 'url'>;

/**
 * Whether a call goes to this installation: to its Service, or to a URL whose host is one of the names in its leaf. One
 * object may hold webhooks of several Services, each with a bundle of its own; writing ours there would break the others.
 */
export const isOwnCall = ({ serviceName, namespace, serviceNames }: OwnService, { service, url }: Callee): boolean => {
  if (service != null)
    return (service.name ?? serviceName) === serviceName && (service.namespace ?? namespace) === namespace;
  if (url == null) return true;
  return URL.canParse(url) && [...serviceNames, ...LOOPBACK_HOSTS].includes(hostOf(new URL(url)));
};

export const targetPath = (type: TargetType): string => TARGETS[type].collection;

/**
 * Decodes an object of a type with the caBundle fields that belong to a Service.
 *
 * @param service null for the fields of every Service
 * @throws ZodError when it has no caBundle
 */
export const targetObject =
  (type: TargetType, service: OwnService | null) =>
  (object: unknown): TargetObject => {
    const parsed = objectSchema.parse(object);
    const row: TargetRow = TARGETS[type];
    const fields = row
      .calls(parsed)
      .filter((call) => service === null || isOwnCall(service, call.client))
      .map(({ pointer, client }) => ({
        pointer,
        pem: Buffer.from(client.caBundle ?? '', 'base64').toString('latin1'),
      }));
    return {
      resourceVersion: parsed.metadata.resourceVersion,
      fields,
      otherManager: otherFieldManager(parsed.metadata.managedFields, FIELD_MANAGER, 'f:caBundle'),
    };
  };
