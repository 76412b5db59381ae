import type { CertificateInfo, VolumeSnapshot } from '../../streams/model.ts';
import { renewalMs } from '../../streams/renewal.ts';
import { describeCertificates } from '../certificates/certificate-info.ts';
import type { Mount } from '../certificates/mount.ts';
import { rfc3339Seconds } from '../util/time.ts';
import { type Blocker, pendingOn, waitEndsMs, waitError } from './pending-on.ts';
import type { ReplicaState } from './replica-state.ts';
import type { Rotation } from './rotations.ts';

/** One certificate. Times are RFC 3339 in UTC, as all times here. */
export interface LeafStatus {
  readonly serial: string;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly names: readonly string[];
}

/** The stages of one announced certificate; a stage not reached is null. */
export interface RotationStatus {
  readonly hash: string;
  /** `start`: it was announced before this process first read the Lease, so that its times describe the start. */
  readonly kind: 'start' | 'rotation';
  readonly announcedAt: string;
  readonly mountedAt: string | null;
  readonly loadedAt: string | null;
  readonly acknowledgedAt: string | null;
  /** Why it is rejected. */
  readonly rejected: string | null;
  /** The other replicas by their Pod annotations; leader only. Not witnessed: it was so when first observed. */
  readonly replicas: readonly {
    readonly name: string;
    readonly acknowledgedAt: string | null;
    readonly witnessed: boolean;
  }[];
}

/** The document of `/status`: the state of one replica. An absent part is null. It contains no secret. */
export interface Status {
  readonly version: string;
  readonly namespace: string;
  /** The name of the Lease. */
  readonly lease: string;
  readonly role: 'leader' | 'candidate' | 'follower';
  readonly identity: string;
  /** The holder of the Lease. */
  readonly leader: string | null;
  readonly ready: boolean;
  /** Why the replica is not ready; empty when it is. */
  readonly reasons: readonly string[];
  /** What the replica waits for, the most urgent first. */
  readonly waitsFor: readonly (Omit<Blocker, 'sinceMs'> & {
    readonly since: string;
    /** When the wait ends by itself. */
    readonly until: string | null;
    /** The newest failure of what would end it. */
    readonly error: string | null;
  })[];
  /** `since`: when this replica first saw the announcement. */
  readonly announced: { readonly hash: string; readonly validUntil: string; readonly since: string } | null;
  /** Only the hash when the file is not a readable certificate. */
  readonly mounted: ({ readonly hash: string } & (LeafStatus | Readonly<Record<keyof LeafStatus, null>>)) | null;
  readonly served: ({ readonly hash: string } & LeafStatus) | null;
  /** When the leader replaces the served certificate; null where another issuer does. */
  readonly renewsAt: string | null;
  /**
   * The server at SERVING_ADDRESS; null without one. `shows` is `announced`, or why not; `hash` is what it was last seen to
   * show.
   */
  readonly neighbour: {
    readonly address: string;
    readonly shows: NonNullable<ReplicaState['shown']>['kind'] | 'unknown';
    readonly hash: string | null;
    readonly since: string | null;
    readonly detail: string | null;
  } | null;
  /** The certificate that this replica's Pod annotation names. */
  readonly acknowledged: { readonly hash: string } | null;
  /** Whether it writes the served hash on its Pod: neither with KUBELET_NUDGE=false nor where that is forbidden. */
  readonly acknowledges: boolean;
  readonly watch: { readonly state: 'connecting' | 'established' | 'closed' | 'failed'; readonly since: string };
  /** The CA certificates that callers verify the served certificate with. */
  readonly bundle: readonly { readonly subject: string; readonly serial: string; readonly notAfter: string }[] | null;
  /** The caBundles as the leader observes them; `notAfter` is that of the CA that expires first. */
  readonly targets:
    readonly { readonly target: string; readonly trusts: number | null; readonly notAfter: string | null }[] | null;
  /** Null unless this replica is the leader. */
  readonly replicas: readonly { readonly name: string; readonly servingHash: string | null }[] | null;
  /** The objects whose write the API server lastingly refuses, as the leader observes it. */
  readonly refused: readonly { readonly object: string; readonly reason: string }[];
  /** The leader's next write, or what it waits for; null when there is nothing to do. */
  readonly step: string | null;
  /** The newest is the last. */
  readonly rotations: readonly RotationStatus[];
}

/** Input of the status beside the state. */
export interface StatusInput {
  readonly version: string;
  readonly namespace: string;
  readonly leaseName: string;
  /** Null where another issuer renews. */
  readonly renewBeforeMs: number | null;
  readonly identity: string;
  readonly leaderElection: boolean;
  readonly kubeletNudge: boolean;
  /** SERVING_ADDRESS as text; null when it is not set. */
  readonly neighbourAddress: string | null;
  readonly caOverlapMs: number;
  readonly reasons: readonly string[];
  readonly mountedLeaf: CertificateInfo | null;
  readonly step: string | null;
  readonly nowMs: number;
}

const millis = (ms: number): string => new Date(ms).toISOString();
const orNull = (ms: number | null): string | null => (ms === null ? null : millis(ms));

const secondsOrNull = (ms: number | null): string | null => (ms === null ? null : rfc3339Seconds(ms));

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
    : observation.replicas.map(({ name, servingHash }) => ({ name, servingHash }));

const neighbourOf = ({ shown }: ReplicaState, address: string | null): Status['neighbour'] => {
  if (address === null) return null;
  if (shown === null) return { address, shows: 'unknown', hash: null, since: null, detail: null };
  const { kind: shows, hash, sinceMs, detail } = shown;
  return { address, shows, hash, since: millis(sinceMs), detail };
};

/** Builds the document of `/status`. Pure. */
export const statusOf = (state: ReplicaState, input: StatusInput): Status => {
  const { identity, leaderElection, kubeletNudge, renewBeforeMs, reasons, mountedLeaf: leaf, step } = input;
  const { served } = state.readiness;
  const hash = state.mounted?.hash ?? null;
  return {
    version: input.version,
    namespace: input.namespace,
    lease: input.leaseName,
    role: state.leading ? 'leader' : leaderElection ? 'candidate' : 'follower',
    identity,
    leader: state.leader,
    ready: reasons.length === 0,
    reasons,
    waitsFor: pendingOn(state, input).map((blocker) => ({
      for: blocker.for,
      since: millis(blocker.sinceMs),
      detail: blocker.detail,
      until: secondsOrNull(waitEndsMs(state, blocker.for, input.caOverlapMs)),
      error: waitError(state, blocker.for),
    })),
    announced: announcedOf(state),
    mounted: hash === null ? null : { hash, ...(leaf === null ? UNREADABLE : leafOf(leaf)) },
    served: served === null ? null : { hash: served.hash, ...leafOf(served.leaf) },
    renewsAt: served === null || renewBeforeMs === null ? null : rfc3339Seconds(renewalMs(served.leaf, renewBeforeMs)),
    neighbour: neighbourOf(state, input.neighbourAddress),
    acknowledged: state.acknowledgedHash === null ? null : { hash: state.acknowledgedHash },
    acknowledges: kubeletNudge && !state.isPodForbidden,
    watch: { state: state.watch.state, since: millis(state.watch.sinceMs) },
    bundle:
      served?.bundle.map(({ subject, serial, notAfterMs }) => ({
        subject,
        serial,
        notAfter: rfc3339Seconds(notAfterMs),
      })) ?? null,
    targets: targetsOf(state),
    replicas: replicasOf(state),
    refused: state.refused,
    step,
    rotations: state.rotations.map(rotationOf),
  };
};

/**
 * Returns a function that parses the mounted leaf on demand, whether it may be served or not; null when there is none or it
 * cannot be read. One generation is parsed once.
 */
export const mountedLeaf = (
  mount: Pick<Mount, 'files'>,
): ((mounted: VolumeSnapshot | null) => CertificateInfo | null) => {
  let cached: { readonly generation: string; readonly leaf: CertificateInfo | null } | null = null;

  const parse = (generation: string): CertificateInfo | null => {
    const files = mount.files(generation);
    try {
      return files === null ? null : (describeCertificates(files.certificate)[0] ?? null);
    } catch {
      // The load that rejects the certificate reports the reason.
      return null;
    }
  };

  return (mounted) => {
    if (mounted?.hash == null) return null;
    const { generation } = mounted;
    if (cached?.generation !== generation) cached = { generation, leaf: parse(generation) };
    return cached.leaf;
  };
};
