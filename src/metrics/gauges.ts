import type { ReplicaState } from '../status/replica-state.ts';
import type { StatusInput } from '../status/status.ts';
import type { MetricFamily, Sample } from './instruments.ts';

/** What is read when somebody scrapes. Times in ms since the epoch; what is absent is null and has no series. */
export interface MetricsSnapshot {
  readonly version: string;
  readonly ready: boolean;
  readonly leader: boolean;
  /** What is announced is not what is served. */
  readonly mismatch: boolean;
  readonly servedNotAfterMs: number | null;
  readonly mountedNotAfterMs: number | null;
  readonly secretNotAfterMs: number | null;
  /** The authority that expires first in each target's caBundle. */
  readonly bundles: readonly { readonly target: string; readonly notAfterMs: number }[] | null;
  /** Hash that each replica says it serves; only the leader knows. */
  readonly servingHashes: readonly (string | null)[] | null;
  /** What the leader is doing or waiting for; null when there is nothing to do, or when this is not the leader. */
  readonly rotationStep: string | null;
}

const gauge = (name: string, help: string, values: readonly Sample[]): MetricFamily => ({
  name: `webhook_certd_${name}`,
  help,
  type: 'gauge',
  values,
});

const plain = (value: number | boolean): Sample[] => [{ labels: {}, value: Number(value) }];
const expiry = (notAfterMs: number | null | undefined) => (notAfterMs == null ? [] : plain(notAfterMs / 1_000));

const countedByHash = (hashes: readonly (string | null)[]): Sample[] => {
  const counts = new Map<string, number>();
  for (const hash of hashes) counts.set(hash ?? '', (counts.get(hash ?? '') ?? 0) + 1);
  return Array.from(counts, ([hash, value]) => ({ labels: { hash }, value }));
};

/** The metrics that are a state and not a count. */
export const gauges = (now: MetricsSnapshot): readonly MetricFamily[] =>
  [
    gauge('build_info', 'Always 1; the version is in the label.', [{ labels: { version: now.version }, value: 1 }]),
    gauge('ready', '1 when calls may be sent to this replica.', plain(now.ready)),
    gauge('leader', '1 when this replica issues and announces.', plain(now.leader)),
    gauge('hash_mismatch', '1 while the announced certificate is not the one being served.', plain(now.mismatch)),
    gauge(
      'served_certificate_expiry_timestamp_seconds',
      'notAfter of the served certificate.',
      expiry(now.servedNotAfterMs),
    ),
    gauge(
      'mounted_certificate_expiry_timestamp_seconds',
      'notAfter of the mounted certificate.',
      expiry(now.mountedNotAfterMs),
    ),
    gauge(
      'secret_certificate_expiry_timestamp_seconds',
      'notAfter of the certificate in the Secret.',
      expiry(now.secretNotAfterMs),
    ),
    gauge(
      'ca_bundle_expiry_timestamp_seconds',
      'notAfter of the authority that expires first in a caBundle.',
      (now.bundles ?? []).map(({ target, notAfterMs }) => ({ labels: { target }, value: notAfterMs / 1_000 })),
    ),
    gauge(
      'replicas',
      'Replicas by the hash they say they serve; empty when they have not said.',
      countedByHash(now.servingHashes ?? []),
    ),
    gauge(
      'rotation_step',
      '1 for what the leader does next or holds for; absent when there is nothing to do.',
      now.rotationStep == null ? [] : [{ labels: { step: now.rotationStep }, value: 1 }],
    ),
  ].filter(({ values }) => values.length > 0);

const bundlesOf = ({ observation }: ReplicaState): MetricsSnapshot['bundles'] =>
  observation?.targets.flatMap(({ id, state }) => {
    const certificates = typeof state === 'string' ? [] : state.bundles.flat();
    if (certificates.length === 0) return [];
    return [{ target: id, notAfterMs: Math.min(...certificates.map(({ notAfterMs }) => notAfterMs)) }];
  }) ?? null;

const secretNotAfterMs = ({ observation }: ReplicaState): number | null => {
  const secret = observation?.secret;
  return typeof secret === 'object' ? (secret.leaf?.notAfterMs ?? null) : null;
};

/** How things stand, as numbers for `/metrics`. Pure. */
export const snapshotOf = (
  standing: ReplicaState,
  { reasons, mountedLeaf, step }: Pick<StatusInput, 'reasons' | 'mountedLeaf' | 'step'>,
  version: string,
): MetricsSnapshot => {
  const { announced, leading, readiness, observation } = standing;
  const replicas = typeof observation?.replicas === 'object' ? observation.replicas : null;
  return {
    version,
    ready: reasons.length === 0,
    leader: leading,
    mismatch: announced !== null && announced.hash !== readiness.served?.hash,
    servedNotAfterMs: readiness.served?.leaf.notAfterMs ?? null,
    mountedNotAfterMs: mountedLeaf?.notAfterMs ?? null,
    secretNotAfterMs: secretNotAfterMs(standing),
    bundles: bundlesOf(standing),
    servingHashes: replicas?.map(({ servingHash }) => servingHash) ?? null,
    rotationStep: step,
  };
};
