import type { Json } from './raw-api.ts';

const collection = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';

/** A ValidatingWebhookConfiguration for specs, whose one webhook is never called unless it is given other rules. */
export const webhookTarget = {
  collection,
  path: (name: string): string => `${collection}/${name}`,
  /** @param parts of the webhook that are to be other than here */
  body: (name: string, parts: Readonly<Record<string, Json>> = {}): Json => ({
    metadata: { name },
    webhooks: [
      {
        name: 'first.webhook-certd.dev',
        admissionReviewVersions: ['v1'],
        sideEffects: 'None',
        clientConfig: { url: 'https://localhost:1/validate' },
        rules: [
          {
            apiGroups: ['spec.webhook-certd.dev'],
            apiVersions: ['v1'],
            operations: ['CREATE'],
            resources: ['nothings'],
          },
        ],
        ...parts,
      },
    ],
  }),
};
