import { distinctUntilChanged, filter, map, merge, type Observable, of } from 'rxjs';
import type { VolumeSnapshot } from './model.ts';
import { singleFlight } from './single-flight.ts';

export interface MountPorts {
  /** Emits when something in the mounted directory changed; may never emit (no inotify). */
  readonly mountMoved$: Observable<unknown>;
  /** Whether nothing has changed since the newest reading, by a stat check. Called at each tick. */
  isMountUnmoved(): boolean;
  /** Reads one whole generation. Never errs: a failure is part of the reading. */
  readMount(): Observable<VolumeSnapshot>;
}

/**
 * Emits the mounted generation whenever it changes. Directory events make it fast; the tick makes it reliable, by a stat
 * check and by a reading if that finds a change.
 *
 *     moved    -----m-m--------------
 *     tick     t---------t---------t-
 *     stat               =         ≠
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
