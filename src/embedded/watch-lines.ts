import type { Change } from './history.ts';
import type { JsonObject, KubeObject } from './kube-object.ts';
import type { ResourceType } from './resource-types.ts';
import type { Match } from './selectors.ts';
import { apiVersion } from './api-version.ts';

/** One line of a watch response. */
export interface WatchLine extends JsonObject {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: JsonObject;
}

const at = (object: KubeObject, revision: number): KubeObject => ({
  ...object,
  metadata: { ...object.metadata, resourceVersion: String(revision) },
});

/**
 * What a change looks like through a selector, or null when it does not show. An object that stops matching is shown
 * DELETED as it last matched, under the resourceVersion of the change.
 */
const changed = (change: Change, match: Match): WatchLine | null => {
  const { previous, object, revision } = change;
  const wasShown = previous !== null && match(previous);
  if (object !== null && match(object)) return { type: wasShown ? 'MODIFIED' : 'ADDED', object };
  return wasShown ? { type: 'DELETED', object: at(previous, revision) } : null;
};

const bookmark = (type: ResourceType, revision: number): WatchLine => ({
  type: 'BOOKMARK',
  object: {
    kind: type.kind,
    apiVersion: apiVersion(type),
    metadata: { resourceVersion: String(revision), creationTimestamp: null },
  },
});

/** The lines a watch can say. */
export const watchLines = { changed, bookmark };
