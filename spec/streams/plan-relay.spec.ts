import { expect } from 'chai';
import { planRelay, relayWaitsFor, sourceProblem } from '../../streams/plan-relay.ts';
import type { Step } from '../../streams/step.ts';
import { clusterOf, type Sketch } from '../support/cluster-of.ts';
import { stepInWords } from '../support/step-in-words.ts';

interface Row extends Sketch {
  readonly when: string;
  readonly then: string;
}

/** What the source holds is mounted, announced, trusted and served. */
const served = (leaf: string): Sketch => {
  const ca = leaf.slice(0, 1).toUpperCase();
  return { source: `${leaf}:${ca}`, secret: `${leaf}:${ca}`, targets: [ca], said: leaf, pods: leaf };
};

/** The issuer went from A to B: every caBundle is widened, nothing is copied yet. */
const WIDENED: Sketch = { ...served('a1'), source: 'b1:B', targets: ['B+A'] };

/** The overlap after that: b1 is copied, announced and served, A is still trusted. */
const OVERLAP: Sketch = { ...served('b1'), secret: 'b1:B+A', targets: ['B+A'] };

// prettier-ignore
const TABLE: Readonly<Record<string, readonly Row[]>> = {
  'the first certificate': [
    { when: 'there is no source', source: '-', then: 'nothing' },
    { when: 'the issuer reads no source', then: 'nothing' },
    { when: 'the source is not known yet', source: '?', then: 'nothing' },
    { when: 'the source may not be read', source: '!', then: 'nothing' },
    { when: 'the source has no leaf yet', source: 'no leaf', then: 'nothing' },
    { when: 'the pair of the source cannot be used', source: 'a1:A broken', then: 'nothing' },
    { when: 'the Secret is not known yet', source: 'a1:A', secret: '?', then: 'nothing' },
    { when: 'the Secret may not be read', source: 'a1:A', secret: '!', then: 'nothing' },
    { when: 'a target is not known yet', source: 'a1:A', targets: ['0', '?'], then: 'nothing' },
    { when: 'the source holds a pair', source: 'a1:A', then: 'target-0: A' },
    { when: 'one field of two trusts it', source: 'a1:A', targets: ['A|0'], then: 'target-0: A' },
    { when: 'every target trusts it', source: 'a1:A', targets: ['A', 'X+A'], then: 'copy a1, trust A+X' },
    { when: 'there are no targets', source: 'a1:A', targets: [], then: 'copy a1, trust A' },
    { when: 'a target does not exist', source: 'a1:A', targets: ['-'], then: 'copy a1, trust A' },
    { when: 'the Secret exists, empty', source: 'a1:A', secret: 'no leaf', targets: ['A'], then: 'copy a1, trust A' },
    { when: 'the Secret is of another party', source: 'a1:A', secret: 'x1:X foreign', targets: ['A'], then: 'nothing' },
    { when: 'the Secret is not to be written now', source: 'a1:A', targets: ['A'], paused: 'secret', then: 'nothing' },
    { when: 'it is copied', source: 'a1:A', secret: 'a1:A', targets: ['A'], then: 'announce a1' },
    { when: 'it is copied, and the Lease is not to be written now', source: 'a1:A', secret: 'a1:A', targets: ['A'], paused: 'announcement', then: 'nothing' },
    { when: 'its end is announced wrong', ...served('a1'), said: 'a2', then: 'announce a1' },
    { when: 'it is announced', ...served('a1'), pods: '-', then: 'nothing' },
    { when: 'it is served', ...served('a1'), then: 'nothing' },
  ],

  'another leaf of the same CA': [
    { when: 'the source holds it', ...served('a1'), source: 'a2:A', then: 'copy a2, trust A' },
    { when: 'it is copied', ...served('a1'), source: 'a2:A', secret: 'a2:A', then: 'announce a2' },
    { when: 'ca.crt of the source names one CA more', ...served('a1'), source: 'a1:A+B', then: 'target-0: A+B' },
    { when: 'every caBundle has that one too', ...served('a1'), source: 'a1:A+B', targets: ['A+B'], then: 'copy a1, trust A+B' },
    { when: 'that is copied', ...served('a1'), source: 'a1:A+B', secret: 'a1:A+B', targets: ['A+B'], then: 'nothing' },
  ],

  'another CA': [
    { when: 'the source holds its leaf', ...served('a1'), source: 'b1:B', then: 'target-0: B+A' },
    { when: 'one target is widened', ...served('a1'), source: 'b1:B', targets: ['B+A', 'A'], then: 'target-1: B+A' },
    { when: 'one target knows a third', ...served('a1'), source: 'b1:B', targets: ['A', 'X'], then: 'target-0: B+A+X' },
    { when: 'a target has lost the CA that is in use', ...served('a1'), source: 'b1:B', targets: ['B'], then: 'target-0: B+A' },
    { when: 'an expired CA is trusted', ...served('a1'), targets: ['A+X'], daysLeft: { X: -1 }, then: 'target-0: A' },
    { when: 'all are widened', ...WIDENED, then: 'copy b1, trust B+A' },
    { when: 'it is copied', ...WIDENED, secret: 'b1:B+A', then: 'announce b1' },
    { when: 'it is copied, and a target has lost it', ...WIDENED, secret: 'b1:B+A', targets: ['A'], then: 'target-0: B+A' },
    { when: 'it is announced', ...OVERLAP, pods: 'b1 a1', then: 'nothing' },
    { when: 'it is served everywhere', ...OVERLAP, then: 'served everywhere' },
    { when: 'the overlap is nearly over', ...OVERLAP, servedMinutes: 59, then: 'nothing' },
    { when: 'a replica serves the old one again', ...OVERLAP, pods: 'b1 a1', servedMinutes: 5, then: 'not served any more' },
    { when: 'the clock was set back', ...OVERLAP, servedMinutes: -5, then: 'served everywhere' },
    { when: 'it was seen served everywhere just now', ...OVERLAP, servedMinutes: 0, then: 'nothing' },
    { when: 'every caBundle is emptied in the overlap', ...OVERLAP, targets: ['0'], then: 'target-0: B+A' },
    { when: 'the overlap is over', ...OVERLAP, servedMinutes: 60, then: 'Secret trusts B' },
    { when: 'the overlap is over, and the Secret is not to be written now', ...OVERLAP, servedMinutes: 60, paused: 'secret', then: 'nothing' },
    { when: 'the overlap is over, and the Lease is not to be written now', ...OVERLAP, servedMinutes: 60, paused: 'announcement', then: 'Secret trusts B' },
    { when: 'one field of two is to be narrowed yet', ...OVERLAP, secret: 'b1:B', targets: ['B|B+A'], servedMinutes: 60, then: 'target-0: B' },
    { when: 'the Secret is narrowed', ...OVERLAP, secret: 'b1:B', servedMinutes: 60, then: 'target-0: B' },
    { when: 'the target to be narrowed is not to be written now', ...OVERLAP, secret: 'b1:B', targets: ['B+A held'], servedMinutes: 60, then: 'nothing' },
    { when: 'one target is narrowed', ...OVERLAP, secret: 'b1:B', targets: ['B', 'B+A'], servedMinutes: 60, then: 'target-1: B' },
    { when: 'all are narrowed', ...served('b1'), servedMinutes: 60, then: 'not served any more' },
    { when: 'all is done', ...served('b1'), then: 'nothing' },
    { when: 'a third comes before the second is copied', ...WIDENED, source: 'c1:C', then: 'target-0: C+A+B' },
    { when: 'the first one comes back', ...WIDENED, source: 'a1:A', then: 'served everywhere' },
  ],

  'a source that cannot be used': [
    { when: 'the key is another one', ...served('a1'), source: 'b1:B broken', then: 'nothing' },
    { when: 'it is gone', ...served('a1'), source: '-', then: 'nothing' },
    { when: 'it is emptied', ...served('a1'), source: 'no leaf', then: 'nothing' },
    { when: 'its certificate has expired', ...served('a1'), source: 'b1:B', daysLeft: { b1: -1 }, then: 'nothing' },
    { when: 'it went bad before it was copied: nothing is taken away', ...WIDENED, source: 'b1:B broken', servedMinutes: 90, then: 'nothing' },
    { when: 'it went bad in the overlap: nothing is taken away', ...OVERLAP, source: '-', servedMinutes: 90, then: 'nothing' },
    { when: 'a caBundle loses the CA in use', ...served('a1'), source: '-', targets: ['0', 'X'], then: 'target-0: A+X' },
    { when: 'the announcement is lost', ...served('a1'), source: '-', said: 'x9', then: 'announce a1' },
    { when: 'the announcement is lost, and a target would reject what is mounted', ...served('a1'), source: '-', said: 'x9', targets: ['X'], then: 'nothing' },
    { when: 'the announcement is lost, and a target is unreadable', ...served('a1'), source: '-', said: 'x9', targets: ['A', '~'], then: 'nothing' },
    { when: 'the mounted Secret is another writer’s, and a caBundle that was wiped refuses its write', ...served('a1'), source: 'b1:B', secret: 'x1:X', targets: ['0 refused'], paused: 'secret', then: 'nothing' },
    { when: 'the same, and another target was deleted', ...served('a1'), source: 'b1:B', secret: 'x1:X', targets: ['0 refused', '-'], paused: 'secret', then: 'nothing' },
    { when: 'the announcement is lost, and no target may be read', ...served('a1'), source: '-', said: 'x9', targets: ['!'], then: 'announce a1' },
    { when: 'the same, with nothing announced', source: 'b1:B', secret: 'x1:X', targets: ['0 refused'], paused: 'secret', then: 'announce x1' },
    { when: 'the announcement is lost, and a target may not be read', ...served('a1'), source: '-', said: 'x9', targets: ['A', '!'], then: 'announce a1' },
  ],

  'what another writer does to the Secret': [
    { when: 'it is deleted', ...served('a1'), secret: '-', then: 'copy a1, trust A' },
    { when: 'it is torn', ...served('a1'), secret: 'a1:A broken', then: 'copy a1, trust A' },
    { when: 'it is torn, and every caBundle is emptied', ...served('a1'), secret: 'a1:A broken', source: 'b1:B', targets: ['0'], then: 'target-0: B+A' },
    { when: 'it is torn, and its ca.crt named another CA', ...served('a1'), secret: 'a1:A+X broken', source: 'b1:B', targets: ['0'], then: 'target-0: B+A' },
    { when: 'it is torn, and is not what is announced', ...served('a1'), secret: 'c1:C broken', source: 'b1:B', targets: ['0'], then: 'target-0: B' },
    { when: 'its ca.crt is emptied', ...served('a1'), secret: 'a1:', then: 'copy a1, trust A' },
    { when: 'its ca.crt is replaced', ...served('a1'), secret: 'a1:X', then: 'target-0: A+X' },
    { when: 'another pair is put there, which gains no trust', ...served('a1'), secret: 'x1:X', then: 'copy a1, trust A' },
    { when: 'a pair is put there while the source cannot be used', ...served('a1'), source: '-', secret: 'x1:X', then: 'nothing' },
  ],

  'a source without ca.crt': [
    { when: 'its leaf signed itself: it is its own CA', source: 'S:', then: 'target-0: S' },
    { when: 'its leaf signed itself, and is trusted', source: 'S:', targets: ['S'], then: 'copy S, trust S' },
    { when: 'its leaf signed itself, and is copied', ...served('S'), source: 'S:', secret: 'S:S', then: 'nothing' },
    { when: 'nobody says who signed it', source: 'a1:', then: 'copy a1, trust nothing' },
    { when: 'nobody says it, and a caBundle trusts something', source: 'a1:', targets: ['X', '0', '-'], then: 'copy a1, trust X' },
    { when: 'nobody says it, and what is mounted trusts something too', ...served('a1'), source: 'a2:', targets: ['B+A'], then: 'copy a2, trust B+A' },
    { when: 'nobody says it, and the target was deleted: its CA is not forgotten', ...served('a1'), source: 'a2:', targets: ['-'], then: 'copy a2, trust A' },
    { when: 'it is copied', source: 'a1:', secret: 'a1:X', targets: ['X'], then: 'announce a1' },
    { when: 'it is announced: no caBundle is changed', source: 'a1:', secret: 'a1:', targets: ['X'], said: 'a1', pods: 'a1', then: 'nothing' },
    { when: 'it is served: what ca.crt of the Secret trusts stays', source: 'a1:', secret: 'a1:X', targets: ['X'], said: 'a1', pods: 'a1', servedMinutes: 90, then: 'nothing' },
    { when: 'a target is unreadable, and another is announced', ...served('a1'), source: 'b1:', targets: ['~'], then: 'nothing' },
  ],

  'targets that refuse or cannot be read': [
    { when: 'one refuses the new CA', ...served('a1'), source: 'b1:B', targets: ['B+A', 'A refused'], then: 'nothing' },
    { when: 'one refuses the new CA, and nothing is announced', source: 'b1:B', targets: ['A refused'], then: 'copy b1, trust B+A' },
    { when: 'one refuses it, and trusts nothing', ...served('a1'), source: 'b1:B', targets: ['B+A', '0 refused'], then: 'copy b1, trust B+A' },
    { when: 'one refuses, and the CA stays', ...served('a1'), source: 'a2:A', targets: ['A', 'A refused'], then: 'copy a2, trust A' },
    { when: 'the others come first', ...served('a1'), source: 'b1:B', targets: ['A refused', 'A'], then: 'target-1: B+A' },
    { when: 'one is unreadable, and the CA stays', ...served('a1'), source: 'a2:A', targets: ['A', '~'], then: 'copy a2, trust A' },
    { when: 'one is unreadable, and the CA changes', ...WIDENED, targets: ['B+A', '~'], then: 'nothing' },
    { when: 'only an unreadable one knows the CA of what is announced', source: 'b1:B', said: 'a1', targets: ['0', '~'], then: 'nothing' },
    { when: 'another target knows it too', source: 'b1:B', said: 'a1', targets: ['A', '~'], then: 'target-0: B+A' },
    { when: 'what is announced is what the source holds', source: 'b1:B', said: 'b1', targets: ['0', '~'], then: 'target-0: B' },
    { when: 'nothing is announced', source: 'b1:B', secret: 'x1:X', targets: ['0', '~'], then: 'target-0: B' },
    { when: 'the mounted Secret knows it', ...served('a1'), source: 'b1:B', targets: ['0', '~'], then: 'target-0: B+A' },
  ],

  'what nobody can be asked': [
    { when: 'the replicas are not known yet', ...OVERLAP, pods: '?', servedMinutes: 90, then: 'nothing' },
    { when: 'the replicas may not be read', ...OVERLAP, pods: '!', then: 'nothing' },
    { when: 'the replicas may not be read any more', ...OVERLAP, pods: '!', servedMinutes: 90, then: 'not served any more' },
    { when: 'a rotation is requested', ...served('a1'), rotate: 'leaf', then: 'drop the request' },
    { when: 'a rotation is requested, and the Lease is not to be written now', ...served('a1'), rotate: 'leaf', paused: 'announcement', then: 'nothing' },
  ],
};

const plan = (sketch: Sketch, trustSettleMs = 0): Step | null =>
  planRelay(clusterOf.observed(sketch), { ...clusterOf.policy, trustSettleMs }, clusterOf.nowMs);

describe('the relay plans', () => {
  for (const [about, rows] of Object.entries(TABLE))
    describe(about, () => {
      for (const { when, then, ...sketch } of rows)
        it(`when ${when}: ${then}`, () => {
          expect(stepInWords(plan(sketch))).to.equal(then);
        });
    });
});

describe('the relay, while API servers take up the caBundles,', () => {
  const SETTLE_MS = 10_000;
  const words = (sketch: Sketch): string => stepInWords(plan(sketch, SETTLE_MS));

  it('does not copy before the CA has settled', () => {
    expect(words(WIDENED)).to.equal('every caBundle trusts B');
    expect(words({ ...WIDENED, trusted: { cas: 'B', forMs: 9_999 } })).to.equal('nothing');
    expect(words({ ...WIDENED, trusted: { cas: 'B', forMs: 10_000 } })).to.equal('copy b1, trust B+A');
  });

  it('does not mark the CA while the Lease is not to be written', () => {
    expect(words({ ...WIDENED, paused: 'announcement' })).to.equal('nothing');
  });

  it('copies another leaf of the same CA at once, also in an overlap', () => {
    expect(words({ ...served('a1'), source: 'a2:A' })).to.equal('copy a2, trust A');
    const overlap = { ...OVERLAP, source: 'b2:B', trusted: { cas: 'B', forMs: 20_000 } };
    expect(words(overlap)).to.equal('copy b2, trust B+A');
  });

  it('does not copy a pair of an unknown CA before each CA in a caBundle has settled', () => {
    const unknown = { ...served('a1'), source: 'b1:', targets: ['B+A'] };
    expect(words(unknown)).to.equal('every caBundle trusts B+A');
    expect(words({ ...unknown, trusted: { cas: 'B', forMs: 20_000 } })).to.equal('every caBundle trusts B+A');
    expect(words({ ...unknown, trusted: { cas: 'B+A', forMs: 9_999 } })).to.equal('nothing');
    expect(words({ ...unknown, trusted: { cas: 'B+A', forMs: 10_000 } })).to.equal('copy b1, trust B+A');
    expect(words({ source: 'b1:' })).to.equal('copy b1, trust nothing');
  });

  it('does not announce a copy that was not this leader’s before it has settled', () => {
    expect(words({ ...WIDENED, secret: 'b1:B+A' })).to.equal('every caBundle trusts B');
    expect(words({ ...WIDENED, secret: 'b1:B+A', trusted: { cas: 'B', forMs: 1 } })).to.equal('nothing');
  });

  it('announces what it has copied before, while the next one settles', () => {
    const copied = { ...WIDENED, secret: 'b1:B+A', source: 'c1:C', targets: ['C+B+A'] };
    expect(words({ ...copied, trusted: { cas: 'B', forMs: 20_000 } })).to.equal('announce b1');
    expect(words({ ...copied, trusted: { cas: 'B', forMs: 20_000 }, paused: 'announcement' })).to.equal('nothing');
    expect(words({ ...copied, trusted: { cas: 'C', forMs: 5_000 } })).to.equal('nothing');
  });
});

describe('the steps of the relay', () => {
  it('copy the source that was seen over the Secret that was seen', () => {
    const observed = clusterOf.observed(WIDENED);
    const step = plan(WIDENED);
    if (step?.kind !== 'copy-secret') throw new Error('nothing is copied');
    expect(step.source).to.deep.equal(observed.source);
    expect(step.plannedOn).to.deep.equal(observed.secret);
    expect(step.acceptedBy).to.deep.equal([]);
  });

  it('name the caBundles that must accept a pair without ca.crt', () => {
    const step = plan({ source: 'a1:', targets: ['X|0', '-', 'A'] });
    if (step?.kind !== 'copy-secret') throw new Error('nothing is copied');
    const names = (asked: typeof step) =>
      asked.acceptedBy.map((bundle) => bundle.map(({ fingerprint }) => fingerprint));
    expect(names(step)).to.deep.equal([['X'], ['A']]);
    const deleted = plan({ ...served('a1'), source: 'a2:', targets: ['-', '0'] });
    if (deleted?.kind !== 'copy-secret') throw new Error('nothing is copied');
    expect(names(deleted)).to.deep.equal([['A']]);
    const renewed = plan({ ...served('a1'), source: 'a2:', targets: ['B+A'] });
    if (renewed?.kind !== 'copy-secret') throw new Error('nothing is copied');
    expect(names(renewed)).to.deep.equal([['B', 'A']]);
    const first = plan({ source: 'a1:' });
    expect(first?.kind === 'copy-secret' && first.acceptedBy).to.deep.equal([]);
  });

  it('take a CA from a caBundle on account of the source', () => {
    const sketch = { ...OVERLAP, secret: 'b1:B', servedMinutes: 60 };
    const step = plan(sketch);
    if (step?.kind !== 'inject') throw new Error('nothing is narrowed');
    expect(step.precondition).to.deep.equal({ object: 'source', state: clusterOf.observed(sketch).source });
  });

  it('add a CA to a caBundle on account of nothing', () => {
    const step = plan({ ...served('a1'), source: 'b1:B' });
    if (step?.kind !== 'inject') throw new Error('nothing is widened');
    expect(step).not.to.have.property('precondition');
  });
});

describe('a certificate of the relay waits for', () => {
  const waits = (sketch: Sketch) => relayWaitsFor(clusterOf.observed(sketch), null, clusterOf.nowMs);

  it('targets that refuse its CA or cannot be read', () => {
    expect(waits({ ...served('a1'), source: 'b1:B', targets: ['A refused', 'B+A', '~'] })).to.deep.equal([
      'target-0',
      'target-2',
    ]);
  });

  it('no target when there is no certificate, none is announced, or this one is', () => {
    expect(waits({ targets: ['A refused'] })).to.deep.equal([]);
    expect(waits({ source: '-', said: 'a1', targets: ['A refused'] })).to.deep.equal([]);
    expect(waits({ source: 'b1:B', targets: ['A refused'] })).to.deep.equal([]);
    expect(waits({ ...served('a1'), targets: ['A refused'] })).to.deep.equal([]);
  });
});

describe('what is wrong with a source', () => {
  const problem = (source: string, daysLeft?: Sketch['daysLeft'], nowMs = clusterOf.nowMs) =>
    sourceProblem(clusterOf.observed({ source, ...(daysLeft && { daysLeft }) }).source ?? 'absent', nowMs);

  it('is nothing while it is unknown, and while its pair can be used', () => {
    expect(problem('?')).to.equal(null);
    expect(problem('a1:A')).to.equal(null);
  });

  it('is its absence, that it cannot be read, its pair or its dates', () => {
    expect(problem('-')).to.equal('it does not exist');
    expect(problem('!')).to.equal('it cannot be read: get, list or watch is forbidden');
    expect(problem('no leaf')).to.equal('it has no tls.crt');
    expect(problem('a1:A broken')).to.equal('key of another certificate');
    expect(problem('a1:A', { a1: -1 })).to.equal('its certificate expired at the end of a1');
    expect(problem('a1:A', {}, clusterOf.nowMs - 61 * clusterOf.dayMs)).to.equal('its certificate is not valid yet');
  });

  it('is neither in the first millisecond in which it is valid, and its end in the first in which it is not', () => {
    const { notBeforeMs, notAfterMs } = clusterOf.certificate('a1');
    expect(problem('a1:A', {}, notBeforeMs - 1)).to.equal('its certificate is not valid yet');
    expect(problem('a1:A', {}, notBeforeMs)).to.equal(null);
    expect(problem('a1:A', {}, notAfterMs - 1)).to.equal(null);
    expect(problem('a1:A', {}, notAfterMs)).to.equal('its certificate expired at the end of a1');
  });
});
