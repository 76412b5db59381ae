import { mayBeServing } from '../../streams/acknowledged.ts';
import type { CertificateInfo, Replica } from '../../streams/model.ts';
import type { ClusterState } from '../../streams/observe-cluster.ts';
import { has } from '../../streams/trust.ts';

/** The state of the installation when a rotation was requested. */
export interface RotationStart {
  /** The CA too, not only the leaf. */
  readonly ca: boolean;
  readonly hash: string | null;
  /** Fingerprint of the CA to be replaced; null when it could not be read. */
  readonly authority: string | null;
  /** The CAs that each caBundle target trusted. */
  readonly trusted: ReadonlyMap<string, readonly CertificateInfo[]>;
  /** The Lease's renewTime: there is a leader as long as it changes. */
  readonly renewTime: string | null;
}

/** @param rotate the request on the Lease; once begun, it names the CA that it replaces */
export const rotationStart = (
  { lease, ca: authority, targets }: ClusterState,
  rotate: string | null,
): RotationStart => ({
  ca: rotate !== 'leaf',
  hash: lease.announcement?.hash ?? null,
  authority: rotate?.startsWith('ca/')
    ? rotate.slice('ca/'.length)
    : typeof authority === 'string'
      ? null
      : (authority.current?.fingerprint ?? null),
  trusted: new Map(targets.map(({ id, state }) => [id, typeof state === 'string' ? [] : state.bundles.flat()])),
  renewTime: lease.renewTime,
});

/** The replicas that may be serving: those that the leader waits for. */
const liveReplicas = (replicas: readonly Replica[], nowMs: number): readonly Replica[] =>
  replicas.filter((replica) => mayBeServing(replica, nowMs));

/** One step of a rotation, as it is printed. */
interface RotationStage {
  /** Identifies the step, independent of its text. */
  readonly key: string;
  readonly reached: boolean;
  /** Null while there is nothing to print. */
  readonly line: string | null;
  /** Whether it passes by itself: it waits for TRUST_SETTLE. */
  readonly settles?: true;
}

export interface RotationTerms {
  readonly podSelector: string;
  readonly kubeletNudge: boolean;
  readonly caOverlapMs: number;
  readonly trustSettleMs: number;
  readonly nowMs: number;
}

const stage = (key: string, reached: boolean, line: string): RotationStage => ({
  key,
  reached,
  line: reached ? line : null,
});

const pickedUp = ({ authority }: RotationStart, { lease: { holder, rotate } }: ClusterState): RotationStage =>
  stage(
    'picked-up',
    rotate !== 'ca',
    `picked up by ${holder ?? 'the leader'}${authority === null ? '' : `, replaces the CA ${authority}`}`,
  );

/** The new CA; null while the previous one is current, or when the CA cannot be read. */
const successor = ({ authority: before }: RotationStart, { ca: authority }: ClusterState): CertificateInfo | null =>
  typeof authority === 'string' || before === null || authority.current?.fingerprint === before
    ? null
    : authority.current;

const authorityIssued = (start: RotationStart, seen: ClusterState): readonly RotationStage[] => {
  if (typeof seen.ca === 'string' || start.authority === null) return [];
  const next = successor(start, seen);
  return [stage('ca', next !== null, `new CA issued: ${next?.fingerprint ?? ''}`)];
};

const bundlesExtended = (start: RotationStart, seen: ClusterState): readonly RotationStage[] =>
  seen.targets.flatMap(({ id, state }) => {
    if (typeof state === 'string') return [];
    const next = successor(start, seen);
    const before = start.trusted.get(id) ?? [];
    const isExtended = state.bundles.every((bundle) =>
      next === null ? bundle.some((one) => !has(before, one)) : has(bundle, next),
    );
    return [stage(id, isExtended, `caBundle extended: ${id}`)];
  });

const secretWritten = (start: RotationStart, { secret }: ClusterState): readonly RotationStage[] =>
  typeof secret === 'string'
    ? []
    : [stage('secret', secret.hash !== null && secret.hash !== start.hash, `Secret written: ${secret.hash ?? ''}`)];

/** The wait for the API servers; left out where nothing waits, as in a rotation whose new CA the older one has signed. */
const trustSettled = (
  start: RotationStart,
  { lease: { trusted }, secret }: ClusterState,
  { trustSettleMs, nowMs }: RotationTerms,
): readonly RotationStage[] => {
  const untilMs = (trusted?.sinceMs ?? 0) + trustSettleMs;
  if (untilMs <= nowMs || typeof secret === 'string' || secret.hash !== start.hash) return [];
  const until = new Date(untilMs).toISOString().replace(/\.\d+/, '');
  return [
    {
      key: 'settled',
      reached: false,
      settles: true,
      line: `waiting until ${until} (TRUST_SETTLE): every API server takes up the caBundles`,
    },
  ];
};

const announced = (start: RotationStart, { lease: { announcement, rotate } }: ClusterState): RotationStage =>
  stage(
    'announced',
    rotate === null && announcement !== null && announcement.hash !== start.hash,
    `announced: ${announcement?.hash ?? ''}, valid until ${announcement?.validUntil ?? ''}`,
  );

const acknowledged = ({ lease, replicas }: ClusterState, terms: RotationTerms): RotationStage => {
  const key = 'acknowledged';
  if (!terms.kubeletNudge)
    return stage(key, true, 'acknowledgements are off (KUBELET_NUDGE=false): allow the kubelets two minutes');
  if (typeof replicas === 'string')
    return stage(key, true, 'the Pods are not readable, so acknowledgements are unknown');
  const live = liveReplicas(replicas, terms.nowMs);
  const serving = live.filter(({ servingHash }) => servingHash === lease.announcement?.hash).length;
  if (live.length === 0) return { key, reached: false, line: `no live replica matches ${terms.podSelector}` };
  return { key, reached: serving === live.length, line: `acknowledged: ${serving}/${live.length} replicas` };
};

const olderCa = ({ ca: authority, lease }: ClusterState, { caOverlapMs, nowMs }: RotationTerms): RotationStage => {
  if (typeof authority !== 'string' && authority.bundle.length === 1)
    return stage('older-ca', true, 'the older CA is removed');
  const untilMs = (lease.servedSinceMs ?? nowMs) + caOverlapMs;
  return stage(
    'older-ca',
    true,
    `the older CA is kept until ${new Date(untilMs).toISOString().replace(/\.\d+/, '')} (CA_OVERLAP), then removed`,
  );
};

/** The steps of a rotation in their order (L1). Steps on unreadable objects are left out. */
const rotationStages = (start: RotationStart, seen: ClusterState, terms: RotationTerms): readonly RotationStage[] => [
  ...(start.ca ? [pickedUp(start, seen), ...authorityIssued(start, seen), ...bundlesExtended(start, seen)] : []),
  ...trustSettled(start, seen, terms),
  ...secretWritten(start, seen),
  announced(start, seen),
  acknowledged(seen, terms),
  ...(start.ca ? [olderCa(seen, terms)] : []),
];

/** Whether a rotation waits for TRUST_SETTLE, which is no standstill. */
export const isSettling = (start: RotationStart, seen: ClusterState, terms: RotationTerms): boolean =>
  rotationStages(start, seen, terms).find(({ reached }) => !reached)?.settles === true;

/** A hint on what to inspect when a rotation makes no progress. */
export const rotationHint = (
  start: RotationStart,
  { lease, replicas, targets }: ClusterState,
  { namespace, nowMs }: { readonly namespace: string; readonly nowMs: number },
): string => {
  const { holder, renewTime, announcement, rotate } = lease;
  if (holder === null)
    return `no leader: the Lease has no holder. Is a replica running, and LEADER_ELECTION not false? kubectl -n ${namespace} get pods`;
  const log = `kubectl -n ${namespace} logs ${holder}`;
  if (renewTime === start.renewTime)
    return `no leader: ${holder} holds the Lease but has not renewed it. Is it running? ${log}`;
  if (rotate !== null) return `the leader ${holder} has not finished; its log says what it waits for: ${log}`;
  const missing = targets.filter(({ state }) => state === 'absent').map(({ id }) => id);
  if (missing.length > 0) return `there is no ${missing.join(', ')}; ${log}`;
  const late = (typeof replicas === 'string' ? [] : liveReplicas(replicas, nowMs)).filter(
    ({ servingHash }) => servingHash !== announcement?.hash,
  );
  if (late.length === 0) return `see the leader's log: ${log}`;
  const names = late.map(
    ({ name, servingHash }) =>
      `${name} ${servingHash === null ? 'has no serving-hash annotation' : `serves ${servingHash}`}`,
  );
  return `not acknowledged: ${names.join(', ')}. Is KUBELET_NUDGE false there, or the permission to patch pods/status missing? webhook-certd check`;
};

/** The printed part of a rotation, and whether it has ended. */
export interface RotationReport {
  /** Keys of the lines printed so far. */
  readonly printed: ReadonlySet<string>;
  /** Lines to be printed now. */
  readonly fresh: readonly string[];
  /** Null while it continues. */
  readonly exitCode: 0 | 1 | null;
}

export const initialReport: RotationReport = { printed: new Set(), fresh: [], exitCode: null };

/** A step is printed once when it is reached; before that, once for each distinct line. */
const keyOf = ({ key, reached, line }: RotationStage): string => (reached ? key : `${key} ${line ?? ''}`);

const REQUEST_REMOVED =
  'the request is gone and nothing was rotated: is CERT_ISSUER external there, or was the annotation removed?';

/**
 * Reports the steps reached, in their order and each once. Watch events of different objects arrive in any order, so a
 * later step that is observed first waits for the earlier ones.
 *
 * @param seen no older than the request
 */
export const nextReport = (
  { printed }: RotationReport,
  start: RotationStart,
  seen: ClusterState,
  terms: RotationTerms,
): RotationReport => {
  const { rotate, announcement } = seen.lease;
  if (rotate === null && (announcement?.hash ?? null) === start.hash)
    return { printed, fresh: [REQUEST_REMOVED], exitCode: 1 };

  const stages = rotationStages(start, seen, terms);
  const unreached = stages.findIndex(({ reached }) => !reached);
  const shown = unreached === -1 ? stages : stages.slice(0, unreached + 1);
  const fresh = shown.filter((stage) => stage.line !== null && !printed.has(keyOf(stage)));
  const next = new Set([...printed, ...fresh.map(keyOf)]);
  return { printed: next, fresh: fresh.flatMap(({ line }) => line ?? []), exitCode: unreached === -1 ? 0 : null };
};
