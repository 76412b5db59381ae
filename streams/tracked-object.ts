import { distinctUntilChanged, map, merge, type Observable, scan, startWith } from 'rxjs';
import type { WatchItem } from './events.ts';
import { isOlderVersion, isPermanentRejection } from './kubernetes.ts';
import type { Replica } from './model.ts';
import type { Observed, ObservedTarget, PlannerInput, TargetState } from './planner-input.ts';

interface Versioned {
  readonly resourceVersion: string;
}

interface Fold<T> {
  readonly known: Observed<T> | 'unreadable';
  /** The newest version seen: of the object, of its deletion or of the list. Empty before the first one. */
  readonly version: string;
}

const isState = <T>(known: Fold<T>['known']): known is T => typeof known !== 'string';

/** The same version read twice is one observation; a version older than the deletion is none. */
const isNews = <T extends Versioned>({ known, version }: Fold<T>, { resourceVersion }: T): boolean =>
  !isOlderVersion(resourceVersion, version) && !(isState(known) && known.resourceVersion === resourceVersion);

const isGone = <T extends Versioned>({ known }: Fold<T>, { resourceVersion }: T): boolean =>
  !(isState(known) && isOlderVersion(resourceVersion, known.resourceVersion));

const tracked = <T extends Versioned, Failed extends 'pending' | 'unreadable'>(
  watch$: Observable<WatchItem<T>>,
  written$: Observable<T>,
  /** What the object is after a first list that failed in a way that may pass. */
  whenFailed: Failed,
): Observable<Observed<T> | Failed> =>
  merge(watch$, written$.pipe(map((object) => ({ type: 'watch/applied', object }) as const))).pipe(
    scan(
      (fold: Fold<T>, item): Fold<T> => {
        if (item.type === 'watch/listed') return { known: item.items[0] ?? 'absent', version: item.resourceVersion };
        if (item.type === 'watch/failed') {
          if (fold.known !== 'pending' && fold.known !== 'unreadable') return fold;
          return { ...fold, known: isPermanentRejection(item) ? 'forbidden' : whenFailed };
        }
        if (item.type !== 'watch/applied' && item.type !== 'watch/deleted') return fold;
        const { object } = item;
        if (item.type === 'watch/applied')
          return isNews(fold, object) ? { known: object, version: object.resourceVersion } : fold;
        return isGone(fold, object) ? { known: 'absent', version: object.resourceVersion } : fold;
      },
      { known: 'pending', version: '' },
    ),
    map(({ known }) => known as Observed<T> | Failed),
    startWith<Observed<T> | Failed>('pending'),
    distinctUntilChanged(),
  );

/**
 * The current state of one object watched by name: from its watch and from the responses to our own writes, whichever is
 * newer.
 *
 *     watch    --F----L1-------a3--d4----
 *     written  -----------2----------3---
 *     result   u-n----1---2----3---0-----     u pending, n forbidden, 0 absent
 *
 * Only a permanent rejection makes it `forbidden`: after any other failure it stays `pending`, and decisions wait.
 */
export const trackedObject = <T extends Versioned>(
  watch$: Observable<WatchItem<T>>,
  written$: Observable<T>,
): Observable<Observed<T>> => tracked(watch$, written$, 'pending');

/**
 * The current state of a target, which is `pending` only until the first answer, good or bad: one target that cannot be
 * read must not delay the others (L9).
 *
 *     watch    --F----L1-----
 *     result   u-x----1------     u pending, x unreadable
 */
export const trackedTarget = (
  watch$: Observable<WatchItem<TargetState>>,
  written$: Observable<TargetState>,
): Observable<ObservedTarget> => tracked<TargetState, 'unreadable'>(watch$, written$, 'unreadable');

type Seen = ReadonlyMap<string, Replica> | 'pending' | 'forbidden';

/**
 * The current Pods of POD_SELECTOR.
 *
 *     watch    --L(a,b)---a'-----d(b)--
 *     result   u-[a,b]----[a',b]-[a']--
 */
export const trackedReplicas = (watch$: Observable<WatchItem<Replica>>): Observable<PlannerInput['replicas']> =>
  watch$.pipe(
    scan((seen: Seen, item): Seen => {
      if (item.type === 'watch/listed') return new Map(item.items.map((replica) => [replica.name, replica]));
      if (item.type === 'watch/failed') return seen === 'pending' && isPermanentRejection(item) ? 'forbidden' : seen;
      if (item.type !== 'watch/applied' && item.type !== 'watch/deleted') return seen;
      const next = new Map(typeof seen === 'string' ? [] : seen);
      if (item.type === 'watch/applied') next.set(item.object.name, item.object);
      else next.delete(item.object.name);
      return next;
    }, 'pending'),
    map((seen) => (typeof seen === 'string' ? seen : [...seen.values()])),
    startWith<PlannerInput['replicas']>('pending'),
  );
