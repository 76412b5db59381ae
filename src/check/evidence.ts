import type { LeaseSnapshot } from '../../streams/model.ts';
import type { MountKind } from '../certificates/mount-kind.ts';
import type { ClusterPaths, TargetPath } from '../cluster-paths.ts';
import type { Config } from '../config.ts';
import type { Access } from './ask-access.ts';
import type { AuthorityLook } from './look-at-authority.ts';
import type { NetworkPolicy } from './look-at-policy.ts';
import type { PodLook } from './look-at-pod.ts';
import type { SecretLook } from './look-at-secret.ts';
import type { TargetLook } from './look-at-target.ts';
import type { Look } from './look.ts';
import type { Renewal } from './observe-renewal.ts';

export type Labels = Readonly<Record<string, string>>;

/** A Lease and the labels that an objectSelector would go by. */
export interface LeaseLook extends LeaseSnapshot {
  readonly labels: Labels;
}

/** CERT_DIR on this machine. */
export interface CertDirLook {
  readonly kind: MountKind;
  /** SHA-256 of the `tls.crt` there. */
  readonly hash: string | null;
  readonly problem: string | null;
}

export interface SeenTarget {
  readonly path: TargetPath;
  readonly look: Look<TargetLook>;
}

/** Everything that was looked at. What is made of it is decided without asking anybody again. */
export interface Evidence {
  readonly config: Config;
  readonly paths: ClusterPaths;
  /** Whether this runs in a replica, as opposed to somebody's desk. */
  readonly inReplica: boolean;
  /** The API server's clock, ms since the epoch: certificates are judged by it, not by the desk's. */
  readonly nowMs: number;
  /** The API server's clock minus this machine's, to about a second; null when it did not say. */
  readonly skewMs: number | null;
  readonly version: string;
  readonly server: string;
  /** One for each account that replicas run under, or one for whoever asks. */
  readonly access: readonly Access[];
  /** Why the authorizer cannot be asked, else null. */
  readonly accessProblem: string | null;
  readonly lease: Look<LeaseLook>;
  readonly renewal: Renewal;
  /** Why the Lease cannot be watched; null when it can. */
  readonly watchProblem: string | null;
  readonly secret: Look<SecretLook>;
  readonly authority: Look<AuthorityLook>;
  readonly pods: Look<readonly PodLook[]>;
  readonly targets: readonly SeenTarget[];
  readonly namespaceLabels: Look<Labels>;
  readonly policies: Look<readonly NetworkPolicy[]>;
  readonly certDir: CertDirLook;
}
