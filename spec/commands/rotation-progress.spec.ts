import { expect } from 'chai';
import {
  initialReport,
  isSettling,
  nextReport,
  rotationHint,
  rotationStart,
} from '../../src/commands/rotation-progress.ts';
import type { Replica } from '../../streams/model.ts';
import type { ClusterState } from '../../streams/observe-cluster.ts';
import {
  announcedLease,
  asked,
  authorityOf,
  before,
  certificate,
  lease,
  newCa,
  nowMs,
  oldCa,
  replicaOf,
  secretOf,
  targetOf,
  terms,
} from './rotation-states.ts';

/** Every line of a history, as they are told. */
const told = (rotate: string, history: readonly ClusterState[], its = terms) => {
  const start = rotationStart(before, rotate);
  const reports = history.reduce<ReturnType<typeof nextReport>[]>(
    (all, seen) => [...all, nextReport(all.at(-1) ?? initialReport, start, seen, its)],
    [],
  );
  return { lines: reports.flatMap(({ fresh }) => fresh), exitCode: reports.at(-1)?.exitCode };
};

describe('the report of a rotation', () => {
  it('waits with a later step that is seen before an earlier one', () => {
    const early = { ...before, lease: announcedLease };
    const whole = { ...early, secret: secretOf('b'), replicas: [replicaOf('first', 'b')] };
    expect(told('leaf', [asked('leaf'), early]).lines).to.deep.equal([]);
    expect(told('leaf', [asked('leaf'), early, whole])).to.deep.equal({
      lines: ['Secret written: b', 'announced: b, valid until later', 'acknowledged: 1/1 replicas'],
      exitCode: 0,
    });
  });

  it('tells each acknowledgement, counts only replicas that may serve, and is not done before the last', () => {
    const served = (...replicas: readonly Replica[]) => ({
      ...before,
      lease: announcedLease,
      secret: secretOf('b'),
      replicas,
    });
    const gone = replicaOf('gone', 'a', { goneAtMs: 0 });
    const starting = replicaOf('starting', null);
    const { lines, exitCode } = told('leaf', [
      served(replicaOf('first', 'a'), replicaOf('second', 'a'), gone, starting),
      served(replicaOf('first', 'b'), replicaOf('second', 'a'), gone, starting),
    ]);
    expect(lines.slice(2)).to.deep.equal(['acknowledged: 0/3 replicas', 'acknowledged: 1/3 replicas']);
    expect(exitCode).to.equal(null);
  });

  it('is not done when nobody is there to serve it', () => {
    const nobody = { ...before, lease: announcedLease, secret: secretOf('b'), replicas: [] };
    expect(told('leaf', [nobody])).to.deep.include({ exitCode: null });
    expect(told('leaf', [nobody]).lines.at(-1)).to.equal('no live replica matches app=hook');
  });

  it('leaves out what may not be looked at, and says so of the Pods', () => {
    const blind: ClusterState = {
      lease: announcedLease,
      secret: 'forbidden',
      ca: 'forbidden',
      targets: [{ id: 'target', state: 'forbidden' }],
      replicas: 'forbidden',
    };
    const { lines, exitCode } = told('ca', [blind]);
    expect(lines.map((line) => line.split(/[:,]| kept/)[0])).to.deep.equal([
      'picked up by first',
      'announced',
      'the Pods are not readable',
      'the older CA is',
    ]);
    expect(exitCode).to.equal(0);
  });

  it('does not wait for acknowledgements that are off', () => {
    const done = { ...before, lease: announcedLease, secret: secretOf('b') };
    const { lines, exitCode } = told('leaf', [done], { ...terms, kubeletNudge: false });
    expect(lines.at(-1)).to.match(/^acknowledgements are off/);
    expect(exitCode).to.equal(0);
  });

  it('tells a CA rotation in the order of its writes', () => {
    const issued = asked('ca/old', { ca: authorityOf(newCa, [newCa, oldCa]) });
    const widened = { ...issued, targets: [targetOf([newCa, oldCa])] };
    const done = {
      ...widened,
      secret: secretOf('b'),
      lease: { ...announcedLease, servedSinceMs: nowMs - 60_000 },
      replicas: [replicaOf('first', 'b')],
    };
    expect(told('ca', [asked('ca'), asked('ca/old'), issued, widened, done])).to.deep.equal({
      lines: [
        'picked up by first, replaces the CA old',
        'new CA issued: new',
        'caBundle extended: target',
        'Secret written: b',
        'announced: b, valid until later',
        'acknowledged: 1/1 replicas',
        'the older CA is kept until 2026-01-01T00:59:00Z (CA_OVERLAP), then removed',
      ],
      exitCode: 0,
    });
  });

  it('joins a CA rotation that has begun: its request names the CA to be replaced', () => {
    const begun = asked('ca/old', {
      ca: authorityOf(newCa, [newCa, oldCa]),
      targets: [targetOf([newCa, oldCa])],
    });
    const start = rotationStart(begun, 'ca/old');
    expect(nextReport(initialReport, start, begun, terms).fresh).to.deep.equal([
      'picked up by first, replaces the CA old',
      'new CA issued: new',
      'caBundle extended: target',
    ]);
  });

  it('does not take a caBundle for widened that holds another CA than the new one', () => {
    const issued = asked('ca/old', {
      ca: authorityOf(newCa, [newCa, oldCa]),
      targets: [targetOf([oldCa, certificate('rival')])],
    });
    expect(told('ca', [issued]).lines.at(-1)).to.equal('new CA issued: new');
  });
});

describe('the report of a rotation of the leaf', () => {
  it('says until when the API servers take up the caBundles, as long as nothing is written', () => {
    const settling = { ...lease, rotate: 'leaf', trusted: { cas: ['old'], sinceMs: nowMs - 4_000 } };
    const at = (seen: Partial<ClusterState>, its = terms) =>
      told('leaf', [{ ...before, lease: settling, ...seen }], its);
    const line = 'waiting until 2026-01-01T00:00:06Z (TRUST_SETTLE): every API server takes up the caBundles';
    expect(at({})).to.deep.equal({ lines: [line], exitCode: null });
    expect(at({}, { ...terms, nowMs: nowMs + 5_999 }).lines).to.deep.equal([line]);
    expect(at({}, { ...terms, nowMs: nowMs + 6_000 }).lines).to.deep.equal([]);
    expect(at({ secret: 'forbidden' }).lines).to.deep.equal([]);
    expect(at({ secret: secretOf('b') }).lines).to.deep.equal(['Secret written: b']);
    expect(told('leaf', [asked('leaf')]).lines).to.deep.equal([]);
    const again = { ...settling, trusted: { cas: ['old'], sinceMs: nowMs } };
    expect(
      told(
        'leaf',
        [settling, settling, again].map((its) => ({ ...before, lease: its })),
      ).lines,
    ).to.deep.equal([line, line.replace('00:06Z', '00:10Z')]);
  });

  it('waits for TRUST_SETTLE until that is over, and for nothing else', () => {
    const settling = { ...lease, rotate: 'leaf', trusted: { cas: ['old'], sinceMs: nowMs - 4_000 } };
    const settles = (seen: Partial<ClusterState>, its = terms): boolean =>
      isSettling(rotationStart(before, 'leaf'), { ...before, lease: settling, ...seen }, its);
    expect(settles({})).to.equal(true);
    expect(settles({}, { ...terms, nowMs: nowMs + 6_000 })).to.equal(false);
    expect(settles({ secret: secretOf('b') })).to.equal(false);
    expect(settles({ lease: announcedLease, secret: secretOf('b'), replicas: [replicaOf('first', 'b')] })).to.equal(
      false,
    );
  });

  it('does not take a Secret for written that holds no certificate', () => {
    const empty = { ...asked('leaf'), secret: { ...(secretOf('a') as object), hash: null } as ClusterState['secret'] };
    expect(told('leaf', [empty]).lines).to.deep.equal([]);
  });

  it('begins with nothing told, and can begin without an announcement or a request', () => {
    expect(initialReport).to.deep.equal({ printed: new Set(), fresh: [], exitCode: null });
    expect(rotationStart({ ...before, lease: { ...lease, announcement: null } }, null)).to.include({
      ca: true,
      hash: null,
      authority: 'old',
      renewTime: 'at first',
    });
  });

  it('fails once the request is gone and nothing was rotated', () => {
    const gone =
      'the request is gone and nothing was rotated: is CERT_ISSUER external there, or was the annotation removed?';
    expect(told('leaf', [asked('leaf'), before])).to.deep.equal({ lines: [gone], exitCode: 1 });
    const unannounced = { ...before, lease: { ...lease, announcement: null } };
    const start = rotationStart(unannounced, 'leaf');
    expect(nextReport(initialReport, start, unannounced, terms)).to.include({ exitCode: 1 });
  });

  it('tells nothing of a CA, whose rotation was not asked for', () => {
    const done = {
      ...before,
      lease: announcedLease,
      secret: secretOf('b'),
      ca: authorityOf(newCa),
      replicas: [replicaOf('first', 'b')],
    };
    expect(told('leaf', [done])).to.deep.equal({
      lines: ['Secret written: b', 'announced: b, valid until later', 'acknowledged: 1/1 replicas'],
      exitCode: 0,
    });
  });

  it('is not announced while the request stands, nor without an announcement', () => {
    const written = { ...before, secret: secretOf('b') };
    for (const its of [
      { ...announcedLease, rotate: 'leaf' },
      { ...lease, announcement: null },
    ])
      expect(told('leaf', [{ ...written, lease: its }])).to.deep.equal({
        lines: ['Secret written: b'],
        exitCode: null,
      });
  });
});

describe('the report of a rotation of the CA', () => {
  const finished = {
    ...before,
    lease: announcedLease,
    secret: secretOf('b'),
    targets: [targetOf([newCa, oldCa])],
    replicas: [replicaOf('first', 'b')],
  };

  it('ends with the older CA removed, or kept from now where nobody knows since when all serve', () => {
    const removed = told('ca', [{ ...finished, ca: authorityOf(newCa) }]);
    expect(removed.lines.at(-1)).to.equal('the older CA is removed');
    expect(removed.exitCode).to.equal(0);
    const kept = told('ca', [{ ...finished, ca: authorityOf(newCa, [newCa, oldCa]) }]);
    expect(kept.lines.at(-1)).to.equal('the older CA is kept until 2026-01-01T01:00:00Z (CA_OVERLAP), then removed');
  });

  it('names no CA where none could be read, and takes any new one in a caBundle for its successor', () => {
    const blind: ClusterState = { ...before, ca: 'forbidden' };
    const start = rotationStart(blind, 'ca');
    const report = (seen: Partial<ClusterState>) =>
      nextReport(initialReport, start, { ...blind, lease: { ...lease, holder: null, rotate: 'ca/?' }, ...seen }, terms)
        .fresh;
    expect(report({})).to.deep.equal(['picked up by the leader']);
    expect(report({ targets: [targetOf([oldCa, newCa])] })).to.deep.equal([
      'picked up by the leader',
      'caBundle extended: target',
    ]);
  });

  it('takes any CA for new in a caBundle that could not be read before', () => {
    for (const targets of [[{ id: 'target', state: 'forbidden' as const }], []]) {
      const start = rotationStart({ ...before, ca: 'forbidden', targets }, 'ca');
      const seen: ClusterState = { ...before, ca: 'forbidden', lease: { ...lease, rotate: 'ca/?' } };
      expect(nextReport(initialReport, start, seen, terms).fresh).to.include('caBundle extended: target');
    }
  });

  it('does not take a caBundle for extended that holds no CA but those it held, whatever its CA is', () => {
    const start = rotationStart({ ...before, ca: 'forbidden' }, 'ca');
    const seen: ClusterState = { ...before, ca: 'forbidden', lease: { ...lease, rotate: 'ca/?' } };
    expect(nextReport(initialReport, start, seen, terms).fresh).to.deep.equal(['picked up by first']);
  });

  it('leaves out the new CA where the older one is not known, or where neither can be read any more', () => {
    const linesOf = (start: ClusterState, seen: ClusterState['ca']) =>
      nextReport(initialReport, rotationStart(start, 'ca'), asked('ca/old', { ca: seen }), terms).fresh;
    const unusable: ClusterState['ca'] = { resourceVersion: '1', current: null, bundle: [], otherManager: null };
    expect(linesOf({ ...before, ca: unusable }, authorityOf(newCa))).to.deep.equal(['picked up by first']);
    expect(linesOf({ ...before, ca: unusable }, authorityOf(oldCa))).to.deep.equal(['picked up by first']);
    const extended = asked('ca/old', { ca: authorityOf(newCa), targets: [targetOf([newCa, oldCa])] });
    const start = rotationStart({ ...before, ca: unusable }, 'ca');
    expect(nextReport(initialReport, start, extended, terms).fresh).to.deep.equal([
      'picked up by first',
      'caBundle extended: target',
    ]);
    expect(linesOf(before, 'forbidden')).to.deep.equal(['picked up by first, replaces the CA old']);
    expect(linesOf(before, unusable)).to.deep.equal(['picked up by first, replaces the CA old']);
  });

  it('is not picked up while the request names no CA', () => {
    expect(told('ca', [asked('ca')])).to.deep.equal({ lines: [], exitCode: null });
  });

  it('is not extended before every caBundle of a target holds the new CA', () => {
    const issued = asked('ca/old', { ca: authorityOf(newCa, [newCa, oldCa]) });
    const half: ClusterState = {
      ...issued,
      targets: [
        { id: 'target', state: { resourceVersion: '1', bundles: [[newCa, oldCa], [oldCa]], otherManager: null } },
      ],
    };
    expect(told('ca', [half]).lines.at(-1)).to.equal('new CA issued: new');
  });

  it('says that Pods which cannot be read acknowledge nothing that can be seen, and how long without acknowledgements', () => {
    const whole = { ...finished, ca: authorityOf(newCa) };
    expect(told('ca', [{ ...whole, replicas: 'forbidden' }]).lines).to.include(
      'the Pods are not readable, so acknowledgements are unknown',
    );
    expect(told('ca', [whole], { ...terms, kubeletNudge: false }).lines).to.include(
      'acknowledgements are off (KUBELET_NUDGE=false): allow the kubelets two minutes',
    );
  });
});

describe('the hint when a rotation stands still', () => {
  const hint = (seen: ClusterState) => rotationHint(rotationStart(before, 'leaf'), seen, { namespace: 'hooks', nowMs });
  const renewed = { ...announcedLease, renewTime: 'later' };

  it('says that there is no leader', () => {
    expect(hint({ ...before, lease: { ...lease, holder: null } })).to.match(/^no leader: the Lease has no holder/);
    expect(hint(asked('leaf'))).to.match(/^no leader: first holds the Lease but has not renewed it/);
  });

  it('points to the log of a leader that has not done it', () => {
    expect(hint({ ...before, lease: { ...renewed, rotate: 'leaf' } })).to.include('kubectl -n hooks logs first');
    expect(hint({ ...before, lease: renewed, replicas: 'forbidden' })).to.include('kubectl -n hooks logs first');
  });

  it('names the target that is not there', () => {
    const targets = [{ id: 'target', state: 'absent' as const }];
    expect(hint({ ...before, lease: renewed, targets })).to.match(/^there is no target/);
  });

  it('names who has not acknowledged', () => {
    const replicas = [replicaOf('first', 'b'), replicaOf('second', 'a'), replicaOf('third', null)];
    expect(hint({ ...before, lease: renewed, replicas })).to.match(
      /^not acknowledged: second serves a, third has no serving-hash annotation\./,
    );
  });

  it('is one sentence on what stands in the way, with the command to look further', () => {
    expect(hint({ ...before, lease: { ...lease, holder: null } })).to.equal(
      'no leader: the Lease has no holder. Is a replica running, and LEADER_ELECTION not false? kubectl -n hooks get pods',
    );
    expect(hint(asked('leaf'))).to.equal(
      'no leader: first holds the Lease but has not renewed it. Is it running? kubectl -n hooks logs first',
    );
    expect(hint({ ...before, lease: { ...renewed, rotate: 'leaf' } })).to.equal(
      'the leader first has not finished; its log says what it waits for: kubectl -n hooks logs first',
    );
    const absent = (id: string) => ({ id, state: 'absent' as const });
    expect(hint({ ...before, lease: renewed, targets: [absent('one'), targetOf([]), absent('two')] })).to.equal(
      'there is no one, two; kubectl -n hooks logs first',
    );
    for (const replicas of ['forbidden', [replicaOf('first', 'b')]] as const)
      expect(hint({ ...before, lease: renewed, replicas })).to.equal(
        "see the leader's log: kubectl -n hooks logs first",
      );
    expect(
      hint({ ...before, lease: { ...renewed, announcement: null }, replicas: [replicaOf('first', 'b')] }),
    ).to.equal(
      'not acknowledged: first serves b. Is KUBELET_NUDGE false there, or the permission to patch pods/status missing? webhook-certd check',
    );
  });
});
