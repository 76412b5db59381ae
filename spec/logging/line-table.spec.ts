import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { dedupeLogLines } from '../../src/logging/dedupe-log-lines.ts';
import { type Line, type LineEvent, logLinesFor } from '../../src/logging/log-lines.ts';
import { observationLines } from '../../src/logging/observation-lines.ts';
import { plain } from '../../src/logging/plain.ts';
import type { ClusterState, WriteResult } from '../../streams/observe-cluster.ts';
import type { CaState, SecretState, TargetState } from '../../streams/planner-input.ts';
import type { ReplicaEvent } from '../../streams/replica.ts';
import type { Step } from '../../streams/step.ts';
import { clusterOf } from '../support/cluster-of.ts';
import { factsOf } from '../support/facts-of.ts';
import { leaseOf } from '../support/lease-of.ts';
import { pairOf } from '../support/pair-of.ts';
import { readingOf } from '../support/reading-of.ts';

const CONTRACT = readFileSync(new URL('../../docs/contract.md', import.meta.url), 'utf8');
const CONTEXT = { lease: 'the-lease', announced: 'h', isServing: true };
type Row = readonly [Line['level'], LineEvent, Line['fields']];

const FAILED = { status: 503, error: 'unavailable', retryInMs: 800 };
const cluster = clusterOf.observed({ ca: 'A', secret: 'a1:A', targets: ['A'], said: 'a1', pods: 'a1' });
const [ca, secret] = [cluster.ca as CaState, cluster.secret as SecretState];
const target: TargetState = { resourceVersion: '1', otherManager: null, bundles: [[factsOf('A')], [factsOf('A')]] };

const concluded = (load: Extract<ReplicaEvent, { type: 'certificate/concluded' }>['load']): ReplicaEvent => ({
  type: 'certificate/concluded',
  load,
  elapsedMs: 12,
});
const done = (step: Step, touched: WriteResult | null = null): ReplicaEvent => ({ type: 'step/done', step, touched });
const ticked = (announced: string | null, mounted: string | null): ReplicaEvent => ({
  type: 'tick/checked',
  desired: { lease: leaseOf(announced), mounted: readingOf(mounted) },
});
const inject = (...names: readonly string[]): Step => ({
  kind: 'inject',
  target: 't',
  trust: names.map((name) => factsOf(name)),
  plannedOn: target,
});
const copy: Step = {
  kind: 'copy-secret',
  source: { ...secret, hash: 'a2' },
  trust: [factsOf('A'), factsOf('B')],
  acceptedBy: [],
  plannedOn: secret,
};
const rotate: Step = { kind: 'set-rotation-request', rotate: 'ca/f00' };

/** Each event, and the lines that it is logged as. */
const ROWS: readonly (readonly [string, ReplicaEvent, ...(readonly Row[])])[] = [
  ['a pair that is copied', done(copy), ['info', 'certificate-copied', { hash: 'a2', certificates: 2 }]],
  [
    'a CA that every caBundle trusts',
    done({ kind: 'record-trusted', trusted: { cas: ['f00'], sinceMs: 0 } }),
    ['info', 'ca-trusted-everywhere', { authorities: ['f00'] }],
  ],
  [
    'a Lease that cannot be read',
    { type: 'lease/unread', ...FAILED },
    ['debug', 'lease-unreadable', { status: 503, error: 'unavailable' }],
  ],
  [
    'a watch of another object that fails',
    { type: 'watch/unavailable', object: 'ca', ...FAILED },
    ['warn', 'watch-failed', { object: 'ca', ...FAILED }],
  ],
  ['a tick', ticked('a', 'a'), ['debug', 'tick-checked', { hash: 'a', filesystemHash: 'a' }]],
  ['a tick without announcement', ticked(null, 'a'), ['debug', 'tick-checked', { hash: null, filesystemHash: 'a' }]],
  [
    'a tick without Lease',
    { type: 'tick/checked', desired: { lease: null, mounted: readingOf(null) } },
    ['debug', 'tick-checked', { hash: null, filesystemHash: null }],
  ],
  [
    'a tick with another certificate mounted',
    ticked('a', 'b'),
    ['debug', 'tick-checked', { hash: 'a', filesystemHash: 'b' }],
    ['debug', 'certificate-mismatch', { hash: 'a', filesystemHash: 'b' }],
  ],
  [
    'readiness',
    { type: 'readiness/changed', readiness: { ready: true, reasons: [], served: pairOf('a') } },
    ['info', 'ready', { hash: 'a' }],
  ],
  [
    'the end of readiness',
    { type: 'readiness/changed', readiness: { ready: false, reasons: ['no-announcement'], served: null } },
    ['info', 'not-ready', { hash: null, reasons: ['no-announcement'] }],
  ],
  ['a nudge', { type: 'kubelet/nudged', hash: 'a' }, ['info', 'kubelet-nudged', { hash: 'a' }]],
  [
    'an acknowledgement',
    { type: 'replica/acknowledged', hash: 'a' },
    ['info', 'certificate-acknowledged', { hash: 'a' }],
  ],
  [
    'forbidden annotations',
    { type: 'pod/forbidden', error: 'no' },
    ['warn', 'pod-annotations-forbidden', { error: 'no' }],
  ],
  [
    'an annotation that fails',
    { type: 'pod/failed', hash: 'a', ...FAILED },
    ['warn', 'pod-annotation-failed', { hash: 'a', ...FAILED }],
  ],
  [
    'leadership',
    { type: 'leadership/acquired', fence: () => true },
    ['info', 'leadership-acquired', { lease: 'the-lease' }],
  ],
  ['its renewal', { type: 'leadership/renewed' }, ['debug', 'leadership-renewed', { lease: 'the-lease' }]],
  [
    'its loss',
    { type: 'leadership/lost', reason: 'deposed' },
    ['warn', 'leadership-lost', { lease: 'the-lease', reason: 'deposed' }],
  ],
  [
    'its loss to a process of the same name',
    { type: 'leadership/lost', reason: 'shared-identity' },
    ['warn', 'leadership-lost', { lease: 'the-lease', reason: 'shared-identity' }],
    ['error', 'identity-shared', { lease: 'the-lease' }],
  ],
  ['its release', { type: 'leadership/released' }, ['info', 'leadership-released', { lease: 'the-lease' }]],
  ['a Lease that cannot be written', { type: 'leadership/failed', ...FAILED }, ['warn', 'lease-write-failed', FAILED]],
  [
    'a step that fails',
    { type: 'step/failed', step: rotate, ...FAILED, repeated: false },
    ['warn', 'write-failed', { step: 'set-rotation-request', ...FAILED }],
  ],
  [
    'an object that is accepted again',
    { type: 'object/accepted', object: 't' },
    ['info', 'object-accepted', { object: 't' }],
  ],
  [
    'a change of CA that waits',
    { type: 'ca-change/waiting', objects: ['t'] },
    ['warn', 'ca-change-waiting', { objects: ['t'] }],
  ],
  [
    'a change of CA that waits no longer',
    { type: 'ca-change/waiting', objects: [] },
    ['info', 'ca-change-resumed', {}],
  ],
  [
    'a contention',
    { type: 'object/contested', object: 't', otherManager: 'helm' },
    ['warn', 'object-contested', { object: 't', otherManager: 'helm' }],
  ],
  [
    'a change of what is desired',
    { type: 'desired/changed', desired: { lease: null, mounted: readingOf('a') }, elapsedMs: 0 },
  ],
  ['an observation', { type: 'cluster/observed', observed: cluster }],
  [
    'no announcement',
    concluded({ type: 'certificate/unannounced', malformed: null }),
    ['info', 'certificate-unannounced', {}],
  ],
  [
    'a malformed announcement',
    concluded({ type: 'certificate/unannounced', malformed: 'no hash' }),
    ['warn', 'announcement-unusable', { reason: 'no hash' }],
  ],
  [
    'nothing mounted',
    concluded({ type: 'certificate/unmounted', hash: 'a' }),
    ['info', 'certificate-mismatch', { hash: 'a', filesystemHash: null }],
  ],
  [
    'a certificate with objections and a failed handshake',
    concluded({ type: 'certificate/served', pair: pairOf('a', { advice: ['short'] }), untrusted: 'unknown CA' }),
    ['info', 'certificate-loaded', { hash: 'a', serial: '01', validUntil: '1970-01-01T01:00:00Z', elapsedMs: 12 }],
    ['warn', 'certificate-objection', { hash: 'a', reason: 'short' }],
    ['warn', 'handshake-failed', { hash: 'a', reason: 'unknown CA' }],
  ],
  [
    'a certificate without fault',
    concluded({ type: 'certificate/served', pair: pairOf('a'), untrusted: null }),
    ['info', 'certificate-loaded', { hash: 'a', serial: '01', validUntil: '1970-01-01T01:00:00Z', elapsedMs: 12 }],
  ],
  [
    'a new CA',
    done({ kind: 'issue-ca', reason: 'missing', keep: [factsOf('A')], plannedOn: 'absent' }),
    ['info', 'ca-issued', { reason: 'missing', kept: 1 }],
  ],
  [
    'an extended bundle',
    done({ kind: 'extend-ca-bundle', keep: [factsOf('A')], plannedOn: ca }),
    ['info', 'ca-bundle-extended', { kept: 1 }],
  ],
  [
    'a pruned bundle',
    done({ kind: 'prune-ca-bundle', keep: [], plannedOn: ca }),
    ['info', 'ca-bundle-pruned', { hash: 'h', kept: 0 }],
  ],
  ['a caBundle with a new CA', done(inject('A', 'B')), ['info', 'target-written', { target: 't', certificates: 2 }]],
  [
    'a caBundle without a new CA',
    done(inject('A')),
    ['info', 'target-written', { hash: 'h', target: 't', certificates: 1 }],
  ],
  [
    'caBundles of which one gets a new CA',
    done({ ...inject('A'), plannedOn: { ...target, bundles: [[factsOf('A')], []] } } as Step),
    ['info', 'target-written', { target: 't', certificates: 1 }],
  ],
  [
    'a new leaf',
    done({ kind: 'issue-leaf', reason: 'missing', ca, plannedOn: 'absent' }, { object: 'secret', state: secret }),
    ['info', 'certificate-issued', { hash: 'a1', reason: 'missing' }],
  ],
  [
    'a new leaf whose Secret is not known',
    done({ kind: 'issue-leaf', reason: 'missing', ca, plannedOn: 'absent' }, { object: 'ca', state: ca }),
    ['info', 'certificate-issued', { hash: null, reason: 'missing' }],
  ],
  [
    'a new leaf after which nothing was read',
    done({ kind: 'issue-leaf', reason: 'missing', ca, plannedOn: 'absent' }),
    ['info', 'certificate-issued', { hash: null, reason: 'missing' }],
  ],
  [
    'an announcement',
    done({ kind: 'announce', announcement: { hash: 'a', validUntil: 'v' }, clearsRotationRequest: false }),
    ['info', 'certificate-announced', { hash: 'a', validUntil: 'v' }],
  ],
  [
    'a certificate that all serve',
    done({ kind: 'record-served', sinceMs: 1_000 }),
    ['info', 'certificate-served-everywhere', { hash: 'h', since: '1970-01-01T00:00:01Z' }],
  ],
  [
    'a certificate that no longer all serve',
    done({ kind: 'record-served', sinceMs: null }),
    ['info', 'certificate-not-served-everywhere', { hash: 'h' }],
  ],
  ['a request that is answered', done(rotate), ['info', 'rotation-request-set', { rotate: 'ca/f00' }]],
  [
    'a published bundle',
    done({ kind: 'update-secret-ca', trust: [factsOf('A')], plannedOn: secret }),
    ['info', 'secret-ca-updated', { hash: 'a1', certificates: 1 }],
  ],
];

describe('the log of', () => {
  for (const [what, event, ...rows] of ROWS)
    it(`${what} is ${rows.length === 0 ? 'empty' : rows.map(([level, id]) => `${id} at ${level}`).join(' and ')}`, () => {
      const lines = logLinesFor(event, CONTEXT);
      expect(lines.map(({ level, event: id, fields }) => [level, id, fields])).to.deep.equal(rows);
      for (const { message } of lines) expect(CONTRACT).to.include(message).and.to.match(/./);
      for (const { message } of lines) expect(message).to.have.length.above(4);
    });
});

describe('the lines about what the leader observes', () => {
  const linesOf = (...states: readonly ClusterState[]) => {
    const lines = observationLines();
    return states.map((observed) => lines({ type: 'cluster/observed', observed }));
  };
  const rowsOf = (state: ClusterState) => linesOf(state)[0]?.map(({ level, event, fields }) => [level, event, fields]);

  it('carry the object, the reason, and a remedy', () => {
    const foreignCa: ClusterState = { ...cluster, ca: { ...ca, foreign: 'why' } };
    expect(rowsOf(foreignCa)).to.deep.equal([
      [
        'error',
        'ca-foreign',
        {
          object: 'ca',
          reason: 'why',
          remedy: 'correct ca.crt and ca.key, or delete the Secret to have a CA generated',
        },
      ],
    ]);
    const foreign: ClusterState = { ...cluster, secret: { ...secret, foreign: 'why', problem: 'other' } };
    expect(rowsOf(foreign)).to.deep.equal([
      [
        'error',
        'secret-foreign',
        {
          object: 'secret',
          reason: 'why',
          remedy: 'name another Secret in SECRET_NAME, or delete this one to have a certificate issued into it',
        },
      ],
    ]);
    const unusable: ClusterState = { ...cluster, secret: { ...secret, problem: 'why', trustProblems: ['x', 'y'] } };
    expect(rowsOf(unusable)).to.deep.equal([
      [
        'warn',
        'secret-unusable',
        {
          object: 'secret',
          reason: 'why',
          remedy: 'its issuer must write tls.crt (leaf first) and an unencrypted tls.key',
        },
      ],
      ['warn', 'secret-ca-partial', { object: 'secret', reason: 'x; y' }],
    ]);
    const absent: ClusterState = { ...cluster, targets: [{ id: 't', state: 'absent' }] };
    expect(rowsOf(absent)).to.deep.equal([
      ['warn', 'target-missing', { target: 't', remedy: 'create it, or correct CA_BUNDLE_TARGETS' }],
    ]);
  });

  it('are none for Secrets that are absent or not known', () => {
    for (const state of ['absent', 'pending', 'forbidden'] as const)
      expect(rowsOf({ ...cluster, ca: state, secret: state })).to.deep.equal([]);
  });

  it('come again when the reason changes with the object as it was', () => {
    const problem = (reason: string): ClusterState => ({ ...cluster, secret: { ...secret, problem: reason } });
    const found = linesOf(problem('x'), problem('y'), problem('y'));
    expect(found.map(({ length }) => length)).to.deep.equal([1, 1, 0]);
  });

  it('report that a target was found for that target alone, and only after it was missing', () => {
    const targets = (...states: readonly ('absent' | 'pending' | 'unreadable' | TargetState)[]): ClusterState => ({
      ...cluster,
      targets: states.map((state, at) => ({ id: `t${at}`, state })),
    });
    const found = linesOf(
      targets('absent', 'absent'),
      targets(target, 'absent'),
      targets(target, 'unreadable'),
      targets(target, 'absent'),
      targets(target, target),
    );
    expect(found.map((lines) => lines.map(({ event, fields }) => [event, fields['target']]))).to.deep.equal([
      [
        ['target-missing', 't0'],
        ['target-missing', 't1'],
      ],
      [['target-found', 't0']],
      [],
      [],
      [['target-found', 't1']],
    ]);
  });

  it('are the same for one object with another problem beside it', () => {
    const both: ClusterState = {
      ...cluster,
      secret: { ...secret, problem: 'x' },
      targets: [{ id: 't0', state: 'absent' }],
    };
    const [first = [], second = []] = linesOf(both, { ...both, secret });
    expect([first.map(({ event }) => event), second]).to.deep.equal([['secret-unusable', 'target-missing'], []]);
  });
});

describe('deduplication', () => {
  const mismatch = (filesystemHash: number, level: Line['level'] = 'info'): Line => ({
    level,
    event: 'certificate-mismatch',
    message: 'm',
    fields: { filesystemHash },
  });

  it('does not remember a line at debug', () => {
    const dedupe = dedupeLogLines();
    expect(dedupe(mismatch(1, 'debug')).level).to.equal('debug');
    expect(dedupe(mismatch(1)).level).to.equal('info');
  });

  it('applies to mismatches, rejections, objections and handshakes', () => {
    const levels = (event: LineEvent) => {
      const dedupe = dedupeLogLines();
      return [0, 1].map(() => dedupe({ level: 'warn', event, message: 'm', fields: {} }).level);
    };
    for (const event of [
      'certificate-mismatch',
      'certificate-rejected',
      'certificate-objection',
      'handshake-failed',
    ] as const)
      expect(levels(event), event).to.deep.equal(['warn', 'debug']);
  });

  it('remembers 64 lines, and forgets them all with the next', () => {
    const dedupe = dedupeLogLines();
    for (let at = 0; at < 64; at += 1) dedupe(mismatch(at));
    expect(dedupe(mismatch(0)).level).to.equal('debug');
    expect(dedupe(mismatch(64)).level).to.equal('info');
    expect(dedupe(mismatch(0)).level).to.equal('info');
  });
});

describe('a plain value', () => {
  it('keeps false and null, leaves out undefined, and cuts what is nested deeper than eight', () => {
    expect(plain({ no: false, yes: true, none: null, gone: undefined, call: () => 0 })).to.deep.equal({
      no: false,
      yes: true,
      none: null,
    });
    expect(Object.keys(plain({ gone: undefined }) as object)).to.deep.equal([]);
    const nested = (depth: number): unknown => (depth === 0 ? 'end' : [nested(depth - 1)]);
    expect(JSON.stringify(plain(nested(8)))).to.equal('[[[[[[[["end"]]]]]]]]');
    expect(JSON.stringify(plain(nested(9)))).to.equal('[[[[[[[["[deep]"]]]]]]]]');
    expect(plain([undefined])).to.deep.equal([null]);
  });
});
