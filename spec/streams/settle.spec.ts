import { expect } from 'chai';
import { planExternal } from '../../streams/plan-external.ts';
import { planIssuance } from '../../streams/plan-issuance.ts';
import { planRelay } from '../../streams/plan-relay.ts';
import { markAges, settlesFor, settlesInMs } from '../../streams/settle.ts';
import { clusterOf, type Sketch } from '../support/cluster-of.ts';
import { stepInWords } from '../support/step-in-words.ts';

const SETTLE_MS = 10_000;
const policy = { ...clusterOf.policy, trustSettleMs: SETTLE_MS };
const { nowMs } = clusterOf;

const own = (sketch: Sketch, settleMs = SETTLE_MS): string =>
  stepInWords(planIssuance(clusterOf.observed(sketch), { ...policy, trustSettleMs: settleMs }, nowMs));
const external = (sketch: Sketch, settleMs = SETTLE_MS): string =>
  stepInWords(planExternal(clusterOf.observed(sketch), { ...policy, trustSettleMs: settleMs }, nowMs));

const marked = (cas: string, forMs: number) => ({ trusted: { cas, forMs } });

describe('a certificate that older caBundles would reject (L2)', () => {
  /** SECRET-ca was lost: B has replaced A, and every caBundle trusts both. */
  const lost = { ca: 'B+A', secret: 'a1:B+A', targets: ['B+A', 'B+A'], said: 'a1', pods: 'a1' } as const;
  /** An external issuer has renewed under B. */
  const renewed = { secret: 'b1:B', targets: ['B+A'], said: 'a1', pods: 'a1' } as const;

  const cases: readonly (readonly [what: string, step: string, expected: string])[] = [
    ['is not issued before its CA is noted as trusted', own(lost), 'every caBundle trusts B'],
    ['is not issued before the time has passed', own({ ...lost, ...marked('B', 9_999) }), 'nothing'],
    ['is issued when the time has passed', own({ ...lost, ...marked('B', SETTLE_MS) }), 'new leaf, other-ca'],
    [
      'waits anew when the mark is of another CA',
      own({ ...lost, ...marked('A', SETTLE_MS) }),
      'every caBundle trusts B',
    ],
    ['does not wait with TRUST_SETTLE=0', own(lost, 0), 'new leaf, other-ca'],
    ['does not wait without a caBundle', own({ ...lost, targets: [] }), 'new leaf, other-ca'],
    [
      'waits when the target that trusted the older CA is gone',
      own({ ...lost, targets: ['-'] }),
      'every caBundle trusts B',
    ],
    [
      'does not wait when the older CA has signed the new one',
      own({ ...lost, ca: 'B+A crossed' }),
      'new leaf, other-ca',
    ],
    [
      'waits when the CA of the announced leaf has not signed the new one',
      own({ ...lost, ca: 'C+B+A', secret: 'b1:C+B+A', said: 'b1', targets: ['C+B+A'] }),
      'every caBundle trusts C',
    ],
    [
      'does not wait when the expired CA alone has not signed the new one',
      own({ ...lost, ca: 'B', secret: '-', targets: ['B+A held'], daysLeft: { A: 0 } }),
      'new leaf, missing',
    ],
    ['waits also when the Secret was deleted with SECRET-ca', own({ ...lost, secret: '-' }), 'every caBundle trusts B'],
    [
      'does not wait when the Secret was deleted and its CA is the only one',
      own({ ...lost, ca: 'A', secret: '-', targets: ['A'] }),
      'new leaf, missing',
    ],
    ['does not wait where the first caBundle was empty', own({ ca: 'A', targets: ['A'] }), 'new leaf, missing'],
    ['waits beside a webhook that is running', own({ ca: 'A+X', targets: ['A+X'] }), 'every caBundle trusts A'],
    [
      'is not kept back by a Lease that cannot be written, but waits',
      own({ ...lost, paused: 'announcement' }),
      'nothing',
    ],
    [
      'keeps a leaf that is about to be replaced from being announced',
      own({ ...lost, secret: 'a2:B+A', ...marked('B', 1) }),
      'nothing',
    ],
    ['lets the CAs be published meanwhile', own({ ...lost, secret: 'a1:A', ...marked('B', 1) }), 'Secret trusts B+A'],
    [
      'waits when it was restored with its CA from a backup',
      own({ ca: 'A+B', secret: 'a1:A+B', targets: ['A+B'], said: 'b1', pods: 'b1' }),
      'every caBundle trusts A',
    ],
    [
      'is not announced before the time has passed',
      own({ ca: 'A+B', secret: 'a1:A+B', targets: ['A+B'], said: 'b1', pods: 'b1', ...marked('A', 1) }),
      'nothing',
    ],
    [
      'is announced then',
      own({ ca: 'A+B', secret: 'a1:A+B', targets: ['A+B'], said: 'b1', pods: 'b1', ...marked('A', SETTLE_MS) }),
      'announce a1',
    ],
    ['is announced without another wait', own({ ...lost, secret: 'b1:B+A', ...marked('B', SETTLE_MS) }), 'announce b1'],
    [
      'of an external issuer is not announced before its CA is noted as trusted',
      external(renewed),
      'every caBundle trusts B',
    ],
    ['of an external issuer waits', external({ ...renewed, ...marked('B', 9_999) }), 'nothing'],
    ['of an external issuer is announced then', external({ ...renewed, ...marked('B', SETTLE_MS) }), 'announce b1'],
    [
      'of an external issuer does not wait under the same CA',
      external({ ...renewed, secret: 'a2:A', targets: ['A'] }),
      'announce a2',
    ],
    ['of an external issuer does not wait with TRUST_SETTLE=0', external(renewed, 0), 'announce b1'],
    [
      'of an external issuer does not wait where nothing is injected',
      external({ secret: 'b1:', targets: ['A'], said: 'a1', pods: 'a1', ...marked('A', 1) }),
      'announce b1',
    ],
    [
      'of an external issuer waits although its ca.crt has both CAs',
      external({ ...renewed, secret: 'b1:B+A' }),
      'every caBundle trusts B',
    ],
    [
      'of an external issuer that is not in ca.crt waits for all that is',
      external({ ...renewed, secret: 'x1:B+A' }),
      'every caBundle trusts B+A',
    ],
    [
      'of an external issuer that is not in ca.crt does not wait for a single CA that stands alone',
      external({ ...renewed, secret: 'x1:A', targets: ['A'] }),
      'announce x1',
    ],
    [
      'of an external issuer waits beside a webhook that is running',
      external({ secret: 'a1:A', targets: ['A+X'] }),
      'every caBundle trusts A',
    ],
  ];
  for (const [what, step, expected] of cases)
    it(what, () => {
      expect(step).to.equal(expected);
    });

  it('does not wait when the announced one has expired', () => {
    const observed = clusterOf.observed(renewed);
    const lease = { ...observed.lease, announcement: { hash: 'a1', validUntil: '2020-01-01T00:00:00Z' } };
    expect(stepInWords(planExternal({ ...observed, lease }, policy, nowMs))).to.equal('announce b1');
  });

  describe('the time that is left', () => {
    const mark = { cas: ['B'], sinceMs: nowMs - 4_000 };
    const lease = { ...clusterOf.lease(), trusted: mark };

    it('is counted from the mark, by the wall clock, where nobody has watched it', () => {
      expect(settlesInMs({ lease }, SETTLE_MS, nowMs)).to.equal(6_000);
      expect(settlesInMs({ lease }, SETTLE_MS, nowMs + 7_000)).to.equal(0);
      expect(settlesInMs({ lease: clusterOf.lease() }, SETTLE_MS, nowMs)).to.equal(0);
    });

    it('is counted by a leader from when it saw the mark, whatever the wall clock says', () => {
      const ages = { trustedMs: 1_000, servedMs: 0 };
      expect(settlesInMs({ lease, ages }, SETTLE_MS, nowMs + 3_600_000)).to.equal(9_000);
    });

    it('is none where no certificate waits for it', () => {
      const at = (sketch: Sketch) => settlesFor(planIssuance, clusterOf.observed(sketch), policy, nowMs);
      expect(at({ ...lost, ...marked('B', 4_000) })).to.equal(6_000);
      expect(at({ ...lost, secret: 'a2:B+A', ...marked('B', 4_000) }), 'one that is not announced').to.equal(6_000);
      expect(at({ ...lost, secret: 'b1:B+A', said: 'b1', pods: 'b1', ...marked('B', 4_000) })).to.equal(0);
      expect(at(lost)).to.equal(0);
      const renewing = clusterOf.observed({ ...renewed, ...marked('B', 4_000) });
      expect(settlesFor(planExternal, renewing, policy, nowMs)).to.equal(6_000);
      const copying = clusterOf.observed({ ...renewed, secret: 'a1:A', source: 'b1:B', ...marked('B', 4_000) });
      expect(settlesFor(planRelay, copying, policy, nowMs)).to.equal(6_000);
    });
  });

  describe('a leaf that its callers accept already', () => {
    /** An overlap: the leaf of B is in use, A is trusted still. */
    const overlap = {
      ca: 'B+A',
      secret: 'b1:B',
      targets: ['B+A'],
      said: 'b1',
      pods: 'b1',
      daysLeft: { b1: 1 },
    } as const;
    const restored = { ca: 'B+A', secret: 'a1:B+A', targets: ['B+A+X held'], said: 'a1', pods: 'a1' } as const;

    it('is renewed at once under the CA of the one in use', () => {
      expect(own(overlap)).to.equal('new leaf, expiring');
    });

    it('waits where the one of that CA was never announced, where there is none, and where nobody says who signed it', () => {
      expect(own({ ...overlap, said: 'a1', pods: 'a1' })).to.equal('every caBundle trusts B');
      expect(own({ ...overlap, secret: '-' })).to.equal('every caBundle trusts B');
      expect(own({ ...overlap, secret: 'b1:X', targets: ['B+A'] })).to.equal('every caBundle trusts B');
    });

    it('is issued at once under a CA that the one in use has signed, and waits under another', () => {
      expect(own({ ...restored, ca: 'B+A crossed' })).to.equal('new leaf, other-ca');
      expect(own(restored)).to.equal('every caBundle trusts B');
    });

    it('is announced at once when it was put back and is of an older CA', () => {
      const backup = { ca: 'B+A', secret: 'a2:B+A', targets: ['A held', 'B+A'], said: 'a1', pods: 'a1' } as const;
      expect(own(backup)).to.equal('announce a2');
    });
  });

  describe('the ages of the marks', () => {
    const seen = (targets: readonly string[], sketch: Sketch = {}) =>
      clusterOf.observed({ ...sketch, targets, ...marked('B', 0) });

    it('count from when a leader first saw them, and anew when they change', () => {
      const ages = markAges();
      expect(ages(seen(['B+A']), 5_000)).to.deep.equal({ trustedMs: 0, servedMs: 5_000 });
      expect(ages(seen(['B+A']), 8_000)).to.deep.equal({ trustedMs: 3_000, servedMs: 8_000 });
      expect(ages(seen(['B+A'], { servedMinutes: 1 }), 9_000)).to.deep.equal({ trustedMs: 4_000, servedMs: 0 });
      const later = { ...seen(['B+A']), lease: clusterOf.lease(marked('C', 1)) };
      expect(ages(later, 10_000).trustedMs).to.equal(0);
    });

    it('count anew when a caBundle gets what it lacked, and not while it lacks it', () => {
      const ages = markAges();
      ages(seen(['B+A', 'A', '~']), 0);
      expect(ages(seen(['B+A', 'A', '~']), 7_000).trustedMs).to.equal(7_000);
      expect(ages(seen(['A', 'A', '~']), 8_000).trustedMs).to.equal(8_000);
      expect(ages(seen(['B+A', 'A', '~']), 9_000).trustedMs, 'repaired').to.equal(0);
      expect(ages(seen(['B+A', 'B+A|B', '~']), 9_500).trustedMs, 'accepted at last').to.equal(0);
      expect(ages(seen(['B', 'B', '~']), 9_900).trustedMs, 'pruned').to.equal(400);
    });

    it('count anew when another writer changes a caBundle that lacks a CA, which an API server may still call with', () => {
      const ages = markAges();
      ages(seen(['B', 'A', '~']), 0);
      expect(ages(seen(['B', '', '~']), 7_000).trustedMs, 'emptied').to.equal(0);
      expect(ages(seen(['B', '', '~']), 8_000).trustedMs, 'unchanged').to.equal(1_000);
      expect(ages(seen(['B', '~', '~']), 9_000).trustedMs, 'unreadable').to.equal(2_000);
      expect(ages(seen(['B', 'A', 'A']), 9_500).trustedMs, 'read again').to.equal(2_500);
      expect(ages(seen(['', 'A', 'A']), 9_600).trustedMs, 'emptied, and held before').to.equal(2_600);
    });
  });

  it('is not followed by a prune before this leader has seen it served for the time', () => {
    const observed = clusterOf.observed({
      ca: 'B+A',
      secret: 'b1:B+A',
      targets: ['B+A'],
      said: 'b1',
      pods: 'b1',
      servedMinutes: 61,
    });
    const after = (servedMs: number) =>
      stepInWords(planIssuance({ ...observed, ages: { trustedMs: 0, servedMs } }, policy, nowMs));
    expect(after(9_999)).to.equal('nothing');
    expect(after(10_000)).to.equal('narrow: keep nothing');
    const short = { ...policy, caOverlapMs: 0 };
    const recent = clusterOf.observed({
      ca: 'B+A',
      secret: 'b1:B+A',
      targets: ['B+A'],
      said: 'b1',
      pods: 'b1',
      servedMinutes: 0,
    });
    expect(stepInWords(planIssuance(recent, short, nowMs + 9_999))).to.equal('nothing');
    expect(stepInWords(planIssuance(recent, short, nowMs + 10_000))).to.equal('narrow: keep nothing');
  });
});
