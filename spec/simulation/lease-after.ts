import type { LeaseChange } from '../../streams/lease-writer.ts';
import type { StoredLease } from './stored-objects.ts';

export interface LeaseAuthor {
  readonly identity: string;
  readonly durationMs: number;
  /** Another one at each write. */
  readonly renewTime: string;
}

const VACANT: StoredLease = {
  holder: null,
  durationMs: 0,
  renewTime: null,
  transitions: -1,
  announcement: null,
  malformed: null,
  rotate: null,
  servedSinceMs: null,
  trusted: null,
  otherManager: null,
};

/** The Lease after one change, as src/cluster/lease-codec.ts writes it; null for one that is to be created. */
export const leaseAfter = (
  lease: StoredLease | null,
  change: LeaseChange,
  { identity, durationMs, renewTime }: LeaseAuthor,
): StoredLease => {
  const before = lease ?? VACANT;
  switch (change.kind) {
    case 'claim': {
      const transitions = before.holder === identity ? before.transitions : before.transitions + 1;
      return { ...before, holder: identity, durationMs, renewTime, transitions };
    }
    case 'renew':
      return { ...before, holder: identity, durationMs, renewTime };
    case 'release':
      return { ...before, holder: null, durationMs: 1_000, renewTime };
    case 'announce':
      return {
        ...before,
        announcement: change.announcement,
        malformed: null,
        servedSinceMs: null,
        rotate: change.clearsRotationRequest ? null : before.rotate,
      };
    case 'record-served':
      return { ...before, servedSinceMs: change.sinceMs };
    case 'record-trusted':
      return { ...before, trusted: change.trusted };
    case 'set-rotation-request':
      return { ...before, rotate: change.rotate };
  }
};
