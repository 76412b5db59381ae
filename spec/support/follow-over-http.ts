import { setTimeout as sleep } from 'node:timers/promises';
import { Observable } from 'rxjs';
import type { KubeObject } from '../../src/dev-cluster/kube-object.ts';
import type { Follow } from '../../src/dev-cluster/object-store.ts';
import type { RawApi } from './raw-api.ts';

const pauseMs = 200;

/** Follows objects through any API server: a list, a watch from there, and both again whenever that ends. */
export const followOverHttp =
  (api: RawApi): Follow =>
  (resource, namespace, name) =>
    new Observable((subscriber) => {
      const path = `/api/v1/namespaces/${namespace}/${resource}?fieldSelector=metadata.name%3D${name}`;
      const watchOnce = async () => {
        const list = await api.get(path);
        subscriber.next((list.at('items', 0) ?? null) as KubeObject | null);
        const version = list.at('metadata', 'resourceVersion') as string;
        using watch = await api.watch(`${path}&resourceVersion=${version}&timeoutSeconds=600`);
        subscriber.add(() => watch[Symbol.dispose]());
        for (;;) {
          const { type, object } = await watch.next(600_000);
          if (type === 'ERROR') return;
          subscriber.next(type === 'DELETED' ? null : (object as unknown as KubeObject));
        }
      };
      const watchForEver = async () => {
        while (!subscriber.closed) {
          await watchOnce().catch(() => sleep(pauseMs));
        }
      };
      void watchForEver();
    });
