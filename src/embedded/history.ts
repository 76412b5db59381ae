import type { KubeObject } from './kube-object.ts';
import type { ResourceType } from './resource-types.ts';

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
export class History {
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
