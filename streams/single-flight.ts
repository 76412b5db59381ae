import {
  connect,
  defer,
  EMPTY,
  exhaustMap,
  filter,
  type Observable,
  of,
  type OperatorFunction,
  race,
  repeat,
  take,
  tap,
  timer,
} from 'rxjs';

export interface SingleFlightOptions<T, R> {
  /** How long to wait before the same value is processed again, ms, by its last result and failures; null: settled. */
  readonly retryInMs?: (result: R, failures: number) => number | null;
  /** Whether a value that arrived meanwhile requires another flight at once; by default any other value does. */
  readonly supersedes?: (next: T, flown: T) => boolean;
}

/**
 * `exhaustMap` that loses no change: at most one flight runs at a time, and flights repeat until the newest value has been
 * processed. Values in between are skipped; a retry waits inside the flight and yields to a newer value.
 *
 *     source   --a--b-c---------------d--|
 *     fly(a)     ----A|
 *     fly(c)          ----C|
 *     fly(d)                          ----D|
 *     result   ------A----C---------------D|
 *
 * Plain `distinctUntilChanged` before `exhaustMap` would lose c for ever: see D-001 in README.md.
 */
export const singleFlight =
  <T, R>(
    fly: (desired: T) => Observable<R>,
    { retryInMs = () => null, supersedes = (next, flown) => next !== flown }: SingleFlightOptions<T, R> = {},
  ): OperatorFunction<T, R> =>
  (source$) =>
    source$.pipe(
      connect((desired$) => {
        let newest: T;
        let flown: T;
        let result: { readonly last: R } | null = null;
        let failures = 0;

        const flight$ = defer(() => {
          flown = newest;
          result = null;
          return fly(flown).pipe(tap((last) => (result = { last })));
        });

        const again = () => {
          if (supersedes(newest, flown)) {
            failures = 0;
            return of(newest);
          }
          const waitMs = result === null ? null : retryInMs(result.last, ++failures);
          if (waitMs === null) {
            failures = 0;
            return EMPTY;
          }
          const newer$ = desired$.pipe(
            filter((next) => supersedes(next, flown)),
            tap(() => (failures = 0)),
          );
          return race(newer$, timer(waitMs)).pipe(take(1));
        };

        return desired$.pipe(
          tap((desired) => (newest = desired)),
          exhaustMap(() => flight$.pipe(repeat({ delay: again }))),
        );
      }),
    );
