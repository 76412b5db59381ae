import { distinctUntilChanged, type MonoTypeOperatorFunction } from 'rxjs';
import type { LeaseSnapshot } from './model.ts';

/**
 * Lets a Lease through only when what it announces is new: renewals, holders and other people's annotations are not.
 * The uid is part of the key, so that a Lease deleted and made again is looked at again.
 *
 *     lease    --a--a'--b--b'--x--b--      a' renews a, x is no Lease
 *     result   --a------b------x--b--
 */
export const distinctAnnouncement = (): MonoTypeOperatorFunction<LeaseSnapshot | null> =>
  distinctUntilChanged(
    (left, right) =>
      left?.uid === right?.uid &&
      left?.malformed === right?.malformed &&
      left?.announcement?.hash === right?.announcement?.hash &&
      left?.announcement?.validUntil === right?.announcement?.validUntil,
  );
