import type { Cause } from './api-failure.ts';
import type { KubeObject, ObjectMeta } from './kube-object.ts';
import { kindRules } from './kind-rules.ts';
import type { ResourceType } from './resource-types.ts';

const subdomain = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;
const qualifiedName = /^(?:[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const labelValue = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;

/** All annotations of an object together, as kube-apiserver has it. */
const annotationsLimitBytes = 262_144;

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
  return subdomain.test(metadata.name) ? [] : [invalid('metadata.name', metadata.name, why)];
};

const wordCauses = ({ metadata }: KubeObject): readonly Cause[] => {
  const { labels = {}, annotations = {} } = metadata;
  const keys = (field: string, words: object) =>
    Object.keys(words)
      .filter((key) => !qualifiedName.test(key))
      .map((key) => invalid(field, key, 'a qualified name must consist of alphanumeric characters'));
  const sizeBytes = Object.entries(annotations).reduce((sum, [key, text]) => sum + key.length + text.length, 0);
  return [
    ...keys('metadata.labels', labels),
    ...Object.values(labels)
      .filter((value) => !labelValue.test(value))
      .map((value) =>
        invalid(
          'metadata.labels',
          value,
          'a valid label must be an empty string or consist of alphanumeric characters',
        ),
      ),
    ...keys('metadata.annotations', annotations),
    ...(sizeBytes > annotationsLimitBytes
      ? [invalid('metadata.annotations', '', 'Too long: must have at most 262144 bytes')]
      : []),
  ];
};

/** What a client may send along but never change. */
const immutableCauses = (next: ObjectMeta, previous: ObjectMeta): readonly Cause[] =>
  (['uid', 'creationTimestamp'] as const)
    .filter((key) => next[key] !== undefined && next[key] !== previous[key])
    .map((key) => invalid(`metadata.${key}`, next[key] ?? '', 'field is immutable'));

/** Everything wrong with an object that is to be created, or to follow a previous one. Empty when it may be stored. */
export const validateObject = (type: ResourceType, next: KubeObject, previous: KubeObject | null): readonly Cause[] => [
  ...nameCauses(next),
  ...wordCauses(next),
  ...(previous === null ? [] : immutableCauses(next.metadata, previous.metadata)),
  ...(kindRules[type.resource]?.(next, previous) ?? []),
];
