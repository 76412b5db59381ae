import { CLOCK_SKEW_MS } from '../../streams/clock.ts';
import type { LeaseSnapshot } from '../../streams/model.ts';
import type { VolumeKind } from '../certificates/secret-volume.ts';
import type { ClusterPaths, TargetPath } from '../cluster/paths.ts';
import { isOwnCall } from '../cluster/targets.ts';
import type { Config } from '../config/config.ts';
import type { AccessSurvey } from './access.ts';
import type { GetResult } from './get.ts';
import type { Components, NetworkPolicy } from './inspect-components.ts';
import type { PodInfo, WorkloadInfo } from './inspect-pod.ts';
import type { CaInfo, SecretInfo, SourceInfo } from './inspect-secrets.ts';
import type { TargetCall, TargetInfo } from './inspect-target.ts';
import type { Located } from './locate.ts';
import type { Labels } from './matching.ts';
import type { WriteProbe } from './probe-writes.ts';

/** Whether the Lease is being renewed, by observed change: clocks are not compared. */
export interface Renewal {
  readonly renewed: boolean;
  /** How long it was observed, ms. */
  readonly watchedMs: number;
  /** The holder's clock minus the API server's, ms, as of the observed renewal; null when there was none. */
  readonly holderSkewMs: number | null;
}

/** A Lease with what its snapshot leaves out. */
export interface LeaseInfo extends LeaseSnapshot {
  readonly labels: Labels;
  readonly annotations: Labels;
  /** The field manager that wrote the holder last; null when it is this program, or unknown. */
  readonly electedBy: string | null;
}

/** CERT_DIR on this machine. */
export interface CertDirInfo {
  readonly kind: VolumeKind;
  /** SHA-256 of the `tls.crt` there. */
  readonly hash: string | null;
  readonly problem: string | null;
}

export interface TargetSnapshot {
  readonly path: TargetPath;
  readonly object: GetResult<TargetInfo>;
  /** Whether the API server accepts the leader's write of its caBundle. */
  readonly write: WriteProbe;
}

/** Everything that was read from cluster and disk. Checks are functions of it and read nothing else. */
export interface ClusterSnapshot extends AccessSurvey {
  /** The settings that are gone by, and where they come from. */
  readonly located: Located;
  readonly config: Config;
  readonly paths: ClusterPaths;
  /** Whether the check runs inside a replica. */
  readonly inReplica: boolean;
  /** The API server's clock, ms since the epoch; expiry is computed with it, not with the local clock. */
  readonly nowMs: number;
  /** The API server's clock minus the local one, to about a second; null when unknown. */
  readonly skewMs: number | null;
  readonly version: string;
  readonly server: string;
  readonly lease: GetResult<LeaseInfo>;
  readonly renewal: Renewal;
  /** Why the Lease cannot be watched; null when it can. */
  readonly watchProblem: string | null;
  readonly secret: GetResult<SecretInfo>;
  readonly ca: GetResult<CaInfo>;
  /** SOURCE_SECRET; null where the issuer reads none. */
  readonly source: GetResult<SourceInfo> | null;
  readonly pods: GetResult<readonly PodInfo[]>;
  /** What makes Pods in the namespace. Replicas have no permission to read it. */
  readonly workloads: GetResult<readonly WorkloadInfo[]>;
  /** The Pod that the Lease's holder is, if it is none of the replicas but in their namespace. */
  readonly stranger: { readonly labels: Labels } | null;
  readonly targets: readonly TargetSnapshot[];
  readonly namespaceLabels: GetResult<Labels>;
  readonly policies: GetResult<readonly NetworkPolicy[]>;
  readonly components: Components;
  readonly certDir: CertDirInfo;
  /** Whether the API server accepts an acknowledgement, and on which Pod that was probed; null when there is none. */
  readonly acknowledgement: { readonly pod: string; readonly write: WriteProbe } | null;
}

/** Whether a Lease's holder is this Pod. client-go's electors append `_UUID` to the name of the Pod. */
export const isHeldBy = (holder: string, podName: string): boolean =>
  holder === podName || holder.startsWith(`${podName}_`);

/** The announced hash, null when there is no usable announcement. */
export const announcedHash = ({ lease }: Pick<ClusterSnapshot, 'lease'>): string | null =>
  lease.state === 'there' ? (lease.value.announcement?.hash ?? null) : null;

/** A kubelet delivers within its sync period and its cache TTL, 60 s each; one minute is added for slow ones. */
const DELIVERY_MS = 180_000;

/** Whether the certificate in the Secret is old enough that every kubelet should have delivered it. */
export const isPastDeliveryTime = ({ secret, config, nowMs }: ClusterSnapshot): boolean => {
  const leaf = secret.state === 'there' ? secret.value.leaf : null;
  if (leaf === null) return true;
  const issuedMs = leaf.notBeforeMs + (config.issuer.keepsCa ? CLOCK_SKEW_MS : 0);
  return nowMs - issuedMs > DELIVERY_MS;
};

/** The calls of a target to this installation, by the rule of the leader. Others keep their own caBundle. */
export const ownCalls = (
  { config }: Pick<ClusterSnapshot, 'config'>,
  { calls }: Pick<TargetInfo, 'calls'>,
): readonly TargetCall[] => calls.filter((call) => isOwnCall(config, call));
