import { distinctUntilChanged, map, merge, scan, startWith } from 'rxjs';
import type { Observable } from 'rxjs';
import type { Known } from './cluster-state.ts';
import { isOlderVersion } from './is-older-version.ts';
import type { WatchItem } from './resuming-watch.ts';

interface Versioned {
  readonly resourceVersion: string;
}

const isState = <T>(known: Known<T>): known is T => typeof known !== 'string';

/**
 * One object watched by name, as it stands: from its watch and from the answers to our own writes, whichever is newer.
 *
 *     watch    --F----L1-------a3--d-----
 *     written  -----------2--------------
 *     result   u-n----1---2----3---0-----     u unknown, n unreadable, 0 absent
 */
export const trackedObject = <T extends Versioned>(
  watch$: Observable<WatchItem<T>>,
  written$: Observable<T>,
): Observable<Known<T>> =>
  merge(watch$, written$.pipe(map((object) => ({ type: 'watch/applied', object }) as const))).pipe(
    scan((known: Known<T>, item): Known<T> => {
      if (item.type === 'watch/listed') return item.items[0] ?? 'absent';
      if (item.type === 'watch/failed') return known === 'unknown' ? 'unreadable' : known;
      if (item.type !== 'watch/applied' && item.type !== 'watch/deleted') return known;
      if (isState(known) && isOlderVersion(item.object.resourceVersion, known.resourceVersion)) return known;
      return item.type === 'watch/applied' ? item.object : 'absent';
    }, 'unknown'),
    startWith<Known<T>>('unknown'),
    distinctUntilChanged(),
  );
