import { Observable } from 'rxjs';
import type { KubeObject } from './kube-object.ts';
import type { ObjectStore } from './object-store.ts';
import { resourceTypes } from './resource-types.ts';

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
