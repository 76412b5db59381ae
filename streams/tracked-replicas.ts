import { map, scan, startWith } from 'rxjs';
import type { Observable } from 'rxjs';
import type { Observed } from './cluster-state.ts';
import { isRefusal } from './is-refusal.ts';
import type { Replica } from './model.ts';
import type { WatchItem } from './watch-item.ts';

type Seen = ReadonlyMap<string, Replica> | 'unknown' | 'unreadable';

/**
 * The Pods of POD_SELECTOR as they stand.
 *
 *     watch    --L(a,b)---a'-----d(b)--
 *     result   u-[a,b]----[a',b]-[a']--
 */
export const trackedReplicas = (watch$: Observable<WatchItem<Replica>>): Observable<Observed['replicas']> =>
  watch$.pipe(
    scan((seen: Seen, item): Seen => {
      if (item.type === 'watch/listed') return new Map(item.items.map((replica) => [replica.name, replica]));
      if (item.type === 'watch/failed') return seen === 'unknown' && isRefusal(item) ? 'unreadable' : seen;
      if (item.type !== 'watch/applied' && item.type !== 'watch/deleted') return seen;
      const next = new Map(typeof seen === 'string' ? [] : seen);
      if (item.type === 'watch/applied') next.set(item.object.name, item.object);
      else next.delete(item.object.name);
      return next;
    }, 'unknown'),
    map((seen) => (typeof seen === 'string' ? seen : [...seen.values()])),
    startWith<Observed['replicas']>('unknown'),
  );
