import { access } from './access.ts';
import { certManager, networkPolicy, policy } from './additions.ts';
import type { Addition, InstallationSpec, Manifest } from './installation.ts';
import { monitoring } from './monitoring.ts';
import { namespace, webhookConfiguration } from './webhook-configuration.ts';
import { workload } from './workload.ts';
import { type Json, yamlDocument } from './yaml.ts';

const ADDED = { policy, monitoring, 'network-policy': networkPolicy } as const satisfies Readonly<
  Record<Addition, (spec: InstallationSpec) => readonly Manifest[]>
>;

/** Every object of an installation, in an order in which they can be applied. Pure. */
export const manifests = (spec: InstallationSpec): readonly Manifest[] => [
  ...(spec.createNamespace ? [namespace(spec)] : []),
  ...access(spec),
  ...(spec.withIssuer ? certManager(spec) : []),
  ...workload(spec),
  ...(spec.webhook === null ? [] : [webhookConfiguration(spec)]),
  ...spec.additions.flatMap((addition) => ADDED[addition](spec)),
];

/** One object as YAML, with its comments. */
export const manifestText = ({ object, comments }: Manifest): string =>
  yamlDocument(object as unknown as Json, comments);
