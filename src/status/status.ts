import type { CertificateInfo, VolumeSnapshot } from '../../streams/model.ts';
import { describeCertificates } from '../certificates/certificate-info.ts';
import type { Mount } from '../certificates/mount.ts';
import { rfc3339Seconds } from '../util/time.ts';
import { type Blocker, pendingOn } from './pending-on.ts';
import type { ReplicaState } from './replica-state.ts';
import type { Rotation } from './rotations.ts';

/** One certificate as a person asks for it. Times are RFC 3339 in UTC, as all times here. */
export interface LeafStatus {
  readonly serial: string;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly names: readonly string[];
}

/** What became of one announced certificate; a stage that has not been reached is null. */
export interface RotationStatus {
  readonly hash: string;
  /** `start`: it had been announced before this process first looked, so that its times tell of the start. */
  readonly kind: 'start' | 'rotation';
  readonly announcedAt: string;
  readonly mountedAt: string | null;
  readonly loadedAt: string | null;
  readonly acknowledgedAt: string | null;
  /** Why it was rejected, while it is. */
  readonly rejected: string | null;
  /** The other replicas as their Pods say; only a leader looks. Not witnessed: it was so when it was first looked at. */
  readonly replicas: readonly {
    readonly name: string;
    readonly acknowledgedAt: string | null;
    readonly witnessed: boolean;
  }[];
}

/** `/status`: how things stand with one replica. An absent part is null. Nothing secret is in it. */
export interface Status {
  readonly role: 'leader' | 'candidate' | 'follower';
  readonly identity: string;
  /** Who holds the Lease. */
  readonly leader: string | null;
  readonly ready: boolean;
  /** Why it is not ready; empty when it is. */
  readonly reasons: readonly string[];
  /** What it waits for, most pressing first; empty when there is nothing to wait for. */
  readonly waitsFor: readonly (Omit<Blocker, 'sinceMs'> & { readonly since: string })[];
  /** `since`: when this replica first saw it. */
  readonly announced: { readonly hash: string; readonly validUntil: string; readonly since: string } | null;
  /** Only the hash of what cannot be read as a certificate. */
  readonly mounted: ({ readonly hash: string } & (LeafStatus | Readonly<Record<keyof LeafStatus, null>>)) | null;
  readonly served: ({ readonly hash: string } & LeafStatus) | null;
  /** What this replica's Pod says it serves. */
  readonly acknowledged: { readonly hash: string } | null;
  /** Whether it writes what it serves on its Pod; not with KUBELET_NUDGE=false, nor where that is forbidden. */
  readonly acknowledges: boolean;
  readonly watch: { readonly state: 'connecting' | 'established' | 'closed' | 'failed'; readonly since: string };
  /** The certificates that callers are to trust what is served by. */
  readonly bundle: readonly { readonly subject: string; readonly serial: string; readonly notAfter: string }[] | null;
  /** The caBundles as the leader sees them; `notAfter` of the authority that expires first. */
  readonly targets:
    readonly { readonly target: string; readonly trusts: number | null; readonly notAfter: string | null }[] | null;
  /** Only the leader looks at them. */
  readonly replicas:
    readonly { readonly name: string; readonly servingHash: string | null; readonly ready: boolean }[] | null;
  /** The objects whose write the API server lastingly refuses, as the leader sees it. */
  readonly refused: readonly { readonly object: string; readonly reason: string }[];
  /** The leader's next write, or what it holds for; null when there is nothing to do. */
  readonly step: string | null;
  /** The newest last. */
  readonly rotations: readonly RotationStatus[];
}

/** What the standing alone does not say. */
export interface StatusInput {
  readonly identity: string;
  readonly leaderElection: boolean;
  readonly kubeletNudge: boolean;
  readonly caOverlapMs: number;
  readonly reasons: readonly string[];
  readonly mountedLeaf: CertificateInfo | null;
  readonly step: string | null;
  readonly nowMs: number;
}

const millis = (ms: number): string => new Date(ms).toISOString();
const orNull = (ms: number | null): string | null => (ms === null ? null : millis(ms));

const leafOf = ({ serial, notBeforeMs, notAfterMs, names }: CertificateInfo): LeafStatus => ({
  serial,
  notBefore: rfc3339Seconds(notBeforeMs),
  notAfter: rfc3339Seconds(notAfterMs),
  names,
});

const UNREADABLE = { serial: null, notBefore: null, notAfter: null, names: null };

const announcedOf = ({ announced, rotations }: ReplicaState): Status['announced'] => {
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

const targetsOf = ({ observation }: ReplicaState): Status['targets'] =>
  observation?.targets.map(({ id, state }) => {
    if (typeof state === 'string') return { target: id, trusts: null, notAfter: null };
    const certificates = state.bundles.flat();
    const notAfterMs = certificates.length === 0 ? null : Math.min(...certificates.map((one) => one.notAfterMs));
    const trusts = new Set(certificates.map(({ fingerprint }) => fingerprint)).size;
    return { target: id, trusts, notAfter: notAfterMs === null ? null : rfc3339Seconds(notAfterMs) };
  }) ?? null;

const replicasOf = ({ observation }: ReplicaState): Status['replicas'] =>
  observation === null || typeof observation.replicas === 'string'
    ? null
    : observation.replicas.map(({ name, servingHash, ready }) => ({ name, servingHash, ready }));

/** How things stand, as `/status` says it. Pure. */
export const statusOf = (standing: ReplicaState, surroundings: StatusInput): Status => {
  const { identity, leaderElection, kubeletNudge, reasons, mountedLeaf: leaf, step } = surroundings;
  const { served } = standing.readiness;
  const hash = standing.mounted?.hash ?? null;
  return {
    role: standing.leading ? 'leader' : leaderElection ? 'candidate' : 'follower',
    identity,
    leader: standing.leader,
    ready: reasons.length === 0,
    reasons,
    waitsFor: pendingOn(standing, surroundings).map((wait) => ({
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
    refused: standing.refused,
    step,
    rotations: standing.rotations.map(rotationOf),
  };
};

/**
 * The mounted leaf, whether it may be served or not; null when there is none or when it cannot be read. Asked for when
 * somebody looks; one generation is parsed once.
 */
export const mountedLeaf = (
  mount: Pick<Mount, 'files'>,
): ((mounted: VolumeSnapshot | null) => CertificateInfo | null) => {
  let known: { readonly generation: string; readonly leaf: CertificateInfo | null } | null = null;

  const parse = (generation: string): CertificateInfo | null => {
    const files = mount.files(generation);
    try {
      return files === null ? null : (describeCertificates(files.certificate)[0] ?? null);
    } catch {
      // Why it is garbage is told by the load that rejects it.
      return null;
    }
  };

  return (mounted) => {
    if (mounted?.hash == null) return null;
    const { generation } = mounted;
    if (known?.generation !== generation) known = { generation, leaf: parse(generation) };
    return known.leaf;
  };
};
