import type { Json, JsonObject, KubeObject } from './kube-object.ts';
import type { ResourceType } from './resource-types.ts';

/** Fields nobody is said to own. */
const unowned = new Set(
  ['name', 'namespace', 'uid', 'resourceVersion', 'creationTimestamp', 'managedFields', 'generation', 'selfLink']
    .concat('deletionTimestamp', 'deletionGracePeriodSeconds')
    .map((key) => `metadata.${key}`)
    .concat('apiVersion', 'kind'),
);

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const childrenOf = (type: ResourceType, dotted: string, value: Json): readonly (readonly [string, string, Json])[] => {
  const key = type.keyedLists[dotted];
  if (key !== undefined && Array.isArray(value)) {
    const items = value as readonly JsonObject[];
    return items.map((item) => [`k:${JSON.stringify({ [key]: item[key] })}`, dotted, item]);
  }
  if (!isObject(value)) return [];
  return Object.entries(value).map(([name, each]) => [
    `f:${name}`,
    dotted === '' ? name : `${dotted}.${name}`,
    each ?? null,
  ]);
};

/**
 * Every field of an object by its path in the manner of FieldsV1, segments joined by a line break, with its value when
 * it has no fields of its own. Maps and keyed lists appear themselves, beside what they hold.
 */
export const fieldPaths = (type: ResourceType, object: KubeObject): ReadonlyMap<string, Json | undefined> => {
  const found = new Map<string, Json | undefined>();
  const visit = (path: readonly string[], dotted: string, value: Json) => {
    if (unowned.has(dotted)) return;
    const isContainer = isObject(value) || (type.keyedLists[dotted] !== undefined && Array.isArray(value));
    const isFixed = path.length === 0 || type.fixedParts.includes(dotted);
    if (!isFixed) found.set(path.join('\n'), isContainer ? undefined : value);
    if (!isContainer) return;
    for (const [segment, below, child] of childrenOf(type, dotted, value)) visit([...path, segment], below, child);
  };
  visit([], '', object);
  return found;
};
