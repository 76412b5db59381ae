import type { RotationStatus, Status } from '../status/status.ts';
import type { SeenReplica } from './replica-card.ts';

/** The stages of one replica in one rotation, in ms after the first sight of the announcement; null: not reached. */
export interface Track {
  readonly name: string;
  readonly isLeader: boolean;
  /** `pod`: known from the Pod annotation only, which contains nothing but the acknowledgement. */
  readonly source: 'own' | 'pod';
  readonly announcedMs: number;
  readonly mountedMs: number | null;
  readonly loadedMs: number | null;
  readonly acknowledgedMs: number | null;
  /** False: it was acknowledged when first observed, so that the time is an upper bound. */
  readonly witnessed: boolean;
  readonly rejected: string | null;
  /** Whether it is complete. A replica that does not acknowledge is done once it has loaded. */
  readonly isDone: boolean;
}

export interface TrackedRotation {
  readonly hash: string;
  readonly kind: RotationStatus['kind'];
  readonly announcedAt: string;
  readonly tracks: readonly Track[];
  /** Whether this is the newest rotation, whose open stages may still be reached. */
  readonly isCurrent: boolean;
}

const offset = (startMs: number, time: string | null): number | null =>
  time === null ? null : Math.max(0, Date.parse(time) - startMs);

const ownTrack = ({ identity, role, acknowledges }: Status, rotation: RotationStatus, startMs: number): Track => ({
  name: identity,
  isLeader: role === 'leader',
  source: 'own',
  announcedMs: offset(startMs, rotation.announcedAt) ?? 0,
  mountedMs: offset(startMs, rotation.mountedAt),
  loadedMs: offset(startMs, rotation.loadedAt),
  acknowledgedMs: offset(startMs, rotation.acknowledgedAt),
  witnessed: true,
  rejected: rotation.rejected,
  isDone: rotation.acknowledgedAt !== null || (rotation.loadedAt !== null && !acknowledges),
});

const podTracks = ({ leader }: Status, { replicas }: RotationStatus, startMs: number): readonly Track[] =>
  replicas.map(({ name, acknowledgedAt, witnessed }) => ({
    name,
    isLeader: name === leader,
    source: 'pod',
    announcedMs: 0,
    mountedMs: null,
    loadedMs: null,
    acknowledgedMs: offset(startMs, acknowledgedAt),
    witnessed,
    rejected: null,
    isDone: acknowledgedAt !== null,
  }));

/** Of a certificate that was announced repeatedly, only the newest announcement is shown. */
const newestOfEach = (status: Status): readonly { readonly status: Status; readonly rotation: RotationStatus }[] =>
  status.rotations
    .filter(({ hash }, at, all) => all.findLastIndex((other) => other.hash === hash) === at)
    .map((rotation) => ({ status, rotation }));

/** The recent rotations of all replicas, the newest first. A replica's own status takes precedence over its Pod annotation. */
export const tracks = (seen: readonly SeenReplica[]): readonly TrackedRotation[] => {
  const known = seen.flatMap(({ status }) => (status === null ? [] : newestOfEach(status)));
  const newestFirst = known.toSorted((left, right) =>
    right.rotation.announcedAt.localeCompare(left.rotation.announcedAt),
  );
  const hashes = [...new Set(newestFirst.map(({ rotation }) => rotation.hash))];
  return hashes.map((hash, at) => {
    const about = known.filter(({ rotation }) => rotation.hash === hash);
    const announcedAt = about.map(({ rotation }) => rotation.announcedAt).sort()[0] ?? '';
    const startMs = Date.parse(announcedAt);
    const own = about.map(({ status, rotation }) => ownTrack(status, rotation, startMs));
    const pods = about
      .flatMap(({ status, rotation }) => podTracks(status, rotation, startMs))
      .filter(({ name }) => !own.some((track) => track.name === name));
    const kind = about.every(({ rotation }) => rotation.kind === 'start') ? 'start' : 'rotation';
    const byName = [...own, ...pods].sort((left, right) => left.name.localeCompare(right.name));
    return { hash, kind, announcedAt, tracks: byName, isCurrent: at === 0 };
  });
};
