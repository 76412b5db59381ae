import { distinctUntilChanged, type MonoTypeOperatorFunction } from 'rxjs';
import type { LeaseSnapshot } from './model.ts';

/**
 * Passes a Lease on only when its announcement changed: renewals, holders and foreign annotations do not count. The uid is
 * part of the key, so that a Lease that was deleted and created again is evaluated again.
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
