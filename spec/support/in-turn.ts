import { defer, type Observable } from 'rxjs';

/** What each subscription gets: the first one the first, and so on; the last one is good for all that follow. */
export const inTurn = <T>(...sources: readonly Observable<T>[]): Observable<T> => {
  let turn = 0;
  return defer(() => sources[Math.min(turn++, sources.length - 1)]!);
};
