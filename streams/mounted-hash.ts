import { distinctUntilChanged, filter, map, merge, type Observable, of } from 'rxjs';
import type { VolumeSnapshot } from './model.ts';
import { singleFlight } from './single-flight.ts';

export interface MountPorts {
  /** Emits when something in the mounted directory moved; may stay silent for ever (no inotify). */
  readonly mountMoved$: Observable<unknown>;
  /** Whether nothing has moved since the newest reading, as far as a glance can tell. Asked at each tick. */
  isMountUnmoved(): boolean;
  /** Reads one whole generation. Never errs: what goes wrong is in the reading. */
  readMount(): Observable<VolumeSnapshot>;
}

/**
 * The mounted generation, whenever it is another one. Directory events make it fast, the tick makes it true: by a glance,
 * and by a reading when that is not enough.
 *
 *     moved    -----m-m--------------
 *     tick     t---------t---------t-
 *     glance             =         ≠
 *     read     (a)  (b)            (c)
 *     result   a----b--------------c-
 */
export const mountedHash = (tick$: Observable<unknown>, ports: MountPorts): Observable<VolumeSnapshot> =>
  merge(of(null), ports.mountMoved$, tick$.pipe(filter(() => !ports.isMountUnmoved()))).pipe(
    // Each occasion is its own object, so that one that lands during a read is followed by another read.
    map(() => ({})),
    singleFlight(() => ports.readMount()),
    distinctUntilChanged((left, right) => left.generation === right.generation && left.problem === right.problem),
  );
