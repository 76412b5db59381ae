import type { Wait } from './waits.ts';

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
  readonly waitsFor: readonly (Omit<Wait, 'sinceMs'> & { readonly since: string })[];
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
  /** The leader's next write, or what it holds for; null when there is nothing to do. */
  readonly step: string | null;
  /** The newest last. */
  readonly rotations: readonly RotationStatus[];
}
