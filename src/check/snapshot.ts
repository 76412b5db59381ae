import type { LeaseSnapshot } from '../../streams/model.ts';
import type { VolumeKind } from '../certificates/volume-kind.ts';
import type { ClusterPaths, TargetPath } from '../cluster/paths.ts';
import type { Config } from '../config/config.ts';
import type { Access } from './access.ts';
import type { GetResult } from './get.ts';
import type { PodInfo } from './inspect-pod.ts';
import type { NetworkPolicy } from './inspect-policy.ts';
import type { CaInfo, SecretInfo } from './inspect-secrets.ts';
import type { TargetInfo } from './inspect-target.ts';
import type { Labels } from './matching.ts';

/** Whether the Lease lives, by what was seen to change while we watched: nobody's clock is trusted. */
export interface Renewal {
  readonly renewed: boolean;
  /** How long it was watched, ms. */
  readonly watchedMs: number;
  /** The holder's clock minus the API server's, ms, read off the renewal that was seen; null when none was. */
  readonly holderSkewMs: number | null;
}

/** A Lease and the labels that an objectSelector would go by. */
export interface LeaseInfo extends LeaseSnapshot {
  readonly labels: Labels;
}

/** CERT_DIR on this machine. */
export interface CertDirInfo {
  readonly kind: VolumeKind;
  /** SHA-256 of the `tls.crt` there. */
  readonly hash: string | null;
  readonly problem: string | null;
}

export interface SeenTarget {
  readonly path: TargetPath;
  readonly look: GetResult<TargetInfo>;
}

/** Everything that was looked at. What is made of it is decided without asking anybody again. */
export interface ClusterSnapshot {
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
  readonly lease: GetResult<LeaseInfo>;
  readonly renewal: Renewal;
  /** Why the Lease cannot be watched; null when it can. */
  readonly watchProblem: string | null;
  readonly secret: GetResult<SecretInfo>;
  readonly authority: GetResult<CaInfo>;
  readonly pods: GetResult<readonly PodInfo[]>;
  readonly targets: readonly SeenTarget[];
  readonly namespaceLabels: GetResult<Labels>;
  readonly policies: GetResult<readonly NetworkPolicy[]>;
  readonly certDir: CertDirInfo;
}

/** The hash on the Lease, null when there is none that can be used. */
export const announcedHash = ({ lease }: Pick<ClusterSnapshot, 'lease'>): string | null =>
  lease.state === 'there' ? (lease.value.announcement?.hash ?? null) : null;

/** A kubelet delivers within its sync period and its cache's, 60 s each; a minute more for slow ones. */
const DELIVERY_MS = 180_000;
/** What the leader sets notBefore back by (L5); an external issuer that does not makes us patient for longer. */
const BACKDATED_MS = 3_600_000;

/** Whether the certificate in the Secret is old enough that every kubelet has had to deliver it. */
export const isPastDeliveryTime = ({ secret, config, nowMs }: ClusterSnapshot): boolean => {
  const leaf = secret.state === 'there' ? secret.value.leaf : null;
  if (leaf === null) return true;
  const issuedMs = leaf.notBeforeMs + (config.issuer.writesSecret ? BACKDATED_MS : 0);
  return nowMs - issuedMs > DELIVERY_MS;
};
