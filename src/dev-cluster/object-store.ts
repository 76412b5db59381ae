import { Observable } from 'rxjs';
import type { KubeObject } from './kube-object.ts';
import { type ResourceType, resourceTypes } from './resource-types.ts';

const keyOf = (type: ResourceType, namespace: string | null, name: string) =>
  `${type.group}/${type.resource}/${namespace ?? ''}/${name}`;

/**
 * What stands in the cluster: objects under one rising resourceVersion, and the changes that led there.
 * It stores what it is given; whether a write is allowed and sensible is decided before it gets here.
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

  /** In the order of namespace and name; without a namespace those of all. */
  list(type: ResourceType, namespace: string | null): readonly KubeObject[] {
    const prefix = keyOf(type, namespace, '');
    const start = namespace === null ? prefix.slice(0, -1) : prefix;
    const keys = [...this.#objects.keys()].filter((key) => key.startsWith(start)).sort();
    return keys.flatMap((key) => this.#objects.get(key) ?? []);
  }

  /** Creates or replaces, and returns the object with its new resourceVersion. */
  put(type: ResourceType, object: KubeObject): KubeObject {
    const key = keyOf(type, object.metadata.namespace ?? null, object.metadata.name);
    const stored = this.#stamped(object);
    const previous = this.#objects.get(key) ?? null;
    this.#objects.set(key, stored);
    this.#publish({ revision: this.#revision, type, previous, object: stored });
    return stored;
  }

  /** Removes an object that is there. */
  delete(type: ResourceType, object: KubeObject): void {
    this.#objects.delete(keyOf(type, object.metadata.namespace ?? null, object.metadata.name));
    const previous = this.#stamped(object);
    this.#publish({ revision: this.#revision, type, previous, object: null });
  }

  /** The changes after a revision, or null when that lies before what is remembered. */
  since(revision: number): readonly Change[] | null {
    return this.#history.since(revision);
  }

  /**
   * Forgets all changes, so that every resourceVersion so far is too old to watch from. In a real cluster something else
   * is always written meanwhile; here the version just moves on.
   */
  compact(): void {
    this.#revision += 1;
    this.#history.forget(this.#revision);
  }

  /** Calls back, in order and at once, for every change from now on, until the returned function is called. */
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

/** One write that changed something. */
export interface Change {
  /** The resourceVersion this write made. */
  readonly revision: number;
  readonly type: ResourceType;
  /** What stood before; null when the object is new. */
  readonly previous: KubeObject | null;
  /** What stands now; null when it is deleted. */
  readonly object: KubeObject | null;
}

/** The newest changes, bounded: what lies further back is forgotten and answered with 410. */
class History {
  readonly #limit: number;
  #changes: Change[] = [];
  #forgottenTo = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Watches may start here or later. */
  get oldest(): number {
    return this.#forgottenTo;
  }

  append(change: Change): void {
    this.#changes.push(change);
    if (this.#changes.length > this.#limit) this.#forgottenTo = this.#changes.shift()?.revision ?? this.#forgottenTo;
  }

  /** All changes after a revision, or null when some of them are forgotten. */
  since(revision: number): readonly Change[] | null {
    return revision < this.#forgottenTo ? null : this.#changes.filter((change) => change.revision > revision);
  }

  forget(toRevision: number): void {
    this.#changes = [];
    this.#forgottenTo = toRevision;
  }
}

/** One object by name: what it is at first, then what every change makes of it; null while it is not there. */
export type Follow = (resource: 'secrets' | 'pods', namespace: string, name: string) => Observable<KubeObject | null>;

/** Follows objects straight in the store, so even while the server is stopped. */
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
