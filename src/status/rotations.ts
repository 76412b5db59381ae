import type { ClusterState } from '../../streams/observe-cluster.ts';
import type { ReplicaEvent } from '../../streams/replica.ts';

/** When another replica was observed to serve a certificate. Times are ms since the epoch, as all times here. */
interface Acknowledgement {
  readonly name: string;
  readonly acknowledgedMs: number | null;
  /** False: it served the certificate already when it was first observed. */
  readonly witnessed: boolean;
}

/** The stages of one announced certificate as one replica observed them; null for a stage not reached. */
export interface Rotation {
  readonly hash: string;
  /** `start`: it was announced before this process first read the Lease. */
  readonly kind: 'start' | 'rotation';
  readonly announcedMs: number;
  readonly mountedMs: number | null;
  readonly loadedMs: number | null;
  readonly acknowledgedMs: number | null;
  readonly rejected: string | null;
  /** The other replicas; null until this replica observes them as the leader. */
  readonly replicas: readonly Acknowledgement[] | null;
}

/** Number of rotations kept, which fit on one screen. */
const MAX_KEPT = 6;

const isDone = ({ loadedMs, replicas }: Rotation): boolean =>
  loadedMs !== null && replicas?.every(({ acknowledgedMs }) => acknowledgedMs !== null) === true;

const withAcknowledgements = (
  rotation: Rotation,
  { replicas }: ClusterState,
  { identity, nowMs }: { readonly identity: string; readonly nowMs: number },
): Rotation => {
  // A replica that joins after all others serve the certificate takes no part in this rotation.
  if (typeof replicas === 'string' || isDone(rotation)) return rotation;
  const others = replicas.filter(({ name, goneAtMs }) => name !== identity && (goneAtMs === null || nowMs < goneAtMs));
  const seen = others.map(({ name, servingHash }): Acknowledgement => {
    const before = rotation.replicas?.find((each) => each.name === name);
    if (before?.acknowledgedMs != null) return before;
    const acknowledgedMs = servingHash === rotation.hash ? nowMs : null;
    return { name, acknowledgedMs, witnessed: before !== undefined };
  });
  return { ...rotation, replicas: seen };
};

const withLast = (rotations: readonly Rotation[], change: (last: Rotation) => Rotation): readonly Rotation[] => {
  const last = rotations.at(-1);
  return last === undefined ? rotations : [...rotations.slice(0, -1), change(last)];
};

/**
 * Returns the recent rotations after an event. Pure.
 *
 * @param isFirstSight whether no version of the Lease had been seen before this event
 */
export const nextRotations = (
  rotations: readonly Rotation[],
  event: ReplicaEvent,
  {
    identity,
    nowMs,
    isFirstSight,
  }: { readonly identity: string; readonly nowMs: number; readonly isFirstSight: boolean },
): readonly Rotation[] => {
  switch (event.type) {
    case 'lease/observed': {
      const hash = event.lease?.announcement?.hash;
      if (hash === undefined || hash === rotations.at(-1)?.hash) return rotations;
      const untouched = { mountedMs: null, loadedMs: null, acknowledgedMs: null, rejected: null, replicas: null };
      const kind = isFirstSight ? 'start' : 'rotation';
      return [...rotations, { hash, kind, announcedMs: nowMs, ...untouched } as const].slice(-MAX_KEPT);
    }
    case 'desired/changed':
      return withLast(rotations, (last) =>
        event.desired.mounted.hash === last.hash ? { ...last, mountedMs: last.mountedMs ?? nowMs } : last,
      );
    case 'certificate/concluded': {
      const { load } = event;
      return withLast(rotations, (last) => {
        if (load.type === 'certificate/served' && load.pair.hash === last.hash)
          return { ...last, loadedMs: last.loadedMs ?? nowMs, rejected: null };
        return load.type === 'certificate/rejected' && load.hash === last.hash
          ? { ...last, rejected: load.reason }
          : last;
      });
    }
    case 'replica/acknowledged':
      return withLast(rotations, (last) =>
        event.hash === last.hash ? { ...last, acknowledgedMs: last.acknowledgedMs ?? nowMs } : last,
      );
    case 'cluster/observed': {
      const announced = event.observed.lease.announcement?.hash;
      return withLast(rotations, (last) =>
        announced === last.hash ? withAcknowledgements(last, event.observed, { identity, nowMs }) : last,
      );
    }
    default:
      return rotations;
  }
};
