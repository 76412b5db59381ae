import type { ClusterState } from '../../streams/observe-cluster.ts';
import type { ReplicaEvent } from '../../streams/replica.ts';

/** When another replica was seen to serve a certificate; times are ms since the epoch, as all times here. */
interface Witness {
  readonly name: string;
  readonly acknowledgedMs: number | null;
  /** False: it served it already when it was first looked at. */
  readonly witnessed: boolean;
}

/** What became of one announced certificate, as one replica saw it; null for a stage that has not been reached. */
export interface Rotation {
  readonly hash: string;
  /** `start`: it had been announced before this process first looked. */
  readonly kind: 'start' | 'rotation';
  readonly announcedMs: number;
  readonly mountedMs: number | null;
  readonly loadedMs: number | null;
  readonly acknowledgedMs: number | null;
  readonly rejected: string | null;
  /** The others; null until a leader has looked. */
  readonly replicas: readonly Witness[] | null;
}

/** More than fit on one screen are not recent. */
const REMEMBERED = 6;

const isDone = ({ loadedMs, replicas }: Rotation): boolean =>
  loadedMs !== null && replicas?.every(({ acknowledgedMs }) => acknowledgedMs !== null) === true;

const witnesses = (
  rotation: Rotation,
  { replicas }: ClusterState,
  { identity, nowMs }: { readonly identity: string; readonly nowMs: number },
): Rotation => {
  // Who joins after every replica has it takes no part in this rotation.
  if (typeof replicas === 'string' || isDone(rotation)) return rotation;
  const others = replicas.filter(({ name, goneAtMs }) => name !== identity && (goneAtMs === null || nowMs < goneAtMs));
  const seen = others.map(({ name, servingHash }): Witness => {
    const before = rotation.replicas?.find((witness) => witness.name === name);
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
 * The recent rotations after one more event. Pure.
 *
 * @param isFirstSight nothing of the Lease had been seen before this event
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
      return [...rotations, { hash, kind, announcedMs: nowMs, ...untouched } as const].slice(-REMEMBERED);
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
        announced === last.hash ? witnesses(last, event.observed, { identity, nowMs }) : last,
      );
    }
    default:
      return rotations;
  }
};
