import { ObjectSerializer } from '@kubernetes/client-node/dist/gen/models/ObjectSerializer.js';
import type { Json } from '../support/raw-api.ts';
import type { Manifest } from './rendered.ts';

/** Goes through the models that are generated from Kubernetes' OpenAPI document: what they do not know is lost. */
export const asKubernetesReads = ({ kind, json }: Manifest): Json => {
  const model: unknown = ObjectSerializer.deserialize(json, `V1${kind}`, '');
  return JSON.parse(JSON.stringify(ObjectSerializer.serialize(model, `V1${kind}`, ''))) as Json;
};
