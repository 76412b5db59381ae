import { Observable } from 'rxjs';

/**
 * A promise-making function as a cold Observable of one value. Unsubscribing aborts the signal and drops the result;
 * what the function throws is then its own affair.
 */
export const fromAbortable = <T>(run: (signal: AbortSignal) => Promise<T>): Observable<T> =>
  new Observable<T>((subscriber) => {
    const abort = new AbortController();
    run(abort.signal).then(
      (value) => {
        subscriber.next(value);
        subscriber.complete();
      },
      (error: unknown) => {
        if (!abort.signal.aborted) subscriber.error(error);
      },
    );
    return () => abort.abort();
  });
