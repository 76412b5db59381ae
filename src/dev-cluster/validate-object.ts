import { isDeepStrictEqual } from 'node:util';
import type { Cause } from './failures.ts';
import type { JsonObject, KubeObject, ObjectMeta } from './kube-object.ts';
import type { ResourceType } from './resource-types.ts';

const SUBDOMAIN = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;
const QUALIFIED_NAME = /^(?:[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const LABEL_VALUE = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;

/** Limit of all annotations of an object together, as in kube-apiserver. */
const ANNOTATIONS_LIMIT_BYTES = 262_144;

const invalid = (field: string, value: string, why: string): Cause => ({
  reason: 'FieldValueInvalid',
  message: `Invalid value: ${JSON.stringify(value)}: ${why}`,
  field,
});

const nameCauses = ({ metadata }: KubeObject): readonly Cause[] => {
  if (metadata.name === '') {
    const message = 'Required value: name or generateName is required';
    return [{ reason: 'FieldValueRequired', message, field: 'metadata.name' }];
  }
  const why = 'a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, - or .';
  return SUBDOMAIN.test(metadata.name) ? [] : [invalid('metadata.name', metadata.name, why)];
};

const wordCauses = ({ metadata }: KubeObject): readonly Cause[] => {
  const { labels = {}, annotations = {} } = metadata;
  const keys = (field: string, words: object) =>
    Object.keys(words)
      .filter((key) => !QUALIFIED_NAME.test(key))
      .map((key) => invalid(field, key, 'a qualified name must consist of alphanumeric characters'));
  const sizeBytes = Object.entries(annotations).reduce((sum, [key, text]) => sum + key.length + text.length, 0);
  return [
    ...keys('metadata.labels', labels),
    ...Object.values(labels)
      .filter((value) => !LABEL_VALUE.test(value))
      .map((value) =>
        invalid(
          'metadata.labels',
          value,
          'a valid label must be an empty string or consist of alphanumeric characters',
        ),
      ),
    ...keys('metadata.annotations', annotations),
    ...(sizeBytes > ANNOTATIONS_LIMIT_BYTES
      ? [invalid('metadata.annotations', '', 'Too long: must have at most 262144 bytes')]
      : []),
  ];
};

/** Fields that a client may send but not change. */
const immutableCauses = (next: ObjectMeta, previous: ObjectMeta): readonly Cause[] =>
  (['uid', 'creationTimestamp'] as const)
    .filter((key) => next[key] !== undefined && next[key] !== previous[key])
    .map((key) => invalid(`metadata.${key}`, next[key] ?? '', 'field is immutable'));

/** Validates an object that is created, or replaces a previous one. Empty when it is valid. */
export const validateObject = (type: ResourceType, next: KubeObject, previous: KubeObject | null): readonly Cause[] => [
  ...nameCauses(next),
  ...wordCauses(next),
  ...(previous === null ? [] : immutableCauses(next.metadata, previous.metadata)),
  ...(kindRules[type.resource]?.(next, previous) ?? []),
];

type Rule = (next: KubeObject, previous: KubeObject | null) => readonly Cause[];

const cause =
  (reason: Cause['reason'], prefix: string) =>
  (field: string, why?: string): Cause => ({
    reason,
    message: why === undefined ? prefix : `${prefix}: ${why}`,
    field,
  });

const invalidValue = (field: string, value: unknown, why: string) =>
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
    ...(duration > 0 ? [] : [invalidValue('spec.leaseDurationSeconds', duration, 'must be greater than 0')]),
    ...(transitions >= 0
      ? []
      : [invalidValue('spec.leaseTransitions', transitions, 'must to greater or equal than 0')]),
  ];
};

const CONFIG_KEY = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'";

const secret: Rule = (next, previous) => {
  const content = part(next, 'data');
  const needed = next['type'] === 'kubernetes.io/tls' ? ['tls.crt', 'tls.key'] : [];
  const isSealed = previous?.['immutable'] === true;
  return [
    ...Object.keys(content)
      .filter((key) => !/^[-._a-zA-Z0-9]+$/.test(key))
      .map((key) => invalidValue(`data[${key}]`, key, CONFIG_KEY)),
    ...needed.filter((key) => content[key] === undefined).map((key) => required(`data[${key}]`)),
    ...(previous === null || previous['type'] === next['type']
      ? []
      : [invalidValue('type', next['type'], 'field is immutable')]),
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
      ...(name.split('.').length >= 3 ? [] : [invalidValue(`${at}.name`, name, threeSegments)]),
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
  const withoutImages = ({ containers, ...rest }: JsonObject) => ({
    ...rest,
    containers: ((containers ?? []) as readonly JsonObject[]).map((container) => ({ ...container, image: '' })),
  });
  const isChanged = previous !== null && !isDeepStrictEqual(withoutImages(spec), withoutImages(part(previous, 'spec')));
  return [
    ...(spec['containers'] === undefined ? [required('spec.containers')] : []),
    ...(isChanged
      ? [forbidden('spec', 'pod updates may not change fields other than `spec.containers[*].image`')]
      : []),
  ];
};

const event: Rule = ({ metadata, ...next }) => {
  // Events of cluster-scoped objects, such as webhook configurations, are in `default`.
  const namespace = part(next, 'involvedObject')['namespace'] ?? 'default';
  if (namespace === metadata.namespace) return [];
  return [
    invalidValue(
      'involvedObject.namespace',
      part(next, 'involvedObject')['namespace'] ?? '',
      'does not match event.namespace',
    ),
  ];
};

const apiService: Rule = (next) => {
  const { caBundle, insecureSkipTLSVerify } = part(next, 'spec');
  return insecureSkipTLSVerify === true && caBundle !== undefined
    ? [invalidValue('spec.insecureSkipTLSVerify', true, 'may not be true if caBundle is present')]
    : [];
};

/** Validation of each kind, as in kube-apiserver, for the fields that this project writes. */
const kindRules: Readonly<Record<string, Rule>> = {
  leases: lease,
  secrets: secret,
  pods: pod,
  events: event,
  apiservices: apiService,
  validatingwebhookconfigurations: webhooks,
  mutatingwebhookconfigurations: webhooks,
};
