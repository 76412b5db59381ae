import { defer, distinctUntilChanged, map, merge, type Observable, scan, skip, startWith, throttleTime } from 'rxjs';
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

/**
 * How often changes of Pods are observed: the first one at once, then the newest state this much later. A rotation of a
 * thousand replicas is observed, planned on and shown ten times a second and not a thousand times.
 */
export const REPLICAS_WINDOW_MS = 100;

interface Seen {
  /** Why the Pods are not known; null once they are. */
  readonly unknown: 'pending' | 'forbidden' | null;
}

const PENDING: Seen = { unknown: 'pending' };

const saysTheSame = (known: Replica | undefined, { servingHash, goneAtMs }: Replica): boolean =>
  known?.servingHash === servingHash && known.goneAtMs === goneAtMs;

/**
 * The current Pods that the watch selects. A change of a Pod that no decision depends on is not news.
 *
 *     watch    --L(a,b)---a'-a"-d(b)----a"--
 *     result   u-[a,b]----[a']--[a"]--------     a" and the end of b come within one window
 */
export const trackedReplicas = (watch$: Observable<WatchItem<Replica>>): Observable<PlannerInput['replicas']> =>
  defer(() => {
    const known = new Map<string, Replica>();
    const next = (seen: Seen, item: WatchItem<Replica>): Seen => {
      switch (item.type) {
        case 'watch/listed':
          known.clear();
          for (const replica of item.items) known.set(replica.name, replica);
          return { unknown: null };
        case 'watch/applied': {
          const { object } = item;
          if (saysTheSame(known.get(object.name), object)) return seen;
          known.set(object.name, object);
          return { unknown: null };
        }
        case 'watch/deleted':
          return known.delete(item.object.name) ? { unknown: null } : seen;
        case 'watch/failed':
          return seen.unknown === 'pending' && isPermanentRejection(item) ? { unknown: 'forbidden' } : seen;
        default:
          return seen;
      }
    };
    return watch$.pipe(
      scan(next, PENDING),
      startWith(PENDING),
      distinctUntilChanged(),
      skip(1),
      throttleTime(REPLICAS_WINDOW_MS, undefined, { leading: true, trailing: true }),
      map(({ unknown }) => unknown ?? [...known.values()]),
      startWith<PlannerInput['replicas']>('pending'),
    );
  });
