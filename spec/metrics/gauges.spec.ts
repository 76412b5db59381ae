import { expect } from 'chai';
import { gauges, snapshotOf } from '../../src/metrics/endpoint.ts';
import { initialState, type ReplicaState } from '../../src/status/replica-state.ts';
import { factsOf } from '../support/facts-of.ts';
import { leaseOf } from '../support/lease-of.ts';
import { pairOf } from '../support/pair-of.ts';

const snapshot = (state: Partial<ReplicaState>) =>
  snapshotOf(
    { ...initialState(0), ...state },
    { reasons: [], mountedLeaf: null, step: null, neighbourAddress: null },
    'v',
  );
const announced = { hash: 'a', validUntil: '2126-12-06T11:12:18Z' };
const serving = (hash: string) => ({ ready: true, reasons: [], served: pairOf(hash) });

describe('the gauges', () => {
  it('show a hash mismatch while a certificate is announced and none is served', () => {
    expect(snapshot({ announced }).mismatch).to.equal(true);
  });

  it('show a hash mismatch while another certificate is served than announced, and none once they agree', () => {
    expect(snapshot({ announced, readiness: serving('b') }).mismatch).to.equal(true);
    expect(snapshot({ announced, readiness: serving('a') }).mismatch).to.equal(false);
  });

  it('show no hash mismatch while nothing is announced', () => {
    expect(snapshot({}).mismatch).to.equal(false);
    expect(snapshot({ readiness: serving('b') }).mismatch).to.equal(false);
  });

  it('show for a caBundle the expiry of the CA that expires first, in any order', () => {
    const early = factsOf('early', { notAfterMs: 1_000 });
    const late = factsOf('late', { notAfterMs: 2_000 });
    for (const bundles of [[[early, late]], [[late, early]], [[late], [early]]])
      expect(
        snapshot({
          observation: {
            lease: leaseOf('a'),
            secret: 'absent',
            ca: 'absent',
            targets: [{ id: 't', state: { resourceVersion: '1', bundles, otherManager: null } }],
            replicas: [],
          },
        }).bundles,
      ).to.deep.equal([{ target: 't', notAfterMs: 1_000 }]);
  });

  it('show what the server at SERVING_ADDRESS was last seen to show, and nothing without one', () => {
    const shown = { kind: 'served-elsewhere', sinceMs: 0, hash: 'z', detail: null } as const;
    const input = { reasons: [], mountedLeaf: null, step: null, neighbourAddress: '127.0.0.1:9443' };
    const before = initialState(0);
    expect(snapshot({ shown }).neighbour).to.equal(null);
    expect(snapshotOf(before, input, 'v').neighbour).to.equal('unknown');
    const now = snapshotOf({ ...before, shown }, input, 'v');
    const { values = [] } = gauges(now).find(({ name }) => name === 'webhook_certd_neighbour') ?? {};
    expect(values.filter(({ value }) => value === 1)).to.deep.equal([
      { labels: { shows: 'served-elsewhere' }, value: 1 },
    ]);
    expect(values).to.have.length(5);
  });

  it('show each object that is set aside', () => {
    expect(snapshot({ refused: [{ object: 'apiservice/v1.a', reason: 'invalid' }] }).refused).to.deep.equal([
      'apiservice/v1.a',
    ]);
    expect(snapshot({}).refused).to.deep.equal([]);
  });
});
