import { type Counter, createCounter, createHistogram, type Histogram } from './instruments.ts';

/** What is counted as it happens. Counting is an addition; nothing is rendered or loaded before the first scrape. */
export interface Metrics {
  /** result: `served` or `rejected`. */
  readonly loads: Counter;
  /** reason: why the Lease watch was restarted. */
  readonly watchRestarts: Counter;
  /** verb, resource, code; code 0 when no answer came. */
  readonly apiRequests: Counter;
  /** target: two a rotation of the CA, and one for each repair. */
  readonly caBundleWrites: Counter;
  /** target: a caBundle that another writer keeps taking away; one more each time that a fight begins. */
  readonly contests: Counter;
  /** object: one whose write the API server lastingly refuses; one more for each reason. */
  readonly refusedWrites: Counter;
  /** outcome: see webhook/answered.ts. */
  readonly admissionRequests: Counter;
  /** kind: see webhook/trouble.ts. */
  readonly connectionErrors: Counter;
  readonly admissionDuration: Histogram;
  /** From the announcement of a hash to its arrival in the mounted directory. */
  readonly kubeletSync: Histogram;
  /** From the first sight of a hash to serving it. */
  readonly adoption: Histogram;
}

const outcomes = ['allowed', 'denied', 'forwarded', 'refused', 'failed', 'aborted'];
/** An API server waits 30 s at most. */
const admissionSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** A nudged kubelet takes 0.2 s, one left alone up to about 90 s. */
const rotationSeconds = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 90, 120, 300, 600];

const named = (name: string) => `webhook_certd_${name}`;
const each = (values: readonly string[]) => values.map((value) => [value]);

/** @param targets the caBundles that may be fought about */
export const createMetrics = (targets: readonly string[] = []): Metrics => ({
  loads: createCounter(named('loads_total'), 'Certificate loads by result.', ['result'], each(['served', 'rejected'])),
  watchRestarts: createCounter(named('watch_restarts_total'), 'Restarts of the Lease watch by reason.', ['reason']),
  apiRequests: createCounter(named('api_requests_total'), 'Requests to the Kubernetes API; code 0 is no answer.', [
    'verb',
    'resource',
    'code',
  ]),
  caBundleWrites: createCounter(
    named('ca_bundle_writes_total'),
    'Writes of a caBundle: two a rotation of the CA, one for each repair.',
    ['target'],
    each(targets),
  ),
  contests: createCounter(
    named('contests_total'),
    'Fights with another writer: over a caBundle, secret (SECRET_NAME), authority (SECRET_NAME-ca) or announcement.',
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
    each(outcomes),
  ),
  connectionErrors: createCounter(named('connection_errors_total'), 'Misbehaving or failed connections by kind.', [
    'kind',
  ]),
  admissionDuration: createHistogram(
    named('admission_duration_seconds'),
    'Time from an admission request to the end of its answer.',
    admissionSeconds,
  ),
  kubeletSync: createHistogram(
    named('kubelet_sync_seconds'),
    'Time from the announcement of a certificate to its arrival in the mounted directory.',
    rotationSeconds,
  ),
  adoption: createHistogram(
    named('adoption_seconds'),
    'Time from the first sight of a certificate to serving it.',
    rotationSeconds,
  ),
});
