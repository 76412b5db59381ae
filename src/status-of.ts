import type { CertificateFacts } from '../streams/model.ts';
import { rfc3339Seconds } from './rfc3339-seconds.ts';
import type { Rotation } from './rotations.ts';
import type { Standing } from './standing.ts';
import type { LeafStatus, RotationStatus, Status } from './status.ts';
import { waits } from './waits.ts';

/** What the standing alone does not say. */
export interface Surroundings {
  readonly identity: string;
  readonly leaderElection: boolean;
  readonly kubeletNudge: boolean;
  readonly caOverlapMs: number;
  readonly reasons: readonly string[];
  readonly mountedLeaf: CertificateFacts | null;
  readonly step: string | null;
  readonly nowMs: number;
}

const millis = (ms: number): string => new Date(ms).toISOString();
const orNull = (ms: number | null): string | null => (ms === null ? null : millis(ms));

const leafOf = ({ serial, notBeforeMs, notAfterMs, names }: CertificateFacts): LeafStatus => ({
  serial,
  notBefore: rfc3339Seconds(notBeforeMs),
  notAfter: rfc3339Seconds(notAfterMs),
  names,
});

const UNREADABLE = { serial: null, notBefore: null, notAfter: null, names: null };

const announcedOf = ({ announced, rotations }: Standing): Status['announced'] => {
  const rotation = rotations.findLast(({ hash }) => hash === announced?.hash);
  return announced === null || rotation === undefined
    ? null
    : { hash: announced.hash, validUntil: announced.validUntil, since: millis(rotation.announcedMs) };
};

const rotationOf = (rotation: Rotation): RotationStatus => ({
  hash: rotation.hash,
  kind: rotation.kind,
  announcedAt: millis(rotation.announcedMs),
  mountedAt: orNull(rotation.mountedMs),
  loadedAt: orNull(rotation.loadedMs),
  acknowledgedAt: orNull(rotation.acknowledgedMs),
  rejected: rotation.rejected,
  replicas: (rotation.replicas ?? []).map(({ name, acknowledgedMs, witnessed }) => ({
    name,
    acknowledgedAt: orNull(acknowledgedMs),
    witnessed,
  })),
});

const targetsOf = ({ observation }: Standing): Status['targets'] =>
  observation?.targets.map(({ id, state }) => {
    if (typeof state === 'string') return { target: id, trusts: null, notAfter: null };
    const certificates = state.bundles.flat();
    const notAfterMs = certificates.length === 0 ? null : Math.min(...certificates.map((one) => one.notAfterMs));
    const trusts = new Set(certificates.map(({ fingerprint }) => fingerprint)).size;
    return { target: id, trusts, notAfter: notAfterMs === null ? null : rfc3339Seconds(notAfterMs) };
  }) ?? null;

const replicasOf = ({ observation }: Standing): Status['replicas'] =>
  observation === null || typeof observation.replicas === 'string'
    ? null
    : observation.replicas.map(({ name, servingHash, ready }) => ({ name, servingHash, ready }));

/** How things stand, as `/status` says it. Pure. */
export const statusOf = (standing: Standing, surroundings: Surroundings): Status => {
  const { identity, leaderElection, kubeletNudge, reasons, mountedLeaf: leaf, step } = surroundings;
  const { served } = standing.readiness;
  const hash = standing.mounted?.hash ?? null;
  return {
    role: standing.leading ? 'leader' : leaderElection ? 'candidate' : 'follower',
    identity,
    leader: standing.leader,
    ready: reasons.length === 0,
    reasons,
    waitsFor: waits(standing, surroundings).map((wait) => ({
      for: wait.for,
      since: millis(wait.sinceMs),
      detail: wait.detail,
    })),
    announced: announcedOf(standing),
    mounted: hash === null ? null : { hash, ...(leaf === null ? UNREADABLE : leafOf(leaf)) },
    served: served === null ? null : { hash: served.hash, ...leafOf(served.leaf) },
    acknowledged: standing.acknowledgedHash === null ? null : { hash: standing.acknowledgedHash },
    acknowledges: kubeletNudge && !standing.mute,
    watch: { state: standing.watch.state, since: millis(standing.watch.sinceMs) },
    bundle:
      served?.bundle.map(({ subject, serial, notAfterMs }) => ({
        subject,
        serial,
        notAfter: rfc3339Seconds(notAfterMs),
      })) ?? null,
    targets: targetsOf(standing),
    replicas: replicasOf(standing),
    step,
    rotations: standing.rotations.map(rotationOf),
  };
};
