import { expect } from 'chai';
import { externalWaitsFor, planExternal } from '../../streams/plan-external.ts';
import type { Step } from '../../streams/step.ts';
import { sketchedCluster } from '../simulation/sketched-cluster.ts';
import { clusterOf, type Sketch } from '../support/cluster-of.ts';
import { stepInWords } from '../support/step-in-words.ts';

interface Row extends Sketch {
  readonly when: string;
  readonly then: string;
}

/** Somebody else's Secret, announced, trusted and served. */
const served = (leaf: string): Sketch => {
  const ca = leaf.slice(0, 1).toUpperCase();
  return { secret: `${leaf}:${ca}`, targets: [ca], said: leaf, pods: leaf };
};

/** The overlap after the issuer went from A to B: b1 is announced and served, A is still trusted. */
const OVERLAP: Sketch = { ...served('b1'), targets: ['B+A'] };

// prettier-ignore
const TABLE: Readonly<Record<string, readonly Row[]>> = {
  'the first announcement': [
    { when: 'there is no Secret', then: 'nothing' },
    { when: 'the Secret is not known yet', secret: '?', then: 'nothing' },
    { when: 'the Secret cannot be read', secret: '!', then: 'nothing' },
    { when: 'the Secret has no leaf yet', secret: 'no leaf', then: 'nothing' },
    { when: 'its pair cannot be used', secret: 'a1:A broken', then: 'nothing' },
    { when: 'a target is not known yet', secret: 'a1:A', targets: ['0', '?'], then: 'nothing' },
    { when: 'the pair stands there', secret: 'a1:A', targets: ['0'], then: 'target-0: A' },
    { when: 'one field of two trusts it', secret: 'a1:A', targets: ['A|0'], then: 'target-0: A' },
    { when: 'every target trusts it', secret: 'a1:A', targets: ['A', 'X+A'], then: 'announce a1' },
    { when: 'there are no targets', secret: 'a1:A', targets: [], then: 'announce a1' },
    { when: 'a target is not there', secret: 'a1:A', targets: ['-'], then: 'announce a1' },
    { when: 'a target may not be read', secret: 'a1:A', targets: ['!', '0'], then: 'target-1: A' },
    { when: 'its end is announced wrong', ...served('a1'), said: 'a2', then: 'announce a1' },
    { when: 'it is announced', ...served('a1'), pods: '-', then: 'nothing' },
    { when: 'it is served', ...served('a1'), then: 'nothing' },
  ],

  'what the caBundles are given': [
    { when: 'the leaf signed itself and there is no ca.crt', secret: 'S:', targets: ['0'], then: 'target-0: S' },
    { when: 'nobody says who signed the leaf', secret: 'a1:', targets: ['0'], then: 'announce a1' },
    { when: 'nobody says it, and something stands there', secret: 'a1:', targets: ['X'], said: 'a1', then: 'nothing' },
    { when: 'nothing of ca.crt can be read, and another is announced', ...served('a1'), secret: 'b1: unreadable', then: 'nothing' },
    { when: 'nothing of ca.crt can be read, another is announced, and one caBundle of two trusts something', ...served('a1'), secret: 'b1: unreadable', targets: ['0', 'A|0'], then: 'nothing' },
    { when: 'nothing of ca.crt can be read, and nothing is announced', secret: 'b1: unreadable', targets: ['0'], then: 'announce b1' },
    { when: 'only part of ca.crt can be read', secret: 'a1:A unreadable', targets: ['A'], then: 'announce a1' },
    { when: 'ca.crt holds several CAs', secret: 'a1:A+X', targets: ['A'], then: 'target-0: A+X' },
    { when: 'ca.crt is said twice', ...served('a1'), secret: 'a1:A+A', then: 'nothing' },
    { when: 'a name is missing in the leaf', ...served('a1'), secret: 'a1:A nameless', then: 'nothing' },
    { when: 'nobody says who signed the leaf, and a target that refuses its write trusts all of ca.crt', secret: 'c1:A', said: 'a1', targets: ['A+X refused'], daysLeft: { X: -1 }, then: 'announce c1' },
    { when: 'one field of a target that refuses its write would reject the leaf', ...served('a1'), secret: 'b1:B', targets: ['A|B refused'], then: 'nothing' },
    { when: 'the leaf has expired', ...served('a1'), secret: 'a2:A', daysLeft: { a2: -1 }, then: 'announce a2' },
  ],

  'another leaf of the same CA': [
    { when: 'it stands in the Secret', ...served('a1'), secret: 'a2:A', then: 'announce a2' },
    { when: 'it is announced', ...served('a1'), secret: 'a2:A', said: 'a2', then: 'nothing' },
  ],

  'another CA': [
    { when: 'it stands in the Secret', ...served('a1'), secret: 'b1:B', then: 'target-0: B+A' },
    { when: 'every caBundle was wiped', ...served('a1'), secret: 'b1:B', targets: ['0'], then: 'target-0: B' },
    { when: 'one target is widened', ...served('a1'), secret: 'b1:B', targets: ['B+A', 'A'], then: 'target-1: B+A' },
    { when: 'one target knows a third', ...served('a1'), secret: 'b1:B', targets: ['A', 'X'], then: 'target-0: B+A+X' },
    { when: 'all are widened', ...served('a1'), secret: 'b1:B', targets: ['B+A'], then: 'announce b1' },
    { when: 'it is announced', ...OVERLAP, pods: 'b1 a1', then: 'nothing' },
    { when: 'it is served everywhere', ...OVERLAP, then: 'served everywhere' },
    { when: 'the overlap is nearly over', ...OVERLAP, servedMinutes: 59, then: 'nothing' },
    { when: 'a replica serves the old one again', ...OVERLAP, pods: 'b1 a1', servedMinutes: 5, then: 'not served any more' },
    { when: 'the clock was set back', ...OVERLAP, servedMinutes: -5, then: 'served everywhere' },
    { when: 'the overlap is over', ...OVERLAP, servedMinutes: 60, then: 'target-0: B' },
    { when: 'one target is narrowed', ...OVERLAP, targets: ['B', 'B+A'], servedMinutes: 60, then: 'target-1: B' },
    { when: 'one field of two is to be narrowed yet', ...OVERLAP, targets: ['B|B+A'], servedMinutes: 60, then: 'target-0: B' },
    { when: 'all are narrowed', ...OVERLAP, targets: ['B', 'B'], servedMinutes: 60, then: 'not served any more' },
    { when: 'all is done', ...served('b1'), then: 'nothing' },
    { when: 'one is emptied during the overlap', ...OVERLAP, targets: ['0', 'B+A'], then: 'target-0: B+A' },
  ],

  'who may not be asked': [
    { when: 'the replicas are not known yet', ...OVERLAP, pods: '?', servedMinutes: 90, then: 'nothing' },
    { when: 'the replicas may not be read', ...OVERLAP, pods: '!', then: 'nothing' },
    { when: 'the replicas may not be read any more', ...OVERLAP, pods: '!', servedMinutes: 90, then: 'not served any more' },
    { when: 'the old CA has expired', ...OVERLAP, pods: '!', daysLeft: { A: 0 }, then: 'target-0: B' },
    { when: 'the CA of the Secret has expired', ...served('a1'), daysLeft: { A: 0 }, then: 'nothing' },
  ],

  'a target that somebody else rewrites': [
    { when: 'its repair is held back', ...served('a1'), targets: ['X held'], servedMinutes: 5, then: 'nothing' },
    { when: 'another is to be written', ...served('a1'), targets: ['X held', '0'], then: 'target-1: A+X' },
    { when: 'it keeps the CA that the others lost', ...OVERLAP, targets: ['A held', 'B'], then: 'served everywhere' },
    { when: 'it refuses what is to be announced', ...served('a1'), secret: 'b1:B', targets: ['A held', 'B+A'], then: 'nothing' },
    { when: 'it trusts what is to be announced', ...served('a1'), secret: 'b1:B', targets: ['B+X held'], then: 'announce b1' },
    { when: 'nothing has been announced at all', secret: 'a1:A', targets: ['X held'], then: 'announce a1' },
    { when: 'only it is still wide', ...OVERLAP, targets: ['B', 'B+A held'], servedMinutes: 60, then: 'nothing' },
  ],

  'a rotation asked for': [
    { when: 'of the leaf', ...served('a1'), rotate: 'leaf', then: 'drop the request' },
    { when: 'of the CA, and there is no Secret', rotate: 'ca', then: 'drop the request' },
    { when: 'in no word', ...served('a1'), rotate: '', then: 'drop the request' },
  ],

  'a target refuses its write (L9)': [
    { when: 'nothing has been announced', secret: 'a1:A', targets: ['0 refused', '0'], then: 'target-1: A' },
    { when: 'the leaf is renewed under the same trust', ...served('a1'), secret: 'a2:A', targets: ['A+X refused', 'A+X'], then: 'announce a2' },
    { when: 'ca.crt has one CA more', ...served('a1'), secret: 'a2:A+C', targets: ['A refused', 'A+C'], then: 'announce a2' },
    { when: 'it trusts nothing at all', ...served('a1'), secret: 'b1:B', targets: ['0 refused', 'B+A'], then: 'announce b1' },
    { when: 'the leaf comes under another CA', ...served('a1'), secret: 'b1:B', targets: ['A refused', 'B+A'], then: 'nothing' },
    { when: 'nothing says who signed the leaf', ...served('a1'), secret: 'b1:C', targets: ['A refused', 'C+A'], then: 'nothing' },
    { when: 'nothing says it, and nothing has been announced', secret: 'b1:C', targets: ['A refused', 'C+A'], then: 'announce b1' },
  ],

  'a target cannot be listed (L9)': [
    { when: 'another lacks the CA', secret: 'a1:A', targets: ['~', '0'], then: 'target-1: A' },
    { when: 'nothing has been announced', secret: 'a1:A', targets: ['~', 'A'], then: 'announce a1' },
    { when: 'the leaf is renewed under the same trust', ...served('a1'), secret: 'a2:A', targets: ['~', 'A'], then: 'announce a2' },
    { when: 'the leaf comes under another CA', ...served('a1'), secret: 'b1:B', targets: ['~', 'A'], then: 'target-1: B+A' },
    { when: 'all others trust the other CA', ...served('a1'), secret: 'b1:B', targets: ['~', 'B+A'], then: 'nothing' },
    { when: 'only it may know the older CA, and another trusts nothing', ...served('a1'), secret: 'b1:B', targets: ['~', '0'], then: 'nothing' },
    { when: 'another trusts nothing and the leaf is announced', ...served('a1'), targets: ['~', '0'], then: 'target-1: A' },
    { when: 'there is no other to show the trust', ...served('a1'), secret: 'a2:A', targets: ['~'], then: 'nothing' },
    { when: 'the overlap of the others is over', ...OVERLAP, targets: ['~', 'B+A'], servedMinutes: 60, then: 'target-1: B' },
  ],

  'the Lease cannot be written (L9)': [
    { when: 'a target has drifted', ...served('a1'), targets: ['0'], rotate: 'ca', paused: 'announcement', then: 'target-0: A' },
    { when: 'a leaf is to be announced', ...served('a1'), secret: 'a2:A', paused: 'announcement', then: 'nothing' },
    { when: 'the new leaf is served', ...OVERLAP, paused: 'announcement', then: 'nothing' },
  ],
};

describe('planExternal', () => {
  const { observed, policy, nowMs, minuteMs } = clusterOf;

  for (const [state, rows] of Object.entries(TABLE)) {
    describe(state, () => {
      for (const { when, then, ...sketch } of rows) {
        it(`plans "${then}" when ${when}`, () => {
          expect(stepInWords(planExternal(observed(sketch), policy, nowMs))).to.equal(then);
        });
      }
    });
  }

  it('plans the same write again when the leader dies before it, and does not change what it looks at', () => {
    for (const { when, then, ...sketch } of Object.values(TABLE).flat()) {
      const seen = observed(sketch);
      expect(stepInWords(planExternal(structuredClone(seen), { ...policy }, nowMs)), when).to.equal(then);
      planExternal(seen, policy, nowMs);
      expect(seen, when).to.deep.equal(observed(sketch));
    }
  });

  it('is told nothing by SECRET-ca', () => {
    for (const { when, then, ...sketch } of Object.values(TABLE).flat()) {
      for (const ca of ['?', '!', 'A', 'B+A', '/X']) {
        expect(stepInWords(planExternal(observed({ ...sketch, ca }), policy, nowMs)), when).to.equal(then);
      }
    }
  });

  it('announces again when only the announced end is wrong', () => {
    const seen = observed(served('a1'));
    const lease = { ...seen.lease, announcement: { hash: 'a1', validUntil: 'some other day' } };
    expect(planExternal({ ...seen, lease }, policy, nowMs)).to.deep.equal({
      kind: 'announce',
      announcement: { hash: 'a1', validUntil: 'the end of a1' },
      clearsRotationRequest: false,
    });
  });

  it('hands an injection the target it was decided on', () => {
    expect(planExternal(observed({ ...served('a1'), targets: ['0'] }), policy, nowMs)).to.deep.equal({
      kind: 'inject',
      target: 'target-0',
      trust: clusterOf.certificates('A'),
      plannedOn: clusterOf.targetState('0'),
    });
  });

  it('hands one that takes trust away the Secret on account of which it does', () => {
    const sketch = { ...OVERLAP, servedMinutes: 60 };
    expect(planExternal(observed(sketch), policy, nowMs)).to.deep.equal({
      kind: 'inject',
      target: 'target-0',
      trust: clusterOf.certificates('B'),
      plannedOn: clusterOf.targetState('B+A'),
      precondition: { object: 'secret', state: clusterOf.secret('b1:B') },
    });
  });

  /** Somebody else's Secrets, one after the other, each once the one before is at rest or right in its midst. */
  const settle = (secrets: readonly string[], writesBetween: number, syncing: readonly string[]): readonly Step[] => {
    const cluster = sketchedCluster({ ...served('a1'), targets: ['A', 'A|A'], pods: 'a1 a1 a1' });
    const coming = [...secrets];
    const steps: Step[] = [];
    let [sinceSecret, quiet] = [writesBetween, 0];
    while (quiet < 6 || coming.length > 0) {
      if (sinceSecret >= writesBetween && coming.length > 0) {
        cluster.meddle.secret(coming.shift()!);
        sinceSecret = 0;
      }
      const step = planExternal(cluster.observed(), policy, cluster.nowMs());
      if (step !== null) {
        expect(cluster.write(step)).to.equal(true);
        steps.push(step);
        sinceSecret += 1;
        quiet = 0;
        for (const pod of syncing) cluster.sync(pod);
      } else if (!['pod-0', 'pod-1', 'pod-2'].some((pod) => cluster.sync(pod))) {
        cluster.wait(30 * minuteMs);
        sinceSecret += 1;
        quiet += 1;
      }
      expect(cluster.refused(), steps.map(stepInWords).join(' → ')).to.deep.equal([]);
      expect(steps.length).to.be.below(60);
    }
    const { targets } = cluster.observed();
    const last = clusterOf.secret(secrets.at(-1)!).trust;
    for (const { state } of targets) {
      if (typeof state !== 'string') for (const own of state.bundles) expect(own).to.have.deep.members([...last]);
    }
    expect(cluster.observed().lease.announcement?.hash).to.equal(clusterOf.secret(secrets.at(-1)!).hash);
    return steps;
  };

  const HISTORIES = [
    ['a2:A'],
    ['b1:B'],
    ['b1:B', 'c1:C'],
    ['b1:B', 'a2:A'],
    ['b1:B+A', 'b2:B'],
    ['b1:B', 'b2:B', 'a2:A', 'c1:C+B'],
  ];

  for (const secrets of HISTORIES) {
    it(`comes to rest after ${secrets.join(', then ')}, refuses no call and writes no Secret`, () => {
      for (const syncing of [['pod-0', 'pod-1', 'pod-2'], ['pod-1'], []]) {
        for (let writesBetween = 1; writesBetween < 14; writesBetween += 1) {
          const kinds = settle(secrets, writesBetween, syncing).map(({ kind }) => kind);
          expect(kinds.filter((kind) => !['inject', 'announce', 'record-served'].includes(kind))).to.deep.equal([]);
        }
      }
    });
  }

  describe('with a ca.crt of which nothing can be read (A6)', () => {
    const plan = (sketch: Sketch, validUntil = 'one day') => {
      const seen = observed(sketch);
      const secret = { ...clusterOf.secret(sketch.secret!), trustProblems: ['block 1: not PEM'] };
      const announcement = sketch.said === undefined ? null : { hash: sketch.said, validUntil };
      return stepInWords(planExternal({ ...seen, secret, lease: { ...seen.lease, announcement } }, policy, nowMs));
    };

    it('announces no leaf of which no target is known to trust the issuer, while the announced one is valid', () => {
      expect(plan({ ...served('a1'), secret: 'b1:' })).to.equal('nothing');
      expect(plan({ ...served('a1'), secret: 'b1:' }, '2001-01-01T00:00:00Z')).to.equal('announce b1');
    });

    it('announces it where nothing is announced, or no target trusts any CA', () => {
      expect(plan({ secret: 'b1:', targets: ['A'] })).to.equal('announce b1');
      expect(plan({ ...served('a1'), secret: 'b1:', targets: ['0', '-'] })).to.equal('announce b1');
      expect(plan({ ...served('a1'), secret: 'S:', targets: ['S'] })).to.equal('announce S');
    });
  });

  it('fills a target that trusts nothing once the announced leaf has expired, though another cannot be listed (L9)', () => {
    const seen = observed({ ...served('a1'), secret: 'b1:B', targets: ['~', '0'] });
    const lease = { ...seen.lease, announcement: { hash: 'a1', validUntil: '2001-01-01T00:00:00Z' } };
    expect(stepInWords(planExternal({ ...seen, lease }, policy, nowMs))).to.equal('target-1: B');
  });

  it('names the targets that an announcement under another CA waits for', () => {
    const waitsFor = (sketch: Sketch) => externalWaitsFor(observed(sketch), policy, nowMs);
    const renewed = { ...served('a1'), secret: 'b1:B', targets: ['A refused', 'A held', '0 refused'] };
    expect(waitsFor(renewed)).to.deep.equal(['target-0']);
    expect(waitsFor({ ...renewed, secret: '-' })).to.deep.equal([]);
    expect(waitsFor({ secret: 'b1:B', targets: ['A refused'] })).to.deep.equal([]);
    expect(waitsFor({ ...renewed, said: 'b1' })).to.deep.equal([]);
  });
});
