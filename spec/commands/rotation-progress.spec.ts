import { expect } from 'chai';
import { initialReport, nextReport, rotationHint, rotationStart } from '../../src/commands/rotation-progress.ts';
import type { CertificateInfo, LeaseSnapshot, Replica } from '../../streams/model.ts';
import type { ClusterState } from '../../streams/observe-cluster.ts';

const nowMs = Date.parse('2026-01-01T00:00:00Z');
const terms = { podSelector: 'app=hook', kubeletNudge: true, caOverlapMs: 3_600_000, trustSettleMs: 10_000, nowMs };

const certificate = (fingerprint: string): CertificateInfo => ({
  fingerprint,
  subject: fingerprint,
  serial: '01',
  notBeforeMs: 0,
  notAfterMs: nowMs * 2,
  names: [],
  pem: '',
});
const [oldCa, newCa] = [certificate('old'), certificate('new')];

const lease: LeaseSnapshot = {
  uid: 'u',
  resourceVersion: '1',
  holder: 'first',
  durationMs: 60_000,
  renewTime: 'at first',
  transitions: 0,
  announcement: { hash: 'a', validUntil: 'then' },
  malformed: null,
  rotate: null,
  servedSinceMs: null,
  trusted: null,
  otherManager: null,
};
const secretOf = (hash: string, trust = [oldCa]): ClusterState['secret'] => ({
  resourceVersion: '1',
  hash,
  leaf: null,
  validUntil: '',
  issuer: null,
  trust,
  problem: null,
  otherManager: null,
});
const authorityOf = (current: CertificateInfo, bundle = [current]): ClusterState['ca'] => ({
  resourceVersion: '1',
  current,
  bundle,
  otherManager: null,
});
const targetOf = (bundle: readonly CertificateInfo[]): ClusterState['targets'][number] => ({
  id: 'target',
  state: { resourceVersion: '1', bundles: [bundle], otherManager: null },
});
const replicaOf = (name: string, servingHash: string | null, more: Partial<Replica> = {}): Replica => ({
  name,
  servingHash,
  goneAtMs: null,
  ...more,
});

const before: ClusterState = {
  lease,
  secret: secretOf('a'),
  ca: authorityOf(oldCa),
  targets: [targetOf([oldCa])],
  replicas: [replicaOf('first', 'a'), replicaOf('second', 'a')],
};
const asked = (rotate: string, more: Partial<ClusterState> = {}): ClusterState => ({
  ...before,
  lease: { ...lease, rotate },
  ...more,
});
const announcedLease = { ...lease, announcement: { hash: 'b', validUntil: 'later' } };

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
});
