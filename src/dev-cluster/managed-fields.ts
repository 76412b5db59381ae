import { isDeepStrictEqual } from 'node:util';
import type { Json, JsonObject, KubeObject, ManagedFieldsEntry } from './kube-object.ts';
import type { ResourceType } from './resource-types.ts';

interface TrackedWrite {
  readonly type: ResourceType;
  readonly previous: KubeObject | null;
  readonly next: KubeObject;
  /** The field manager that writes. */
  readonly manager: string;
  /** RFC 3339 in UTC with seconds. */
  readonly time: string;
}

const without = (paths: ReadonlySet<string>, taken: ReadonlySet<string>) =>
  new Set([...paths].filter((path) => !taken.has(path)));

/**
 * Computes managedFields after an update: added and changed fields belong to its manager alone, removed fields to none.
 * The time of an entry changes only together with its set of fields, as in kube-apiserver.
 */
export const trackFields = (write: TrackedWrite): readonly ManagedFieldsEntry[] => {
  const { type, previous, next, manager, time } = write;
  const before = previous === null ? new Map<string, unknown>() : fieldPaths(type, previous);
  const after = fieldPaths(type, next);
  const taken = [...after]
    .filter(([path, value]) => !before.has(path) || !isDeepStrictEqual(before.get(path), value))
    .map(([path]) => path);
  const changed = new Set([...taken, ...[...before.keys()].filter((path) => !after.has(path))]);
  const entries = previous?.metadata.managedFields ?? [];

  const others = entries
    .filter((entry) => entry.manager !== manager)
    .map((entry) => ({ entry, paths: without(decodeFieldsV1(entry.fieldsV1), changed) }))
    .filter(({ paths }) => paths.size > 0)
    .map(({ entry, paths }) => ({ ...entry, fieldsV1: encodeFieldsV1(paths) }));

  const own = entries.find((entry) => entry.manager === manager);
  const ownedBefore = own === undefined ? new Set<string>() : decodeFieldsV1(own.fieldsV1);
  const owned = new Set([...without(ownedBefore, changed), ...taken]);
  const isMoved = own === undefined || !isDeepStrictEqual(owned, ownedBefore);
  const mine: ManagedFieldsEntry = {
    manager,
    operation: 'Update',
    apiVersion: next.apiVersion,
    time: isMoved ? time : own.time,
    fieldsType: 'FieldsV1',
    fieldsV1: encodeFieldsV1(owned),
  };
  return [...others, ...(owned.size > 0 ? [mine] : [])].sort(
    (a, b) => a.time.localeCompare(b.time) || (a.manager < b.manager ? -1 : 1),
  );
};

/** Fields without an owner. */
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
 * Maps the path of every field, with FieldsV1 segments joined by a line break, to its value if it is a leaf. Maps and
 * keyed lists have an entry of their own.
 */
const fieldPaths = (type: ResourceType, object: KubeObject): ReadonlyMap<string, Json | undefined> => {
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

interface Tree {
  [segment: string]: Tree;
}

/** Encodes a set of field paths (segments joined by a line break) as FieldsV1, where `.` is the part itself. */
export const encodeFieldsV1 = (paths: Iterable<string>): JsonObject => {
  const members = new Set(paths);
  const root: Tree = {};
  for (const path of [...members].sort()) {
    path.split('\n').reduce<Tree>((node, segment) => (node[segment] ??= {}), root);
  }
  const withDots = (node: Tree, path: string): Tree => {
    const below = Object.entries(node).map(
      ([segment, child]) => [segment, withDots(child, path === '' ? segment : `${path}\n${segment}`)] as const,
    );
    const own = members.has(path) && below.length > 0 ? [['.', {}] as const] : [];
    return Object.fromEntries([...own, ...below]);
  };
  return withDots(root, '');
};

/** Decodes FieldsV1 to a set of field paths. */
export const decodeFieldsV1 = (fields: JsonObject, path = ''): ReadonlySet<string> => {
  const entries = Object.entries(fields as Tree);
  if (path !== '' && entries.length === 0) return new Set([path]);
  const below = entries.map(([segment, child]) =>
    segment === '.' ? new Set([path]) : decodeFieldsV1(child, path === '' ? segment : `${path}\n${segment}`),
  );
  return new Set(below.flatMap((each) => [...each]));
};
