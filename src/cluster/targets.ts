import * as z from 'zod/mini';
import { managedFieldsSchema, otherFieldManager } from '../kube/managed-fields.ts';

export type TargetType =
  'validatingwebhookconfiguration' | 'mutatingwebhookconfiguration' | 'customresourcedefinition' | 'apiservice';

/** One caBundle field: where it is, and the PEM it holds. */
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

/** Where each type lives and where its caBundle fields are. */
const COLLECTIONS: Readonly<Record<TargetType, string>> = {
  validatingwebhookconfiguration: '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations',
  mutatingwebhookconfiguration: '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations',
  customresourcedefinition: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
  apiservice: '/apis/apiregistration.k8s.io/v1/apiservices',
};

const configSchema = z.looseObject({ caBundle: z.nullish(z.string()) });

const objectSchema = z.object({
  metadata: z.object({
    resourceVersion: z.string().check(z.minLength(1)),
    managedFields: managedFieldsSchema,
  }),
  webhooks: z.nullish(z.array(z.object({ clientConfig: z.nullish(configSchema) }))),
  spec: z.nullish(
    z.object({
      caBundle: z.nullish(z.string()),
      service: z.optional(z.unknown()),
      conversion: z.nullish(
        z.object({
          strategy: z.nullish(z.string()),
          webhook: z.nullish(z.object({ clientConfig: z.nullish(configSchema) })),
        }),
      ),
    }),
  ),
});

type Parsed = z.infer<typeof objectSchema>;

const decode = (base64: string | null | undefined): string => Buffer.from(base64 ?? '', 'base64').toString('latin1');

const field = (pointer: string, base64: string | null | undefined): CaBundleField => ({ pointer, pem: decode(base64) });

const fieldsOf = (type: TargetType, { webhooks, spec }: Parsed): readonly CaBundleField[] => {
  switch (type) {
    case 'validatingwebhookconfiguration':
    case 'mutatingwebhookconfiguration':
      return (webhooks ?? []).flatMap(({ clientConfig }, at) =>
        clientConfig == null ? [] : [field(`/webhooks/${at}/clientConfig/caBundle`, clientConfig.caBundle)],
      );
    case 'customresourcedefinition': {
      const config = spec?.conversion?.webhook?.clientConfig;
      return config == null ? [] : [field('/spec/conversion/webhook/clientConfig/caBundle', config.caBundle)];
    }
    case 'apiservice':
      return spec?.service == null ? [] : [field('/spec/caBundle', spec.caBundle)];
  }
};

export const targetPath = (type: TargetType): string => COLLECTIONS[type];

/** @throws ZodError when it is nothing with a caBundle. */
export const targetObject =
  (type: TargetType, ourManager: string) =>
  (object: unknown): TargetObject => {
    const parsed = objectSchema.parse(object);
    return {
      resourceVersion: parsed.metadata.resourceVersion,
      fields: fieldsOf(type, parsed),
      otherManager: otherFieldManager(parsed.metadata.managedFields, ourManager, 'f:caBundle'),
    };
  };
