import * as z from 'zod';
import * as failures from './failures.ts';
import { apiVersion, type JsonObject, type KubeObject, omit } from './kube-object.ts';
import type { ObjectStore } from './object-store.ts';
import type { ResourceType } from './resource-types.ts';
import type { ResourceRequest } from './route.ts';

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

/** Where the next page begins. */
interface Place {
  /** The resourceVersion of all pages; -1: whatever is newest. */
  readonly revision: number;
  /** The namespace and name of the last object of the page before. */
  readonly after: string;
}

const placeOf = ({ metadata }: KubeObject): string => `${metadata.namespace ?? ''}/${metadata.name}`;

const tokenSchema = z.object({ revision: z.int(), after: z.string() });

const encode = (place: Place): string => Buffer.from(JSON.stringify(place)).toString('base64url');

const decode = (token: string): Place => {
  try {
    return tokenSchema.parse(JSON.parse(Buffer.from(token, 'base64url').toString()));
  } catch {
    throw failures.badRequest(`continue key is not valid: ${token}`);
  }
};

const limitOf = (query: URLSearchParams): number => {
  const text = query.get('limit') ?? '';
  if (!/^\d*$/.test(text)) throw failures.badRequest(`strconv.ParseInt: parsing "${text}": invalid syntax`);
  // A list at version 0 comes from a cache, which has no pages.
  return query.get('resourceVersion') === '0' ? 0 : Number(text);
};

/**
 * Lists objects, page by page where the query has a limit: all pages of one list are as of the resourceVersion of the
 * first. The items carry no kind: the list does.
 *
 * @throws ApiFailure 400; 410 when the history does not reach back to that version
 */
export const listObjects = (store: ObjectStore, { type, namespace, query }: ResourceRequest): JsonObject => {
  const limit = limitOf(query);
  const token = query.get('continue') ?? '';
  const from = token === '' ? null : decode(token);
  const version = query.get('resourceVersion') ?? '';
  if (from !== null && version !== '' && version !== '0')
    throw failures.badRequest('specifying resource version is not allowed when using continue');

  const revision = from === null || from.revision < 0 ? store.revision : from.revision;
  const objects = store.listAt(type, namespace, revision);
  if (objects === null) throw failures.pageExpired(encode({ revision: -1, after: from?.after ?? '' }));

  const rest =
    from === null ? objects : objects.slice(objects.findLastIndex((each) => placeOf(each) <= from.after) + 1);
  const found = rest.filter(selectors(type, query));
  const page = limit === 0 ? found : found.slice(0, limit);
  const last = page.at(-1);
  const isCut = last !== undefined && page.length < found.length;
  const isSelected = ['labelSelector', 'fieldSelector'].some((selector) => (query.get(selector) ?? '') !== '');
  return {
    kind: `${type.kind}List`,
    apiVersion: apiVersion(type),
    metadata: {
      resourceVersion: String(revision),
      ...(isCut && { continue: encode({ revision, after: placeOf(last) }) }),
      ...(isCut && !isSelected && { remainingItemCount: found.length - page.length }),
    },
    items: page.map((object) => omit(object, 'kind', 'apiVersion')),
  };
};
