import { defer, type Observable } from 'rxjs';
import type { Listing, WatchFrame, WatchPort } from '../../streams/watch-port.ts';
import { inTurn } from './in-turn.ts';

export interface RecordedWatchPort<T> extends WatchPort<T> {
  /** The resourceVersion of each connection, in order. */
  readonly versions: readonly string[];
}

/** A watch port that answers the nth list and the nth connection with the nth of these; the last one again and again. */
export const watchPortOf = <T>(
  lists: readonly Observable<Listing<T>>[],
  connections: readonly Observable<WatchFrame<T>>[],
): RecordedWatchPort<T> => {
  const list$ = inTurn(...lists);
  const connection$ = inTurn(...connections);
  const versions: string[] = [];
  return {
    versions,
    list: () => list$,
    watch: (resourceVersion) =>
      defer(() => {
        versions.push(resourceVersion);
        return connection$;
      }),
  };
};
