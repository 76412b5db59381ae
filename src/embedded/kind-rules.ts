import { isDeepStrictEqual } from 'node:util';
import type { Cause } from './api-failure.ts';
import type { JsonObject, KubeObject } from './kube-object.ts';

type Rule = (next: KubeObject, previous: KubeObject | null) => readonly Cause[];

const cause =
  (reason: Cause['reason'], prefix: string) =>
  (field: string, why?: string): Cause => ({
    reason,
    message: why === undefined ? prefix : `${prefix}: ${why}`,
    field,
  });

const invalid = (field: string, value: unknown, why: string) =>
  cause('FieldValueInvalid', `Invalid value: ${JSON.stringify(value)}`)(field, why);
const required = cause('FieldValueRequired', 'Required value');
const forbidden = cause('FieldValueForbidden', 'Forbidden');

const part = (object: KubeObject | JsonObject | null, key: string): JsonObject =>
  (object?.[key] as JsonObject | undefined) ?? {};

const lease: Rule = (next) => {
  const { leaseDurationSeconds: duration = 1, leaseTransitions: transitions = 0 } = part(next, 'spec') as {
    readonly leaseDurationSeconds?: number;
    readonly leaseTransitions?: number;
  };
  return [
    ...(duration > 0 ? [] : [invalid('spec.leaseDurationSeconds', duration, 'must be greater than 0')]),
    ...(transitions >= 0 ? [] : [invalid('spec.leaseTransitions', transitions, 'must to greater or equal than 0')]),
  ];
};

const configKey = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'";

const secret: Rule = (next, previous) => {
  const content = part(next, 'data');
  const needed = next['type'] === 'kubernetes.io/tls' ? ['tls.crt', 'tls.key'] : [];
  const isSealed = previous?.['immutable'] === true;
  return [
    ...Object.keys(content)
      .filter((key) => !/^[-._a-zA-Z0-9]+$/.test(key))
      .map((key) => invalid(`data[${key}]`, key, configKey)),
    ...needed.filter((key) => content[key] === undefined).map((key) => required(`data[${key}]`)),
    ...(previous === null || previous['type'] === next['type']
      ? []
      : [invalid('type', next['type'], 'field is immutable')]),
    ...['immutable', 'data']
      .filter((key) => isSealed && !isDeepStrictEqual(next[key], previous[key]))
      .map((key) => forbidden(key, 'field is immutable when `immutable` is set')),
  ];
};

const webhooks: Rule = (next) =>
  ((next['webhooks'] ?? []) as readonly JsonObject[]).flatMap((webhook, index) => {
    const at = `webhooks[${index}]`;
    const { name, sideEffects, admissionReviewVersions } = webhook as { readonly name: string } & JsonObject;
    const config = part(webhook, 'clientConfig');
    const threeSegments = 'should be a domain with at least three segments separated by dots';
    return [
      ...(name.split('.').length >= 3 ? [] : [invalid(`${at}.name`, name, threeSegments)]),
      ...(sideEffects === undefined ? [required(`${at}.sideEffects`, 'must specify one of None, NoneOnDryRun')] : []),
      ...((config['url'] === undefined) === (config['service'] === undefined)
        ? [required(`${at}.clientConfig`, 'exactly one of url or service is required')]
        : []),
      ...(admissionReviewVersions === undefined
        ? [required(`${at}.admissionReviewVersions`, 'must specify one of v1, v1beta1')]
        : []),
    ];
  });

const pod: Rule = (next, previous) => {
  const spec = part(next, 'spec');
  const unpictured = ({ containers, ...rest }: JsonObject) => ({
    ...rest,
    containers: ((containers ?? []) as readonly JsonObject[]).map((container) => ({ ...container, image: '' })),
  });
  const isChanged = previous !== null && !isDeepStrictEqual(unpictured(spec), unpictured(part(previous, 'spec')));
  return [
    ...(spec['containers'] === undefined ? [required('spec.containers')] : []),
    ...(isChanged
      ? [forbidden('spec', 'pod updates may not change fields other than `spec.containers[*].image`')]
      : []),
  ];
};

const event: Rule = ({ metadata, ...next }) => {
  // What has no namespace itself, such as a webhook configuration, has its events in `default`.
  const namespace = part(next, 'involvedObject')['namespace'] ?? 'default';
  if (namespace === metadata.namespace) return [];
  return [
    invalid(
      'involvedObject.namespace',
      part(next, 'involvedObject')['namespace'] ?? '',
      'does not match event.namespace',
    ),
  ];
};

/** What kube-apiserver checks in each kind, as far as this project writes it. Takes what stood before, if anything. */
export const kindRules: Readonly<Record<string, Rule>> = {
  leases: lease,
  secrets: secret,
  pods: pod,
  events: event,
  validatingwebhookconfigurations: webhooks,
  mutatingwebhookconfigurations: webhooks,
};
