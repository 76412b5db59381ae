import { Observable } from 'rxjs';
import type { KubeObject } from './kube-object.ts';
import { type ResourceType, resourceTypes } from './resource-types.ts';

const keyOf = (type: ResourceType, namespace: string | null, name: string) =>
  `${type.group}/${type.resource}/${namespace ?? ''}/${name}`;

const keyOfObject = (type: ResourceType, { metadata }: KubeObject) =>
  keyOf(type, metadata.namespace ?? null, metadata.name);

const sorted = (
  objects: ReadonlyMap<string, KubeObject>,
  type: ResourceType,
  namespace: string | null,
): readonly KubeObject[] => {
  const prefix = keyOf(type, namespace, '');
  const start = namespace === null ? prefix.slice(0, -1) : prefix;
  const keys = [...objects.keys()].filter((key) => key.startsWith(start)).sort();
  return keys.flatMap((key) => objects.get(key) ?? []);
};

/**
 * Stores objects under one increasing resourceVersion, with the history of their changes. Writes are authorized and
 * validated before they reach it.
 */
export class ObjectStore {
  readonly #objects = new Map<string, KubeObject>();
  readonly #listeners = new Set<(change: Change) => void>();
  readonly #history: History;
  #revision = 0;

  constructor(historyLimit = 10_000) {
    this.#history = new History(historyLimit);
  }

  /** The resourceVersion of the newest change. */
  get revision(): number {
    return this.#revision;
  }

  get oldestRevision(): number {
    return this.#history.oldest;
  }

  get(type: ResourceType, namespace: string | null, name: string): KubeObject | undefined {
    return this.#objects.get(keyOf(type, namespace, name));
  }

  /** Objects sorted by namespace and name; without a namespace, those of all namespaces. */
  list(type: ResourceType, namespace: string | null): readonly KubeObject[] {
    return sorted(this.#objects, type, namespace);
  }

  /** The objects as they were at a revision, in the same order; null when the history does not reach back that far. */
  listAt(type: ResourceType, namespace: string | null, revision: number): readonly KubeObject[] | null {
    const later = this.#history.since(revision);
    if (later === null) return null;
    if (later.length === 0) return this.list(type, namespace);
    const objects = new Map(this.#objects);
    for (const { type: changed, previous, object } of later.toReversed()) {
      if (previous !== null) objects.set(keyOfObject(changed, previous), previous);
      else if (object !== null) objects.delete(keyOfObject(changed, object));
    }
    return sorted(objects, type, namespace);
  }

  /** Creates or replaces an object, and returns it with its new resourceVersion. */
  put(type: ResourceType, object: KubeObject): KubeObject {
    const key = keyOfObject(type, object);
    const stored = this.#stamped(object);
    const previous = this.#objects.get(key) ?? null;
    this.#objects.set(key, stored);
    this.#publish({ revision: this.#revision, type, previous, object: stored });
    return stored;
  }

  /** Removes an existing object. */
  delete(type: ResourceType, object: KubeObject): void {
    this.#objects.delete(keyOfObject(type, object));
    const previous = this.#stamped(object);
    this.#publish({ revision: this.#revision, type, previous, object: null });
  }

  /** The changes after a revision, or null when the history does not reach back that far. */
  since(revision: number): readonly Change[] | null {
    return this.#history.since(revision);
  }

  /**
   * Discards the history, so that every resourceVersion so far is too old to watch from. The revision advances, as it
   * does in a real cluster through writes to other objects.
   */
  compact(): void {
    this.#revision += 1;
    this.#history.forget(this.#revision);
  }

  /** Calls the listener synchronously for every later change, until the returned function is called. */
  subscribe(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #stamped(object: KubeObject): KubeObject {
    this.#revision += 1;
    return { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#revision) } };
  }

  #publish(change: Change): void {
    this.#history.append(change);
    for (const listener of [...this.#listeners]) listener(change);
  }
}

/** One write that changed an object. */
export interface Change {
  /** The resourceVersion of this write. */
  readonly revision: number;
  readonly type: ResourceType;
  /** The object before; null when it is new. */
  readonly previous: KubeObject | null;
  /** The object after; null when it is deleted. */
  readonly object: KubeObject | null;
}

/** A bounded history of the latest changes. Watches from before it are answered with 410. */
class History {
  readonly #limit: number;
  #changes: Change[] = [];
  #forgottenTo = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The first revision that a watch may start from. */
  get oldest(): number {
    return this.#forgottenTo;
  }

  append(change: Change): void {
    this.#changes.push(change);
    if (this.#changes.length > this.#limit) this.#forgottenTo = this.#changes.shift()?.revision ?? this.#forgottenTo;
  }

  /** All changes after a revision, or null when some of them are discarded. */
  since(revision: number): readonly Change[] | null {
    return revision < this.#forgottenTo ? null : this.#changes.filter((change) => change.revision > revision);
  }

  forget(toRevision: number): void {
    this.#changes = [];
    this.#forgottenTo = toRevision;
  }
}

/** Emits an object now and after every change; null while it does not exist. */
export type Follow = (resource: 'secrets' | 'pods', namespace: string, name: string) => Observable<KubeObject | null>;

/** Follows objects in the store itself, so it works while the server is stopped. */
export const followObject =
  (store: ObjectStore): Follow =>
  (resource, namespace, name) =>
    new Observable((subscriber) => {
      const type = resourceTypes.find((each) => each.group === '' && each.resource === resource);
      if (type === undefined) throw new TypeError(`no such resource: ${resource}`);
      subscriber.next(store.get(type, namespace, name) ?? null);
      return store.subscribe(({ type: changed, object, previous }) => {
        const metadata = (object ?? previous)?.metadata;
        if (changed === type && metadata?.name === name && metadata.namespace === namespace) subscriber.next(object);
      });
    });
