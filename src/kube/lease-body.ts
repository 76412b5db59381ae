import type { LeaseChange } from '../../streams/lease-queue.ts';
import type { LeaseSnapshot } from '../../streams/model.ts';
import { heldSpec, type LeaseAuthor } from './held-spec.ts';
import { microTime } from './micro-time.ts';

type Body = Readonly<Record<string, unknown>>;

/** As much of the Lease as a change is decided on. */
export type LeaseBasis = Pick<LeaseSnapshot, 'resourceVersion' | 'holder' | 'transitions'>;

/** As in client-go, taking it from somebody (or nobody) counts as a transition, and taking it again does not. */
function claimed(author: LeaseAuthor, { holder, transitions }: LeaseBasis, nowMs: number): object {
  if (holder === author.identity) return heldSpec(author, nowMs);
  return { ...heldSpec(author, nowMs), acquireTime: microTime(nowMs), leaseTransitions: transitions + 1 };
}

/** As client-go's ReleaseOnCancel: nobody holds it and it lapses in a second, so that the next one starts at once. */
function released(nowMs: number): object {
  const now = microTime(nowMs);
  return { holderIdentity: '', leaseDurationSeconds: 1, renewTime: now, acquireTime: now };
}

function annotationsOf(change: LeaseChange): Readonly<Record<string, string | null>> | null {
  switch (change.kind) {
    case 'announce':
      return {
        'cert-ready': 'true',
        'cert-hash': change.announcement.hash,
        'cert-valid-until': change.announcement.validUntil,
        // Nobody has been seen serving it yet.
        'cert-served-since': null,
        ...(change.fulfils ? { rotate: null } : {}),
      };
    case 'mark-served':
      return { 'cert-served-since': change.sinceMs === null ? null : new Date(change.sinceMs).toISOString() };
    case 'ask-rotation':
      return { rotate: change.rotate };
    default:
      return null;
  }
}

function specOf(author: LeaseAuthor, change: LeaseChange, basis: LeaseBasis, nowMs: number): Body {
  if (change.kind === 'claim') return { spec: claimed(author, basis, nowMs) };
  if (change.kind === 'renew') return { spec: heldSpec(author, nowMs) };
  return change.kind === 'release' ? { spec: released(nowMs) } : {};
}

/**
 * One change of the Lease as the body of an `application/merge-patch+json`. It carries the resourceVersion it was
 * decided on, so the API server answers 409 when somebody wrote in between, and names only what it changes, so foreign
 * annotations and labels survive.
 */
export function leaseBody(author: LeaseAuthor, change: LeaseChange, basis: LeaseBasis, nowMs: number): Body {
  const values = annotationsOf(change);
  const named = Object.entries(values ?? {}).map(([name, value]) => [`${author.annotationPrefix}/${name}`, value]);
  const annotations: Body = values === null ? {} : { annotations: Object.fromEntries(named) as Body };
  return {
    metadata: { resourceVersion: basis.resourceVersion, ...annotations },
    ...specOf(author, change, basis, nowMs),
  };
}
