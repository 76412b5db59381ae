import { expect } from 'chai';
import type { Line } from '../../src/logging/log-lines.ts';
import { initialState, type ReplicaState } from '../../src/status/replica-state.ts';
import { stateLines } from '../../src/status/state-lines.ts';
import type { LoadEvent } from '../../streams/load-certificate.ts';
import { factsOf } from '../support/facts-of.ts';

const ORDERS = { leaseName: 'orders', secretName: 'orders-cert', serviceName: 'orders', namespace: 'shop' };
const ELECTOR = 'kubetemplater-controller-manager-6c7b_0f8e9a51-3b7e-4a57-9a33-0c7a3d1f2b10';

const eventsOf = (lines: readonly Line[]): readonly string[] => lines.map(({ event }) => event);
const heldBy = (name: string, isLasting: boolean): ReplicaState => ({
  ...initialState(0),
  silentHolder: { name, sinceMs: 0, leaseDurationMs: 15_000, isLasting },
});

describe('a Lease whose holder announces nothing', () => {
  const linesOf = stateLines(ORDERS, () => null);

  it('is logged once it has lasted, with the holder and what to set', () => {
    expect(linesOf(heldBy(ELECTOR, false))).to.deep.equal([]);
    const [line] = linesOf(heldBy(ELECTOR, true));
    expect(line).to.deep.include({ level: 'warn', event: 'lease-held-by-other' });
    expect(line?.fields).to.deep.equal({
      lease: 'orders',
      holder: ELECTOR,
      remedy: 'set NAME or LEASE_NAME to a name that no other program uses',
    });
  });

  it('is logged again for another holder only', () => {
    expect(linesOf(heldBy(ELECTOR, true))).to.deep.equal([]);
    expect(linesOf(initialState(0))).to.deep.equal([]);
    const [line] = linesOf(heldBy(`${ELECTOR}-0`, true));
    expect(line?.fields['remedy']).to.match(/^find out why it announces nothing; if it is another program, set NAME/);
  });
});

describe('a mounted certificate', () => {
  const mounted = (generation: string, event: LoadEvent): ReplicaState => ({
    ...initialState(0),
    mounted: { generation, hash: 'a', problem: null },
    load: { event, sinceMs: 0 },
  });
  const unannounced: LoadEvent = { type: 'certificate/unannounced', malformed: null };
  const mismatched: LoadEvent = { type: 'certificate/mismatched', hash: 'b', filesystemHash: 'a' };
  const leafFor =
    (...names: readonly string[]) =>
    () => ({ ...factsOf('leaf'), names });

  for (const event of [unannounced, mismatched]) {
    it(`for another Service is logged once while it is ${event.type.slice('certificate/'.length)}`, () => {
      const linesOf = stateLines(ORDERS, leafFor('invoices', 'invoices.shop.svc'));
      const [line, ...others] = linesOf(mounted('1', event));
      expect(others).to.deep.equal([]);
      expect(line).to.deep.include({ level: 'warn', event: 'certificate-of-other-name' });
      expect(line?.fields).to.deep.include({ names: ['invoices', 'invoices.shop.svc'], expected: 'orders.shop.svc' });
      expect(line?.fields['remedy']).to.match(/^if NAME, .* change it back, .* orders-cert$/);
      expect(linesOf(mounted('1', event))).to.deep.equal([]);
      expect(eventsOf(linesOf(mounted('2', event)))).to.deep.equal(['certificate-of-other-name']);
    });
  }

  it('for this Service is not logged, nor one that cannot be read or has no names', () => {
    for (const leaf of [leafFor('orders.shop.svc'), leafFor(), () => null])
      expect(stateLines(ORDERS, leaf)(mounted('1', mismatched))).to.deep.equal([]);
    for (const nothing of [null, { generation: '1', hash: null, problem: null }])
      expect(stateLines(ORDERS, leafFor('x'))({ ...mounted('1', mismatched), mounted: nothing })).to.deep.equal([]);
  });

  it('for another Service is not logged while it is announced, where the rejection is logged', () => {
    const rejected: LoadEvent = { type: 'certificate/rejected', hash: 'a', reason: 'names', retryable: false };
    expect(stateLines(ORDERS, leafFor('x'))(mounted('1', rejected))).to.deep.equal([]);
  });
});
