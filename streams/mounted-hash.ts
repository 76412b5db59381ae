import { distinctUntilChanged, map, merge, of } from 'rxjs';
import type { Observable } from 'rxjs';
import type { MountReading } from './model.ts';
import { singleFlight } from './single-flight.ts';

export interface MountPorts {
  /** Emits when something in the mounted directory moved; may stay silent for ever (no inotify). */
  readonly mountMoved$: Observable<unknown>;
  /** Reads one whole generation. Never errs: what goes wrong is in the reading. */
  readMount(): Observable<MountReading>;
}

/**
 * The mounted generation, whenever it is another one. Directory events make it fast, the tick makes it true.
 *
 *     moved    -----m-m--------------
 *     tick     t---------t---------t-
 *     read     (a)  (b)  (b)       (b)
 *     result   a----b----------------
 */
export const mountedHash = (tick$: Observable<unknown>, ports: MountPorts): Observable<MountReading> =>
  merge(of(null), ports.mountMoved$, tick$).pipe(
    // Each occasion is its own object, so that one that lands during a read is followed by another read.
    map(() => ({})),
    singleFlight(() => ports.readMount()),
    distinctUntilChanged((left, right) => left.generation === right.generation && left.problem === right.problem),
  );
