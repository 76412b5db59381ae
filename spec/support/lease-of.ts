import type { LeaseSnapshot } from '../../streams/model.ts';

/** A Lease held by nobody that announces this hash; null announces nothing. */
export const leaseOf = (hash: string | null, rest: Partial<LeaseSnapshot> = {}): LeaseSnapshot => ({
  uid: 'uid-1',
  resourceVersion: '1',
  holder: null,
  durationMs: 60_000,
  renewTime: null,
  transitions: 0,
  announcement: hash === null ? null : { hash, validUntil: '2026-12-06T11:12:18Z' },
  malformed: null,
  rotate: null,
  servedSinceMs: null,
  trusted: null,
  otherManager: null,
  ...rest,
});
