import { Observable } from 'rxjs';

/**
 * A promise-making function as a cold Observable of one value. Unsubscribing aborts the signal and drops the result;
 * what the function throws is then its own affair.
 */
export const fromAbortable = <T>(run: (signal: AbortSignal) => Promise<T>): Observable<T> =>
  new Observable<T>((subscriber) => {
    const abort = new AbortController();
    let settled = false;
    run(abort.signal).then(
      (value) => {
        settled = true;
        subscriber.next(value);
        subscriber.complete();
      },
      (error: unknown) => {
        settled = true;
        if (!abort.signal.aborted) subscriber.error(error);
      },
    );
    // An abort makes an error with a stack, whether anybody listens or not.
    return () => {
      if (!settled) abort.abort();
    };
  });
