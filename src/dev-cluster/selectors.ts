import * as failures from './failures.ts';
import type { JsonObject, KubeObject } from './kube-object.ts';
import type { ResourceType } from './resource-types.ts';

/** Whether a list or watch contains an object. */
export type Match = (object: KubeObject) => boolean;

const valueAt = (object: JsonObject, dotted: string): string => {
  const found = dotted.split('.').reduce<unknown>((value, key) => (value as JsonObject | undefined)?.[key], object);
  return typeof found === 'string' ? found : '';
};

const requirement = (text: string): Match => {
  const parts =
    /^(?<absent>!)?\s*(?<key>[\w./-]+)(?:\s*(?<equals>==?|!=)\s*(?<value>[\w.-]*)|\s+(?<set>in|notin)\s*\((?<values>[^()]*)\))?$/.exec(
      text.trim(),
    )?.groups;
  if (parts?.['key'] === undefined) throw failures.badRequest(`unable to parse requirement: ${text}`);
  const { absent, equals, set, value } = parts;
  const key = parts['key'];
  const label: (object: KubeObject) => string | undefined = ({ metadata }) => metadata.labels?.[key];
  if (equals === '!=') return (object) => label(object) !== value;
  if (equals !== undefined) return (object) => label(object) === value;
  if (set === undefined) return (object) => (label(object) === undefined) === (absent !== undefined);
  const values = (parts['values'] ?? '').split(',').map((each) => each.trim());
  return (object) => values.includes(label(object) ?? '\0') === (set === 'in');
};

const fieldRequirement = (type: ResourceType, text: string): Match => {
  const parts = /^(?<field>[\w.]+)(?<operator>==?|!=)(?<value>.*)$/.exec(text)?.groups;
  const known = ['metadata.name', 'metadata.namespace', ...type.fieldLabels];
  const field = parts?.['field'];
  if (field === undefined) throw failures.badRequest(`invalid selector: '${text}'; can't understand '${text}'`);
  if (!known.includes(field)) {
    const only = known.map((each) => `"${each}"`).join(', ');
    throw failures.badRequest(`"${field}" is not a known field selector: only ${only}`);
  }
  return (object) => (valueAt(object, field) === parts?.['value']) === (parts?.['operator'] !== '!=');
};

const every =
  (matches: readonly Match[]): Match =>
  (object) =>
    matches.every((match) => match(object));

/** Parses `labelSelector` and `fieldSelector` of a query. @throws ApiFailure 400 */
export const selectors = (type: ResourceType, query: URLSearchParams): Match => {
  // A comma inside the brackets of `in (a,b)` separates values, not requirements.
  const labels = (query.get('labelSelector') ?? '').split(/,(?![^(]*\))/).filter((text) => text !== '');
  const fields = (query.get('fieldSelector') ?? '').split(',').filter((text) => text !== '');
  return every([...labels.map(requirement), ...fields.map((text) => fieldRequirement(type, text))]);
};
