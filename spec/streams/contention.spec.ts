import { expect } from 'chai';
import { repairOf } from '../../streams/contention.ts';
import type { SecretState } from '../../streams/planner-input.ts';
import type { Step } from '../../streams/step.ts';
import { clusterOf } from '../support/cluster-of.ts';

const observed = clusterOf.observed({ ca: 'B+A', secret: 'a1:A', said: 'a1' });
const [a, b] = [clusterOf.authority('A'), clusterOf.authority('B+A')];
const leafOf = (plannedOn: Extract<Step, { kind: 'issue-leaf' }>['plannedOn'], rest: object): Step => ({
  kind: 'issue-leaf',
  reason: 'missing',
  ca: a,
  plannedOn: plannedOn,
  ...rest,
});
const given = (step: Step, seen = observed) => {
  const repair = repairOf(step, seen);
  return repair === null ? null : `${repair.object}: ${repair.value}`;
};

describe('repairOf', () => {
  it('knows a target by the set of CAs that it was given, in any order', () => {
    const inject = (names: string): Step => ({
      kind: 'inject',
      target: 'target-0',
      trust: clusterOf.certificates(names),
      plannedOn: clusterOf.targetState('0'),
    });
    expect(given(inject('B+A')))
      .to.equal('target-0: A,B')
      .and.equal(given(inject('A+B')));
    expect(given(inject('B'))).to.equal('target-0: B');
  });

  it('knows a lost or spoilt leaf by the CA that signs the next one', () => {
    const broken = clusterOf.secret('a1:A broken');
    expect(given(leafOf('absent', {}))).to.equal('secret: missing A');
    expect(given(leafOf('absent', { ca: b }))).to.equal('secret: missing B');
    expect(given(leafOf(broken, { reason: 'unusable' }))).to.equal('secret: unusable A');
    expect(given(leafOf('absent', { ca: { ...a, current: null } }))).to.equal('secret: missing ');
  });

  it('knows a leaf that was due by the one it replaces, so that renewals and requests are no repairs', () => {
    for (const reason of ['requested', 'expiring']) {
      const replaces = (secret: string) => given(leafOf(clusterOf.secret(secret), { reason }));
      expect(replaces('a1:A')).to.equal(`secret: ${reason} a1`);
      expect(replaces('a2:A')).to.equal(`secret: ${reason} a2`);
      expect(replaces('no leaf')).to.equal(`secret: ${reason} `);
      expect(given(leafOf('absent', { reason }))).to.equal(`secret: ${reason} A`);
    }
  });

  it('knows a CA by why it was made and which one it replaces', () => {
    const found = (reason: 'missing' | 'unusable' | 'requested', plannedOn: typeof a | 'absent') =>
      given({ kind: 'issue-ca', reason, keep: [], plannedOn: plannedOn });
    expect(found('missing', 'absent')).to.equal('ca: missing');
    expect(found('requested', a)).to.equal('ca: requested A');
    expect(found('unusable', clusterOf.authority('/A'))).to.equal('ca: unusable ');
  });

  it('knows bundles by what they keep', () => {
    const keep = clusterOf.certificates('C+A');
    expect(given({ kind: 'extend-ca-bundle', keep, plannedOn: b })).to.equal('ca: extend-ca-bundle A,C');
    expect(given({ kind: 'prune-ca-bundle', keep: [], plannedOn: b })).to.equal('ca: prune-ca-bundle ');
    const plannedOn = clusterOf.secret('a1:A');
    expect(given({ kind: 'update-secret-ca', trust: keep, plannedOn: plannedOn })).to.equal('secret: trust A,C');
  });

  it('knows a copy by the version of its source: an issuer that goes back is no rival', () => {
    const copy = (version: string, plannedOn: SecretState | 'absent' = 'absent'): Step => ({
      kind: 'copy-secret',
      source: clusterOf.secret('a1:A', {}, version),
      plannedOn,
      trust: [],
      acceptedBy: [],
    });
    expect(given(copy('7'))).to.equal('secret: copy 7');
    expect(given(copy('8'))).to.equal('secret: copy 8');
    const argo = { ...clusterOf.secret('a1:A'), otherManager: 'argo' };
    expect(repairOf(copy('7', argo), observed)?.otherManager).to.equal('argo');
    expect(repairOf(copy('7'), observed)?.otherManager).to.equal(null);
  });

  it('knows an announcement by its hash and the Secret it was read from: an issuer that goes back is no rival', () => {
    const announce: Step = {
      kind: 'announce',
      announcement: { hash: 'a1', validUntil: 'then' },
      clearsRotationRequest: false,
    };
    const seen = (version: string) => ({ ...observed, secret: clusterOf.secret('a1:A', {}, version) });
    expect(given(announce, seen('7'))).to.equal('announcement: a1 7');
    expect(given(announce, seen('8'))).to.equal('announcement: a1 8');
    expect(given(announce, { ...observed, secret: 'absent' })).to.equal('announcement: a1 ');
  });

  it('sees no repair in what follows from acknowledgements and requests', () => {
    expect(given({ kind: 'record-served', sinceMs: 1 })).to.equal(null);
    expect(given({ kind: 'set-rotation-request', rotate: null })).to.equal(null);
  });

  it('names who wrote the object last', () => {
    const argo = { otherManager: 'argo' };
    const plannedOn = { ...clusterOf.secret('a1:A'), ...argo };
    const steps: readonly Step[] = [
      { kind: 'inject', target: 't', trust: [], plannedOn: { ...clusterOf.targetState('0'), ...argo } },
      { kind: 'issue-ca', reason: 'unusable', keep: [], plannedOn: { ...a, ...argo } },
      { kind: 'extend-ca-bundle', keep: [], plannedOn: { ...a, ...argo } },
      leafOf(plannedOn, { reason: 'unusable' }),
      { kind: 'update-secret-ca', trust: [], plannedOn: plannedOn },
      { kind: 'announce', announcement: { hash: 'a1', validUntil: 'then' }, clearsRotationRequest: false },
    ];
    const lease = { ...observed.lease, ...argo };
    for (const step of steps) expect(repairOf(step, { ...observed, lease })?.otherManager, step.kind).to.equal('argo');
  });

  it('knows of nobody where the object was deleted', () => {
    expect(repairOf(leafOf('absent', {}), observed)?.otherManager).to.equal(null);
    const founded: Step = { kind: 'issue-ca', reason: 'missing', keep: [], plannedOn: 'absent' };
    expect(repairOf(founded, observed)?.otherManager).to.equal(null);
  });
});
