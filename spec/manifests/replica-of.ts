import { type Config, parseConfig } from '../../src/config/config.ts';
import type { Json } from '../support/raw-api.ts';
import { type Manifest, only } from './rendered.ts';

interface EnvEntry {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly fieldRef: { readonly fieldPath: string } };
}

/** The daemon's container of a Deployment, and what the daemon in it reads. */
export interface ReplicaManifest {
  readonly deployment: Manifest;
  readonly pod: Readonly<Record<string, Json>>;
  readonly container: Readonly<Record<string, Json>>;
  readonly env: readonly EnvEntry[];
  readonly config: Config;
}

/** Reads the manifest as kubelet and daemon would; throws what the daemon would say of a bad configuration. */
export const replicaOf = (objects: readonly Manifest[]): ReplicaManifest => {
  const deployment = only(objects, 'Deployment');
  const fields: Readonly<Record<string, string>> = {
    'metadata.name': 'replica-0',
    'metadata.namespace': deployment.at('metadata', 'namespace') as string,
  };
  const template = ['spec', 'template', 'spec'] as const;
  const container = deployment.at(...template, 'containers', 0) as Readonly<Record<string, Json>>;
  const env = container['env'] as unknown as readonly EnvEntry[];
  const values = env.map(({ name, value, valueFrom }) => [name, value ?? fields[valueFrom?.fieldRef.fieldPath ?? '']]);
  const read = { namespace: () => null, hostname: () => 'nothing' };
  const parsed = parseConfig({
    env: Object.fromEntries(values) as Record<string, string>,
    flags: new Map(),
    serves: true,
    read,
  });
  if (!parsed.ok) throw new Error(parsed.problems.join('\n'));
  return {
    deployment,
    pod: deployment.at(...template) as Readonly<Record<string, Json>>,
    container,
    env,
    config: parsed.config,
  };
};
