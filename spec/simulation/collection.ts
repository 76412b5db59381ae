import { Problem } from '../../streams/problem.ts';

export interface Entry<T> {
  readonly name: string;
  readonly uid: string;
  readonly version: number;
  readonly value: T;
}

export interface Change<T> {
  readonly type: 'applied' | 'deleted';
  /** As it stands now; of a deleted object its last state, under the version of its deletion. */
  readonly entry: Entry<T>;
}

export interface Written<T> {
  readonly by: string;
  readonly name: string;
  readonly before: T | null;
  readonly after: T | null;
  /** What it was written for, in the writer's words. */
  readonly why: string;
}

export interface Write {
  readonly by: string;
  readonly name: string;
  readonly why: string;
}

export interface Collection<T> {
  get(name: string): Entry<T> | null;
  list(): readonly Entry<T>[];
  /** @throws Problem 409 when it exists */
  create(write: Write, value: T): Entry<T>;
  /** @throws Problem 404, and 409 when a version is named and it is another one. */
  update(write: Write, version: string | null, change: (value: T) => T): Entry<T>;
  remove(write: Write): void;
  /** Null when the history no longer reaches back to it (410). */
  changesSince(version: number): readonly Change<T>[] | null;
  /** Forgets the history, as etcd's compaction does. */
  compact(): void;
  onChange(listener: (change: Change<T>) => void): () => void;
}

export interface Versions {
  /** The newest resourceVersion there is. */
  newest(): number;
  next(): number;
}

/** One kind of object in the API server: versions, conflicts, history. */
export const collection = <T>(versions: Versions, written: (change: Written<T>) => void): Collection<T> => {
  const entries = new Map<string, Entry<T>>();
  const listeners = new Set<(change: Change<T>) => void>();
  let changes: Change<T>[] = [];
  let compactedTo = 0;
  let uids = 0;

  const commit = ({ by, name, why }: Write, type: Change<T>['type'], entry: Entry<T>): Entry<T> => {
    const before = entries.get(name)?.value ?? null;
    if (type === 'applied') entries.set(name, entry);
    else entries.delete(name);
    const change = { type, entry };
    changes.push(change);
    written({ by, name, why, before, after: type === 'applied' ? entry.value : null });
    for (const listener of [...listeners]) listener(change);
    return entry;
  };

  return {
    get: (name) => entries.get(name) ?? null,
    list: () => [...entries.values()],
    create: (write, value) => {
      if (entries.has(write.name)) throw new Problem(`${write.name} exists`, 409);
      return commit(write, 'applied', { name: write.name, uid: `uid${++uids}`, version: versions.next(), value });
    },
    update: (write, version, change) => {
      const standing = entries.get(write.name);
      if (standing === undefined) throw new Problem(`${write.name} is not found`, 404);
      if (version !== null && version !== String(standing.version)) throw new Problem(`${write.name} has changed`, 409);
      const value = change(standing.value);
      // A write that changes nothing makes no version and no event; whether it may be sent at all is for the laws.
      if (JSON.stringify(value) === JSON.stringify(standing.value)) {
        written({ by: write.by, name: write.name, why: write.why, before: standing.value, after: standing.value });
        return standing;
      }
      return commit(write, 'applied', { ...standing, version: versions.next(), value });
    },
    remove: (write) => {
      const standing = entries.get(write.name);
      if (standing !== undefined) commit(write, 'deleted', { ...standing, version: versions.next() });
    },
    changesSince: (version) => (version < compactedTo ? null : changes.filter(({ entry }) => entry.version > version)),
    compact: () => {
      changes = [];
      compactedTo = versions.newest();
    },
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
};
