import type { ReplicaState } from '../status/replica-state.ts';
import type { StatusInput } from '../status/status.ts';
import type { BindAddress } from '../util/listen.ts';
import { type Page, type PlainServer, startPlainServer, textPage } from '../util/plain-server.ts';
import { type Counter, type Histogram, type MetricFamily, metricsPage, type Sample } from './instruments.ts';
import type { Metrics } from './metrics.ts';
import { processFamilies, type ProcessUsage } from './process-usage.ts';

/** The values of the gauges at the time of a scrape. Times are ms since the epoch; null has no series. */
export interface MetricsSnapshot {
  readonly version: string;
  readonly ready: boolean;
  readonly leader: boolean;
  /** Whether the announced certificate is not the served one. */
  readonly mismatch: boolean;
  readonly servedNotAfterMs: number | null;
  readonly mountedNotAfterMs: number | null;
  readonly secretNotAfterMs: number | null;
  /** Expiry of the CA that expires first in the caBundle of each target. */
  readonly bundles: readonly { readonly target: string; readonly notAfterMs: number }[] | null;
  /** The hash that each replica's Pod annotation names; null unless this replica is the leader. */
  readonly servingHashes: readonly (string | null)[] | null;
  /** The objects that the leader has set aside because the API server refuses their write. */
  readonly refused: readonly string[];
  /** What the server at SERVING_ADDRESS shows: `announced`, or why not; null without one. */
  readonly neighbour: string | null;
  /** The leader's next write or what it waits for; null when there is nothing to do, or on other replicas. */
  readonly rotationStep: string | null;
}

const single = (value: number | boolean | null): readonly Sample[] =>
  value === null ? [] : [{ labels: {}, value: Number(value) }];
const seconds = (ms: number | null): number | null => (ms === null ? null : ms / 1_000);

const replicasByHash = (hashes: readonly (string | null)[]): readonly Sample[] => {
  const counts = new Map<string, number>();
  for (const hash of hashes) counts.set(hash ?? '', (counts.get(hash ?? '') ?? 0) + 1);
  return Array.from(counts, ([hash, value]) => ({ labels: { hash }, value }));
};

const NEIGHBOUR_SHOWS = [
  'announced',
  'served-elsewhere',
  'neighbour-unreachable',
  'neighbour-shows-no-certificate',
  'unknown',
] as const;

/** Each gauge: name, help, and its samples at a moment. */
const GAUGES: readonly (readonly [string, string, (now: MetricsSnapshot) => readonly Sample[]])[] = [
  ['build_info', 'Always 1; the version is in the label.', ({ version }) => [{ labels: { version }, value: 1 }]],
  ['ready', '1 when this replica is ready.', ({ ready }) => single(ready)],
  ['leader', '1 when this replica leads: it issues and announces.', ({ leader }) => single(leader)],
  [
    'hash_mismatch',
    '1 while the announced certificate is not the one being served.',
    ({ mismatch }) => single(mismatch),
  ],
  [
    'served_certificate_expiry_timestamp_seconds',
    'notAfter of the served certificate.',
    ({ servedNotAfterMs }) => single(seconds(servedNotAfterMs)),
  ],
  [
    'mounted_certificate_expiry_timestamp_seconds',
    'notAfter of the mounted certificate.',
    ({ mountedNotAfterMs }) => single(seconds(mountedNotAfterMs)),
  ],
  [
    'secret_certificate_expiry_timestamp_seconds',
    'notAfter of the certificate in the Secret.',
    ({ secretNotAfterMs }) => single(seconds(secretNotAfterMs)),
  ],
  [
    'ca_bundle_expiry_timestamp_seconds',
    'notAfter of the CA that expires first in a caBundle.',
    ({ bundles }) =>
      (bundles ?? []).map(({ target, notAfterMs }) => ({ labels: { target }, value: notAfterMs / 1_000 })),
  ],
  [
    'replicas',
    'Replicas by the hash that their Pod annotation says they serve; empty without the annotation.',
    ({ servingHashes }) => replicasByHash(servingHashes ?? []),
  ],
  [
    'refused_objects',
    '1 for each object that is set aside because the API server lastingly refuses its write; leader only.',
    ({ refused }) => refused.map((object) => ({ labels: { object }, value: 1 })),
  ],
  [
    'neighbour',
    '1 for what the server at SERVING_ADDRESS was last seen to show: announced, or why not.',
    ({ neighbour }) =>
      neighbour === null
        ? []
        : NEIGHBOUR_SHOWS.map((shows) => ({ labels: { shows }, value: Number(shows === neighbour) })),
  ],
  [
    'rotation_step',
    '1 for what the leader does next or waits for; absent when there is nothing to do.',
    ({ rotationStep }) => (rotationStep === null ? [] : [{ labels: { step: rotationStep }, value: 1 }]),
  ],
];

/** The metrics that describe a state. A gauge without a value is omitted. */
export const gauges = (now: MetricsSnapshot): readonly MetricFamily[] =>
  GAUGES.map(([name, help, samplesOf]): MetricFamily => ({
    name: `webhook_certd_${name}`,
    help,
    type: 'gauge',
    values: samplesOf(now),
  })).filter(({ values }) => values.length > 0);

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

/** The values of the gauges for a state. Pure. */
export const snapshotOf = (
  state: ReplicaState,
  {
    reasons,
    mountedLeaf,
    step,
    neighbourAddress,
  }: Pick<StatusInput, 'reasons' | 'mountedLeaf' | 'step' | 'neighbourAddress'>,
  version: string,
): MetricsSnapshot => {
  const { announced, leading, readiness, observation, refused } = state;
  const replicas = typeof observation?.replicas === 'object' ? observation.replicas : null;
  return {
    version,
    ready: reasons.length === 0,
    leader: leading,
    mismatch: announced !== null && announced.hash !== readiness.served?.hash,
    servedNotAfterMs: readiness.served?.leaf.notAfterMs ?? null,
    mountedNotAfterMs: mountedLeaf?.notAfterMs ?? null,
    secretNotAfterMs: secretNotAfterMs(state),
    bundles: bundlesOf(state),
    servingHashes: replicas?.map(({ servingHash }) => servingHash) ?? null,
    refused: refused.map(({ object }) => object),
    neighbour: neighbourAddress === null ? null : (state.shown?.kind ?? 'unknown'),
    rotationStep: step,
  };
};

interface MetricsOptions {
  readonly bind: BindAddress;
  readonly metrics: Metrics;
  readonly snapshot: () => MetricsSnapshot;
  /** What the process uses; absent where it is not this program's own. */
  readonly usage?: (() => Promise<ProcessUsage>) | undefined;
}

/**
 * Serves `/metrics` for Prometheus over plain HTTP.
 *
 * @throws Problem when the address cannot be bound
 */
export const startMetrics = ({ bind, metrics, snapshot, usage }: MetricsOptions): Promise<PlainServer> => {
  const page = async (): Promise<Page> => {
    const counted = Object.values<Counter | Histogram>({ ...metrics }).map((each) => each.family());
    const used = usage === undefined ? [] : processFamilies(await usage());
    return metricsPage([...gauges(snapshot()), ...counted, ...used]);
  };
  return startPlainServer(bind, { '/metrics': page, '/': () => textPage(200, 'metrics are at /metrics\n') });
};
