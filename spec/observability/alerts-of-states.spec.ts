import { expect } from 'chai';
import { gauges, snapshotOf } from '../../src/metrics/endpoint.ts';
import type { Counter, Histogram, MetricFamily } from '../../src/metrics/instruments.ts';
import { createMetrics, recordMetrics } from '../../src/metrics/metrics.ts';
import { initialState, reduce, unreadyReasons } from '../../src/status/replica-state.ts';
import type { ReplicaEvent } from '../../streams/replica.ts';
import { monitoring } from '../manifests/monitoring.ts';
import { clusterOf } from '../support/cluster-of.ts';
import { factsOf } from '../support/facts-of.ts';
import { leaseOf } from '../support/lease-of.ts';
import { pairOf } from '../support/pair-of.ts';
import { promtoolTest, type Scrapes } from './promtool-test.ts';

const DAY_MS = 86_400_000;
const MINUTES = 20;
/** After this minute a replica that is gone is not scraped. */
const LAST_SIGHT = 2;
const TARGET = 'apiservice/v1.a';

/** The events of a replica, by the minute in which they happen. Prometheus starts at the epoch. */
type Story = Readonly<Record<number, readonly ReplicaEvent[]>>;

const announced: ReplicaEvent = {
  type: 'lease/observed',
  lease: leaseOf('a', { holder: 'me' }),
  via: 'watch',
  announces: true,
};
const leads: ReplicaEvent = { type: 'leadership/acquired', fence: () => true };
const serving = (hash: string, daysLeft = 300): ReplicaEvent => ({
  type: 'readiness/changed',
  readiness: {
    ready: true,
    reasons: [],
    served: pairOf(hash, { leaf: factsOf(hash, { notAfterMs: daysLeft * DAY_MS }) }),
  },
});
const { secret } = clusterOf.observed({ secret: 'a1:A' });
if (typeof secret === 'string') throw new Error(secret);

/** What the leader observes: a leaf that is valid for so many days, and a caBundle with CAs that are. */
const observed = (leafDays: number, ...caDays: readonly number[]): ReplicaEvent => ({
  type: 'cluster/observed',
  observed: {
    lease: leaseOf('a'),
    secret: { ...secret, leaf: factsOf('a', { notAfterMs: leafDays * DAY_MS }) },
    ca: 'pending',
    targets: [
      {
        id: TARGET,
        state: {
          resourceVersion: '1',
          bundles: [caDays.map((days, at) => factsOf(`ca ${at}`, { notAfterMs: days * DAY_MS }))],
          otherManager: null,
        },
      },
    ],
    replicas: 'pending',
  },
});
const injected: ReplicaEvent = {
  type: 'step/done',
  step: {
    kind: 'inject',
    target: TARGET,
    trust: [],
    plannedOn: { resourceVersion: '1', bundles: [], otherManager: null },
  },
  touched: null,
};
const refused: ReplicaEvent = { type: 'object/refused', object: TARGET, status: 422, error: 'invalid', retryInMs: 1 };

const HEALTHY: Story = { 0: [announced, leads, serving('a'), observed(300, 300, 600)] };
const UNWELL: Readonly<Record<string, Readonly<Record<string, Story>>>> = {
  WebhookCertdServedCertificateExpiresSoon: {
    'serves a leaf in its last week': { ...HEALTHY, 1: [serving('a', 6)] },
  },
  WebhookCertdSecretCertificateExpiresSoon: {
    'observes a leaf in its last week in the Secret': { ...HEALTHY, 1: [observed(6, 300)] },
  },
  WebhookCertdCaBundleExpiresSoon: {
    'observes a CA in its last week before another in a caBundle': { ...HEALTHY, 1: [observed(300, 6, 300)] },
    'observes a CA in its last week behind another in a caBundle': { ...HEALTHY, 1: [observed(300, 300, 6)] },
  },
  WebhookCertdHashMismatch: {
    'serves nothing of what is announced': { 0: [announced, leads] },
    'serves another certificate than is announced': { ...HEALTHY, 1: [serving('b')] },
  },
  WebhookCertdNoLeader: {
    'never leads': { 0: [announced, serving('a')] },
    'leads no longer': { ...HEALTHY, 5: [{ type: 'leadership/lost', reason: 'deposed' }] },
  },
  WebhookCertdNotReady: { 'knows no announcement': { 0: [leads] } },
  WebhookCertdContested: {
    'is told of a contention': { ...HEALTHY, 15: [{ type: 'object/contested', object: TARGET, otherManager: 'helm' }] },
    'writes a caBundle again and again': { ...HEALTHY, 15: Array.from({ length: 8 }, () => injected) },
  },
  WebhookCertdWriteRefused: { 'has set an object aside': { ...HEALTHY, 1: [refused] } },
};

/** What Prometheus scrapes where no replica tells anything. */
const UNSEEN: Readonly<Record<string, () => Scrapes>> = {
  'is gone': () => scrapesOf(HEALTHY).map((families, minute) => (minute > LAST_SIGHT ? [] : families)),
  'was never there': () => Array.from({ length: MINUTES + 1 }, () => []),
};

/** What a replica with this story shows each minute. */
const scrapesOf = (story: Story): Scrapes => {
  const metrics = createMetrics([TARGET]);
  let state = initialState(0);
  let nowMs = 0;
  const record = recordMetrics(metrics, () => nowMs);
  return Array.from({ length: MINUTES + 1 }, (_, minute): readonly MetricFamily[] => {
    nowMs = minute * 60_000;
    for (const event of story[minute] ?? []) {
      state = reduce(state, event, 'me', nowMs);
      record(event);
    }
    const snapshot = snapshotOf(
      state,
      { reasons: unreadyReasons(state), mountedLeaf: null, step: null, neighbourAddress: null },
      'spec',
    );
    const counted = Object.values<Counter | Histogram>({ ...metrics }).map((each) => each.family());
    return [...gauges(snapshot), ...counted];
  });
};

/** What promtool says of the claim that this query has this value, or no value, at the end. */
const atTheEnd = (scrapes: Scrapes, expr: string, value: number | null) =>
  promtoolTest({
    rules: monitoring.ruleFile,
    labels: { namespace: 'hooks', job: 'hook', pod: 'me' },
    scrapes,
    expr,
    value,
  });

describe('the alerts, with the metrics that the code produces,', () => {
  it('are silent for a replica that leads and serves what is announced', async () => {
    const { code, said } = await atTheEnd(scrapesOf(HEALTHY), 'count(ALERTS)', null);
    expect(said).to.include('SUCCESS');
    expect(code).to.equal(0);
  });

  it('have a state each that must fire them', () => {
    const fired = [...Object.keys(UNWELL), 'WebhookCertdMetricsAbsent'];
    expect(fired.toSorted()).to.deep.equal(monitoring.rules.map(({ alert }) => alert).toSorted());
  });

  const fires = (alert: string, who: string, scrapes: () => Scrapes): void => {
    it(`${alert} fires for a replica that ${who}`, async () => {
      const expr = `count(ALERTS{alertname="${alert}", alertstate="firing"})`;
      const { code, said } = await atTheEnd(scrapes(), expr, 1);
      expect(said).to.include('SUCCESS');
      expect(code).to.equal(0);
    });
  };
  for (const [alert, stories] of Object.entries(UNWELL))
    for (const [who, story] of Object.entries(stories)) fires(alert, who, () => scrapesOf(story));
  for (const [who, scrapes] of Object.entries(UNSEEN)) fires('WebhookCertdMetricsAbsent', who, scrapes);
});
