import { BehaviorSubject, concatMap, debounceTime, interval, map, merge, of, skip } from 'rxjs';
import { type Mount, openMount } from '../../src/certificates/mount.ts';
import type { VolumeSnapshot } from '../../streams/model.ts';

const nothing: VolumeSnapshot = { generation: '', hash: null, problem: null };

export interface SharedMount extends Disposable {
  readonly mount: Mount;
}

/**
 * One mounted directory for many replicas of one process, read once for all of them: a machine with a thousand of them
 * on one disk is nothing that exists.
 */
export const sharedMount = (directory: string): SharedMount => {
  const mount = openMount(directory);
  const reading$ = new BehaviorSubject(nothing);
  const subscription = merge(of('first'), mount.moved$.pipe(debounceTime(5)), interval(1_000))
    .pipe(concatMap(() => mount.read()))
    .subscribe((reading) => {
      if (reading.generation !== reading$.value.generation) reading$.next(reading);
    });
  return {
    mount: {
      ...mount,
      // What moves is told by `moved$`.
      isUnmoved: () => true,
      read: () => of(reading$.value),
      moved$: reading$.pipe(
        skip(1),
        map(() => undefined),
      ),
    },
    [Symbol.dispose]: () => subscription.unsubscribe(),
  };
};
