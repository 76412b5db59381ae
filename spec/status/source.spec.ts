import { mock } from 'node:test';
import { expect } from 'chai';
import { eventReasons } from '../../src/cluster/event-reasons.ts';
import { observationLines } from '../../src/logging/observation-lines.ts';
import { pendingOn } from '../../src/status/pending-on.ts';
import { initialState, reduce, type ReplicaState, unreadyReasons } from '../../src/status/replica-state.ts';
import type { ClusterState } from '../../streams/observe-cluster.ts';
import type { ReplicaEvent } from '../../streams/replica.ts';
import { clusterOf } from '../support/cluster-of.ts';

const observed = (source: string, rest: Partial<ClusterState> = {}): ReplicaEvent => ({
  type: 'cluster/observed',
  observed: { ...clusterOf.observed({ source, secret: 'a1:A', targets: ['A'], said: 'a1', pods: 'a1' }), ...rest },
});

/** One event a second, the first after one, by the clock of the sketch. */
const after = (...events: readonly ReplicaEvent[]): ReplicaState =>
  events.reduce(
    (standing, event, at) => reduce(standing, event, 'pod-0', clusterOf.nowMs + 1_000 * (at + 1)),
    initialState(clusterOf.nowMs),
  );
const waits = (state: ReplicaState) =>
  pendingOn(state, { identity: 'pod-0', caOverlapMs: 0, nowMs: clusterOf.nowMs }).filter(
    (wait) => wait.for === 'source',
  );

/** The dates of certificates are those of the sketch. */
const atTheTimeOfTheSketch = (): void => {
  beforeEach(() => mock.timers.enable({ apis: ['Date'], now: clusterOf.nowMs }));
  afterEach(() => mock.timers.reset());
};

describe('a source that cannot be used', () => {
  atTheTimeOfTheSketch();

  it('is waited for since it was first seen so, until it can be, or this replica does not lead', () => {
    const bad = observed('b1:B broken');
    const since = { for: 'source', sinceMs: clusterOf.nowMs + 1_000, detail: 'key of another certificate' } as const;
    expect(waits(after(bad, bad))).to.deep.equal([since]);
    expect(waits(after(bad, observed('-')))).to.deep.equal([
      { ...since, sinceMs: clusterOf.nowMs + 2_000, detail: 'it does not exist' },
    ]);
    expect(waits(after(bad, observed('a1:A')))).to.deep.equal([]);
    expect(waits(after(bad, { type: 'leadership/released' }))).to.deep.equal([]);
    expect(waits(after(observed('?')))).to.deep.equal([]);
  });

  it('is waited for beside a write that fails', () => {
    const step = { kind: 'record-served', sinceMs: null } as const;
    const failed: ReplicaEvent = { type: 'step/failed', step, status: 500, error: 'x', retryInMs: 1, repeated: false };
    const state = after(observed('-'), failed);
    const kinds = pendingOn(state, { identity: 'pod-0', caOverlapMs: 0, nowMs: clusterOf.nowMs }).map(
      (wait) => wait.for,
    );
    expect(kinds).to.include.members(['source', 'write']);
  });

  it('is why nothing is announced', () => {
    expect(unreadyReasons(after(observed('-', { secret: 'absent' })))).to.deep.equal([
      'no-announcement: the certificate in SOURCE_SECRET cannot be used: it does not exist',
    ]);
  });

  it('is logged and recorded once for each version and reason', () => {
    const [lines, reasonOf] = [observationLines(), eventReasons()];
    const logged = (source: string) =>
      lines(observed(source)).map(({ level, event, fields }) => [level, event, fields['reason']]);
    const why = 'key of another certificate';
    expect(logged('b1:B broken')).to.deep.equal([['warn', 'source-unusable', why]]);
    expect(logged('b1:B broken')).to.deep.equal([]);
    expect(logged('-')).to.deep.equal([['warn', 'source-unusable', 'it does not exist']]);
    expect(reasonOf(observed('b1:B broken'))).to.deep.include({
      reason: 'SourceUnusable',
      message: `The certificate in SOURCE_SECRET cannot be used: ${why}`,
    });
    expect(reasonOf(observed('b1:B broken'))).to.equal(null);
  });
});

describe('a source without ca.crt', () => {
  atTheTimeOfTheSketch();

  it('is logged and recorded once, and not waited for', () => {
    const [lines, reasonOf] = [observationLines(), eventReasons()];
    const logged = () => lines(observed('a1:')).map(({ level, event }) => [level, event]);
    expect(logged()).to.deep.equal([['warn', 'source-without-ca']]);
    expect(logged()).to.deep.equal([]);
    expect(reasonOf(observed('a1:'))).to.deep.include({ reason: 'SourceWithoutCa', type: 'Warning' });
    expect(waits(after(observed('a1:')))).to.deep.equal([]);
  });

  it('is none where the leaf signed itself', () => {
    expect(observationLines()(observed('S:'))).to.deep.equal([]);
  });
});

describe('a copy of the source', () => {
  it('is recorded with its hash', () => {
    const source = clusterOf.secret('b1:B');
    const step = { kind: 'copy-secret', source, plannedOn: 'absent', trust: source.trust, acceptedBy: [] } as const;
    const recorded = eventReasons()({ type: 'step/done', step, touched: { object: 'secret', state: source } });
    expect(recorded).to.include({ reason: 'CertificateCopied', message: 'Copied certificate b1 from SOURCE_SECRET' });
  });
});
