import { BehaviorSubject, delay, identity as asItIs, map, timer } from 'rxjs';
import type { LeaseChange, LeaseWritePort } from '../../streams/lease-writer.ts';
import type { LeaseSnapshot } from '../../streams/model.ts';
import { Problem } from '../../streams/problem.ts';
import { leaseOf } from './lease-of.ts';

const changed = (lease: LeaseSnapshot, change: LeaseChange, identity: string, now: string): LeaseSnapshot => {
  switch (change.kind) {
    case 'claim': {
      const transitions = lease.transitions + (lease.holder === identity ? 0 : 1);
      return { ...lease, holder: identity, renewTime: now, transitions };
    }
    case 'renew':
      return { ...lease, holder: identity, renewTime: now };
    case 'release':
      return { ...lease, holder: null, renewTime: now };
    case 'announce': {
      const rotate = change.clearsRotationRequest ? null : lease.rotate;
      return { ...lease, announcement: change.announcement, servedSinceMs: null, rotate };
    }
    case 'record-served':
      return { ...lease, servedSinceMs: change.sinceMs };
    case 'record-trusted':
      return { ...lease, trusted: change.trusted };
    case 'set-rotation-request':
      return { ...lease, rotate: change.rotate };
  }
};

/**
 * One Lease on an API server. A write lands a millisecond after it was sent, if the Lease is still the one it was
 * decided on; then the watches are told, and then, after `answerMs`, the writer.
 */
export const toyLease = (start: LeaseSnapshot | null, nowMs: () => number) => {
  const lease$ = new BehaviorSubject<LeaseSnapshot | null>(start);
  const writings: string[] = [];
  let version = 100;
  let isDown = false;

  const take = (identity: string, change: LeaseChange, plannedOn: LeaseSnapshot | null): LeaseSnapshot => {
    const now = lease$.value;
    const isStale = (plannedOn?.resourceVersion ?? null) !== (now?.resourceVersion ?? null);
    writings.push(`${nowMs()} ${identity} ${change.kind}${isDown ? ' refused' : isStale ? ' conflict' : ''}`);
    if (isDown) throw new Problem('down', 503);
    if (isStale) throw new Problem('conflict', 409);
    version += 1;
    const old = now ?? leaseOf(null, { uid: `made as ${version}`, holder: identity });
    const lease = { ...changed(old, change, identity, `${nowMs()}`), resourceVersion: `${version}` };
    lease$.next(lease);
    return lease;
  };

  return {
    /** What a watch tells; the newest at once. */
    lease$: lease$.asObservable(),
    now: () => lease$.value,
    /** `TIME WHO WHAT OUTCOME`, one for each write that has arrived. */
    writings: (): readonly string[] => writings,
    /** Somebody else writes. */
    put: (lease: LeaseSnapshot | null): void => {
      version += 1;
      lease$.next(lease === null ? null : { ...lease, resourceVersion: `${version}` });
    },
    breakDown: (down: boolean): void => void (isDown = down),
    portOf: (identity: string, answerMs = 0): LeaseWritePort => ({
      writeLease: (change, plannedOn) =>
        timer(1).pipe(
          map(() => take(identity, change, plannedOn)),
          answerMs === 0 ? asItIs : delay(answerMs),
        ),
    }),
  };
};
