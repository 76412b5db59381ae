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
import { timerDelayMs } from './backoff.ts';
import type { ElectionEvent } from './events.ts';
import type { LeaseSnapshot } from './model.ts';
import type { LeaseWriteAccepted } from './try-acquire-or-renew.ts';

/** Spreads the candidates for a vacant Lease, so that one write wins and few are rejected. */
const JITTER_MS = 100;

/** Compares the election record. Every renewal changes it; annotations and managedFields are not part of it. */
const sameRecord = (left: LeaseSnapshot | null, right: LeaseSnapshot | null): boolean =>
  left?.uid === right?.uid &&
  left?.holder === right?.holder &&
  left?.renewTime === right?.renewTime &&
  left?.transitions === right?.transitions;

/**
 * Acquires the Lease, as client-go's elector does. Sends nothing while another holder renews: measures by its own timer
 * how long the record has not changed, and claims only a Lease that is absent, released, its own or expired in that
 * sense. Completes once the claim is accepted.
 *
 *     lease    --a1----a2----a3-----------------     a dies after its third renewal
 *     claim                                   h|
 *     result   -------------------------------(h|)
 *                            |--- duration ---|
 *
 * @param lease$ every subscriber gets the newest at once, if there is one
 * @param claim$ cold; tries until the Lease is acquired, and is unsubscribed when another holder changes the record
 * @param identityIsShared whether another process was seen to use this identity: a Lease that names it is then treated
 *   as any other holder's
 */
export const acquireLease = (
  lease$: Observable<LeaseSnapshot | null>,
  claim$: Observable<LeaseWriteAccepted | ElectionEvent>,
  { identity, random }: { readonly identity: string; readonly random: () => number },
  identityIsShared: () => boolean = () => false,
): Observable<LeaseWriteAccepted | ElectionEvent> => {
  const vacantInMs = (seen: LeaseSnapshot | null): number => {
    if (seen?.holder == null) return Math.round(random() * JITTER_MS);
    return seen.holder === identity && !identityIsShared() ? 0 : seen.durationMs;
  };
  const isForeign = (lease: LeaseSnapshot | null): boolean => lease?.holder != null && lease.holder !== identity;

  return lease$.pipe(
    distinctUntilChanged(sameRecord),
    switchMap((seen) => timer(timerDelayMs(vacantInMs(seen))).pipe(map(() => seen))),
    exhaustMap((seen) =>
      claim$.pipe(takeUntil(lease$.pipe(filter((lease) => isForeign(lease) && !sameRecord(lease, seen))))),
    ),
    takeWhile((item) => item.type !== 'lease/held', true),
  );
};
