import type { ReplicaEvent } from '../../streams/replica.ts';
import { createCounter, createHistogram } from './instruments.ts';

const OUTCOMES = ['allowed', 'denied', 'forwarded', 'refused', 'failed', 'aborted'];
/** An API server waits 30 s at most. */
const ADMISSION_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** A nudged kubelet takes 0.2 s, otherwise up to about 90 s. */
const ROTATION_SECONDS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 90, 120, 300, 600];

const named = (name: string) => `webhook_certd_${name}`;
const each = (values: readonly string[]) => values.map((value) => [value]);

/**
 * Creates the counters and histograms. Recording is an addition; nothing is rendered or imported before the first scrape.
 *
 * @param targets ids of the caBundle targets
 */
export const createMetrics = (targets: readonly string[] = []) => ({
  loads: createCounter(named('loads_total'), 'Certificate loads by result.', ['result'], each(['served', 'rejected'])),
  watchRestarts: createCounter(named('watch_restarts_total'), 'Restarts of the Lease watch by reason.', ['reason']),
  apiRequests: createCounter(named('api_requests_total'), 'Requests to the Kubernetes API; code 0 means no response.', [
    'verb',
    'resource',
    'code',
  ]),
  caBundleWrites: createCounter(
    named('ca_bundle_writes_total'),
    'Writes of a caBundle: two per rotation of the CA, one per repair.',
    ['target'],
    each(targets),
  ),
  /** Incremented each time that contention begins. */
  contests: createCounter(
    named('contests_total'),
    'Contentions with another writer: over a caBundle, secret (SECRET_NAME), ca (SECRET_NAME-ca) or announcement.',
    ['object'],
    each([...targets, 'secret', 'ca', 'announcement']),
  ),
  refusedWrites: createCounter(
    named('refused_writes_total'),
    'Objects set aside because the API server lastingly refuses their write, one more for each reason.',
    ['object'],
    each([...targets, 'secret', 'ca', 'announcement']),
  ),
  admissionRequests: createCounter(
    named('admission_requests_total'),
    'Admission requests by outcome.',
    ['outcome'],
    each(OUTCOMES),
  ),
  connectionErrors: createCounter(named('connection_errors_total'), 'Misbehaving or failed connections by kind.', [
    'kind',
  ]),
  admissionDuration: createHistogram(
    named('admission_duration_seconds'),
    'Time from an admission request to the end of its response.',
    ADMISSION_SECONDS,
  ),
  kubeletSync: createHistogram(
    named('kubelet_sync_seconds'),
    'Time from the announcement of a certificate to its arrival in the mounted directory.',
    ROTATION_SECONDS,
  ),
  adoption: createHistogram(
    named('adoption_seconds'),
    'Time from the first sight of a certificate to serving it.',
    ROTATION_SECONDS,
  ),
});

export type Metrics = ReturnType<typeof createMetrics>;

/**
 * Returns a function that records the metrics of each event. The sync time of the kubelet is measured from the announcement
 * until the announced certificate is mounted.
 *
 * @param nowMs a monotonic clock
 */
export const recordMetrics = (metrics: Metrics, nowMs: () => number): ((event: ReplicaEvent) => void) => {
  let served: string | null = null;
  let awaited: { readonly hash: string; readonly sinceMs: number } | null = null;

  return (event) => {
    switch (event.type) {
      case 'watch/closed':
      case 'watch/failed':
        metrics.watchRestarts.add(event.type === 'watch/closed' ? event.reason : 'failed');
        return;
      case 'desired/changed': {
        const { lease, mounted } = event.desired;
        const hash = lease?.announcement?.hash ?? null;
        if (hash === null) awaited = null;
        else if (mounted.hash === hash) {
          if (awaited?.hash === hash) metrics.kubeletSync.observe((nowMs() - awaited.sinceMs) / 1000);
          awaited = null;
        } else if (awaited?.hash !== hash) awaited = { hash, sinceMs: nowMs() };
        return;
      }
      case 'step/done':
        if (event.step.kind === 'inject') metrics.caBundleWrites.add(event.step.target);
        return;
      case 'object/contested':
        metrics.contests.add(event.object);
        return;
      case 'object/refused':
        metrics.refusedWrites.add(event.object);
        return;
      case 'certificate/concluded':
        if (event.load.type === 'certificate/rejected') metrics.loads.add('rejected');
        if (event.load.type !== 'certificate/served') return;
        metrics.loads.add('served');
        // Loading the same certificate again, because its bundle changed, is not an adoption.
        if (event.load.pair.hash !== served) metrics.adoption.observe(event.elapsedMs / 1000);
        served = event.load.pair.hash;
        return;
      default:
    }
  };
};
