import { isDeepStrictEqual } from 'node:util';
import { fieldPaths } from './field-paths.ts';
import { fieldsV1 } from './fields-v1.ts';
import type { KubeObject, ManagedFieldsEntry } from './kube-object.ts';
import type { ResourceType } from './resource-types.ts';

export interface TrackedWrite {
  readonly type: ResourceType;
  readonly previous: KubeObject | null;
  readonly next: KubeObject;
  /** Who writes. */
  readonly manager: string;
  /** RFC 3339 in UTC with seconds. */
  readonly time: string;
}

const without = (paths: ReadonlySet<string>, taken: ReadonlySet<string>) =>
  new Set([...paths].filter((path) => !taken.has(path)));

/**
 * The managedFields after an update: what it added or changed belongs to its manager alone, what it removed to nobody.
 * The time of an entry moves only when its set of fields does, as in kube-apiserver.
 */
export const trackFields = (write: TrackedWrite): readonly ManagedFieldsEntry[] => {
  const { type, previous, next, manager, time } = write;
  const before = previous === null ? new Map<string, unknown>() : fieldPaths(type, previous);
  const after = fieldPaths(type, next);
  const taken = [...after]
    .filter(([path, value]) => !before.has(path) || !isDeepStrictEqual(before.get(path), value))
    .map(([path]) => path);
  const touched = new Set([...taken, ...[...before.keys()].filter((path) => !after.has(path))]);
  const entries = previous?.metadata.managedFields ?? [];

  const others = entries
    .filter((entry) => entry.manager !== manager)
    .map((entry) => ({ entry, paths: without(fieldsV1.decode(entry.fieldsV1), touched) }))
    .filter(({ paths }) => paths.size > 0)
    .map(({ entry, paths }) => ({ ...entry, fieldsV1: fieldsV1.encode(paths) }));

  const own = entries.find((entry) => entry.manager === manager);
  const held = own === undefined ? new Set<string>() : fieldsV1.decode(own.fieldsV1);
  const holds = new Set([...without(held, touched), ...taken]);
  const isMoved = own === undefined || !isDeepStrictEqual(holds, held);
  const mine: ManagedFieldsEntry = {
    manager,
    operation: 'Update',
    apiVersion: next.apiVersion,
    time: isMoved ? time : own.time,
    fieldsType: 'FieldsV1',
    fieldsV1: fieldsV1.encode(holds),
  };
  return [...others, ...(holds.size > 0 ? [mine] : [])].sort(
    (a, b) => a.time.localeCompare(b.time) || (a.manager < b.manager ? -1 : 1),
  );
};
