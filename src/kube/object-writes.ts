import type { KubeRequest } from './kube-request.ts';

/** New values of a Secret; null removes a key. */
export type SecretValues = Readonly<Record<string, string | null>>;

const encoded = (values: SecretValues): Readonly<Record<string, string | null>> =>
  Object.fromEntries(
    Object.entries(values).map(([key, value]) => [key, value === null ? null : Buffer.from(value).toString('base64')]),
  );

/** Requests that write an object, each with the resourceVersion it was decided on (L3) and under one field manager. */
export const objectWrites = {
  createSecret: (
    path: { readonly collection: string; readonly name: string },
    type: 'Opaque' | 'kubernetes.io/tls',
    values: Readonly<Record<string, string>>,
    fieldManager: string,
  ): KubeRequest => ({
    method: 'POST',
    path: path.collection,
    query: { fieldManager },
    body: { apiVersion: 'v1', kind: 'Secret', type, metadata: { name: path.name }, data: encoded(values) },
  }),

  patchSecret: (path: string, resourceVersion: string, values: SecretValues, fieldManager: string): KubeRequest => ({
    method: 'PATCH',
    path,
    query: { fieldManager },
    contentType: 'application/merge-patch+json',
    body: { metadata: { resourceVersion }, data: encoded(values) },
  }),

  /**
   * Sets fields by JSON pointer and nothing else. Replacing the resourceVersion makes the API server answer 409 when
   * the object, and with it the order of its webhooks, is no longer the one the pointers were made for.
   */
  setFields: (
    path: string,
    resourceVersion: string,
    fields: readonly { readonly pointer: string; readonly value: string }[],
    fieldManager: string,
  ): KubeRequest => ({
    method: 'PATCH',
    path,
    query: { fieldManager },
    contentType: 'application/json-patch+json',
    body: [
      { op: 'replace', path: '/metadata/resourceVersion', value: resourceVersion },
      ...fields.map(({ pointer, value }) => ({
        op: 'add',
        path: pointer,
        value: Buffer.from(value).toString('base64'),
      })),
    ],
  }),
};
