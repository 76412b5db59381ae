import {
  distinctUntilChanged,
  exhaustMap,
  filter,
  map,
  type Observable,
  switchMap,
  takeUntil,
  takeWhile,
  timer,
} from 'rxjs';
import type { ElectionEvent } from './events.ts';
import type { LeaseSnapshot } from './model.ts';
import type { LeaseWriteAccepted } from './try-acquire-or-renew.ts';

/** Spreads the candidates for a vacant Lease, so that one write wins and few are refused. */
const JITTER_MS = 100;

/** What an elector looks at. Every renewal is another record; annotations and managedFields are not part of it. */
const sameRecord = (left: LeaseSnapshot | null, right: LeaseSnapshot | null): boolean =>
  left?.uid === right?.uid &&
  left?.holder === right?.holder &&
  left?.renewTime === right?.renewTime &&
  left?.transitions === right?.transitions;

/**
 * Sends nothing while somebody renews: it counts how long the record it sees has not changed, by its own timer, and
 * claims only a Lease that is absent, released, its own or expired in that sense. Completes with the claim taken.
 *
 *     lease    --a1----a2----a3-----------------     a dies after its third renewal
 *     claim                                   h|
 *     result   -------------------------------(h|)
 *                            |--- duration ---|
 *
 * @param lease$ every subscriber gets the newest at once, if there is one
 * @param claim$ cold; goes on until it has the Lease, and is dropped when a otherManager is seen to move
 */
export const acquireLease = (
  lease$: Observable<LeaseSnapshot | null>,
  claim$: Observable<LeaseWriteAccepted | ElectionEvent>,
  { identity, random }: { readonly identity: string; readonly random: () => number },
): Observable<LeaseWriteAccepted | ElectionEvent> => {
  const vacantInMs = (seen: LeaseSnapshot | null): number => {
    if (seen?.holder == null) return Math.round(random() * JITTER_MS);
    return seen.holder === identity ? 0 : seen.durationMs;
  };
  const isRival = (lease: LeaseSnapshot | null): boolean => lease?.holder != null && lease.holder !== identity;

  return lease$.pipe(
    distinctUntilChanged(sameRecord),
    switchMap((seen) => timer(vacantInMs(seen)).pipe(map(() => seen))),
    exhaustMap((seen) =>
      claim$.pipe(takeUntil(lease$.pipe(filter((lease) => isRival(lease) && !sameRecord(lease, seen))))),
    ),
    takeWhile((item) => item.type !== 'lease/held', true),
  );
};
