import { Observable, Subject, concatMap } from 'rxjs';

export type SerialQueue = <T>(job$: Observable<T>) => Observable<T>;

/**
 * One job at a time, in the order of subscription. A job whose subscriber has gone is skipped, or aborted if it runs.
 *
 *     job a    (subscribed)--a|
 *     job b    --(waits)-------b|
 */
export const serialQueue = (): SerialQueue => {
  const turn$ = new Subject<Observable<never>>();
  // Turns never err and never emit: a job's own subscriber gets its values and its error.
  turn$.pipe(concatMap((job$) => job$)).subscribe();

  return <T>(job$: Observable<T>) =>
    new Observable<T>((subscriber) => {
      turn$.next(
        new Observable<never>((turn) => {
          if (subscriber.closed) {
            turn.complete();
            return;
          }
          job$.subscribe(subscriber);
          subscriber.add(() => turn.complete());
        }),
      );
    });
};
