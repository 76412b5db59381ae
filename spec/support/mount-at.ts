import type { Observable } from 'rxjs';
import type { RunHelpers, TestScheduler } from 'rxjs/testing';
import type { VolumeSnapshot } from '../../streams/model.ts';

/**
 * A mount whose generations change at these instants, ms. Each reading takes 1 ms, shows what was there at its start, and
 * is an object of its own.
 */
export const mountAt =
  ({ cold }: RunHelpers, scheduler: TestScheduler, generations: Readonly<Record<number, VolumeSnapshot>>) =>
  (): Observable<VolumeSnapshot> => {
    const mounted = Object.entries(generations).findLast(([atMs]) => Number(atMs) <= scheduler.now());
    return cold('-(r|)', { r: { ...mounted![1] } });
  };
