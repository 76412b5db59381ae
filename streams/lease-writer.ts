import { concatMap, defer, Observable, Subject, throwError } from 'rxjs';
import { isOlderVersion } from './kubernetes.ts';
import type { Announcement, LeaseSnapshot, TrustMark } from './model.ts';
import { Problem } from './problem.ts';

/** One change of the Lease. Fields that it does not name stay unchanged. */
export type LeaseChange =
  | { readonly kind: 'claim' }
  | { readonly kind: 'renew' }
  | { readonly kind: 'release' }
  | { readonly kind: 'announce'; readonly announcement: Announcement; readonly clearsRotationRequest: boolean }
  | { readonly kind: 'record-served'; readonly sinceMs: number | null }
  | { readonly kind: 'record-trusted'; readonly trusted: TrustMark }
  | { readonly kind: 'set-rotation-request'; readonly rotate: string | null };

export interface LeaseWritePort {
  /** Writes with the resourceVersion of `plannedOn`; null creates the Lease. Errs with a Problem, 409 for a conflict. */
  writeLease(change: LeaseChange, plannedOn: LeaseSnapshot | null): Observable<LeaseSnapshot>;
}

export interface LeaseWriter {
  readonly written$: Observable<LeaseSnapshot>;
  /** Cold. `plannedOn` is the Lease that the change was decided on. */
  write(change: LeaseChange, plannedOn: LeaseSnapshot | null): Observable<LeaseSnapshot>;
}

/** An elector's write depends on the holder of the Lease alone. */
const isTermChange = ({ kind }: LeaseChange): boolean => kind === 'claim' || kind === 'renew' || kind === 'release';

/** Whether a change decided on one state of the Lease still applies to another; our own renewals in between are harmless. */
const stillApplies = (change: LeaseChange, left: LeaseSnapshot, right: LeaseSnapshot): boolean =>
  left.uid === right.uid &&
  left.holder === right.holder &&
  (isTermChange(change) ||
    (left.announcement?.hash === right.announcement?.hash &&
      left.rotate === right.rotate &&
      left.servedSinceMs === right.servedSinceMs &&
      left.trusted?.sinceMs === right.trusted?.sinceMs));

/**
 * Serializes all writes of this replica to the Lease (L3). A write that waited for another one of ours is rebased on its
 * response if that changed nothing it was decided on, and rejected as a conflict if it did.
 */
export const leaseWriter = (port: LeaseWritePort): LeaseWriter => {
  const inTurn = serialQueue();
  const written$ = new Subject<LeaseSnapshot>();
  let latest: LeaseSnapshot | null = null;

  const write = (change: LeaseChange, plannedOn: LeaseSnapshot | null): Observable<LeaseSnapshot> => {
    if (plannedOn === null || latest === null || !isOlderVersion(plannedOn.resourceVersion, latest.resourceVersion)) {
      return port.writeLease(change, plannedOn);
    }
    if (stillApplies(change, latest, plannedOn)) return port.writeLease(change, latest);
    return throwError(() => new Problem(`the Lease changed before "${change.kind}" could be written`, 409));
  };

  return {
    written$: written$.asObservable(),
    write: (change, plannedOn) =>
      new Observable((subscriber) =>
        inTurn(defer(() => write(change, plannedOn))).subscribe({
          next: (lease) => {
            latest = lease;
            // The writer is notified first: other subscribers may end its subscription.
            subscriber.next(lease);
            written$.next(lease);
          },
          error: (error: unknown) => subscriber.error(error),
          complete: () => subscriber.complete(),
        }),
      ),
  };
};

type SerialQueue = <T>(job$: Observable<T>) => Observable<T>;

/**
 * Runs one job at a time, in the order of subscription. A job whose subscriber is gone is skipped, or aborted if it runs.
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
