import { createSpread, createTally, type Spread, type Tally } from './instruments.ts';

/** What is counted as it happens. Counting is an addition; nothing is rendered or loaded before the first scrape. */
export interface Meters {
  /** result: `served` or `rejected`. */
  readonly loads: Tally;
  /** reason: why the Lease watch was restarted. */
  readonly watchRestarts: Tally;
  /** verb, resource, code; code 0 when no answer came. */
  readonly apiRequests: Tally;
  /** target: two a rotation of the CA, and one for each repair. */
  readonly caBundleWrites: Tally;
  /** target: a caBundle that another writer keeps taking away; one more each time that a fight begins. */
  readonly contests: Tally;
  /** outcome: see webhook/answered.ts. */
  readonly admissionRequests: Tally;
  /** kind: see webhook/trouble.ts. */
  readonly connectionTroubles: Tally;
  readonly admissionDuration: Spread;
  /** From the announcement of a hash to its arrival in the mounted directory. */
  readonly kubeletSync: Spread;
  /** From the first sight of a hash to serving it. */
  readonly adoption: Spread;
}

const outcomes = ['allowed', 'denied', 'forwarded', 'refused', 'failed', 'aborted'];
/** An API server waits 30 s at most. */
const admissionSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** A nudged kubelet takes 0.2 s, one left alone up to about 90 s. */
const rotationSeconds = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 90, 120, 300, 600];

const named = (name: string) => `webhook_certd_${name}`;
const each = (values: readonly string[]) => values.map((value) => [value]);

/** @param targets the caBundles that may be fought about */
export const createMeters = (targets: readonly string[] = []): Meters => ({
  loads: createTally(named('loads_total'), 'Certificate loads by result.', ['result'], each(['served', 'rejected'])),
  watchRestarts: createTally(named('watch_restarts_total'), 'Restarts of the Lease watch by reason.', ['reason']),
  apiRequests: createTally(named('api_requests_total'), 'Requests to the Kubernetes API; code 0 is no answer.', [
    'verb',
    'resource',
    'code',
  ]),
  caBundleWrites: createTally(
    named('ca_bundle_writes_total'),
    'Writes of a caBundle: two a rotation of the CA, one for each repair.',
    ['target'],
    each(targets),
  ),
  contests: createTally(
    named('contests_total'),
    'Fights with another writer: over a caBundle, secret (SECRET_NAME), authority (SECRET_NAME-ca) or announcement.',
    ['object'],
    each([...targets, 'secret', 'authority', 'announcement']),
  ),
  admissionRequests: createTally(
    named('admission_requests_total'),
    'Admission requests by outcome.',
    ['outcome'],
    each(outcomes),
  ),
  connectionTroubles: createTally(named('connection_troubles_total'), 'Misbehaving or failed connections by kind.', [
    'kind',
  ]),
  admissionDuration: createSpread(
    named('admission_duration_seconds'),
    'Time from an admission request to the end of its answer.',
    admissionSeconds,
  ),
  kubeletSync: createSpread(
    named('kubelet_sync_seconds'),
    'Time from the announcement of a certificate to its arrival in the mounted directory.',
    rotationSeconds,
  ),
  adoption: createSpread(
    named('adoption_seconds'),
    'Time from the first sight of a certificate to serving it.',
    rotationSeconds,
  ),
});
