import { expect } from 'chai';
import { repairOf } from '../../streams/contention.ts';
import type { Step } from '../../streams/step.ts';
import { clusterOf } from '../support/cluster-of.ts';

const observed = clusterOf.observed({ ca: 'B+A', secret: 'a1:A', said: 'a1' });
const [a, b] = [clusterOf.authority('A'), clusterOf.authority('B+A')];
const leafOf = (basis: Extract<Step, { kind: 'issue-leaf' }>['basis'], rest: object): Step => ({
  kind: 'issue-leaf',
  reason: 'missing',
  authority: a,
  basis,
  ...rest,
});
const given = (step: Step, seen = observed) => {
  const repair = repairOf(step, seen);
  return repair === null ? null : `${repair.object}: ${repair.given}`;
};

describe('repairOf', () => {
  it('knows a target by the set of CAs that it was given, in any order', () => {
    const inject = (names: string): Step => ({
      kind: 'inject',
      target: 'target-0',
      trust: clusterOf.certificates(names),
      basis: clusterOf.targetState('0'),
    });
    expect(given(inject('B+A')))
      .to.equal('target-0: A,B')
      .and.equal(given(inject('A+B')));
    expect(given(inject('B'))).to.equal('target-0: B');
  });

  it('knows a lost or spoilt leaf by the CA that signs the next one', () => {
    const broken = clusterOf.secret('a1:A broken');
    expect(given(leafOf('absent', {}))).to.equal('secret: missing A');
    expect(given(leafOf('absent', { authority: b }))).to.equal('secret: missing B');
    expect(given(leafOf(broken, { reason: 'unusable' }))).to.equal('secret: unusable A');
    expect(given(leafOf('absent', { authority: { ...a, current: null } }))).to.equal('secret: missing ');
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
    const found = (reason: 'missing' | 'unusable' | 'requested', basis: typeof a | 'absent') =>
      given({ kind: 'issue-authority', reason, keep: [], basis });
    expect(found('missing', 'absent')).to.equal('authority: missing');
    expect(found('requested', a)).to.equal('authority: requested A');
    expect(found('unusable', clusterOf.authority('/A'))).to.equal('authority: unusable ');
  });

  it('knows bundles by what they keep', () => {
    const keep = clusterOf.certificates('C+A');
    expect(given({ kind: 'adopt-authority', keep, basis: b })).to.equal('authority: adopt-authority A,C');
    expect(given({ kind: 'narrow-authority', keep: [], basis: b })).to.equal('authority: narrow-authority ');
    const basis = clusterOf.secret('a1:A');
    expect(given({ kind: 'publish-trust', trust: keep, basis })).to.equal('secret: trust A,C');
  });

  it('knows an announcement by its hash and the Secret it was read from: an issuer that goes back is no rival', () => {
    const announce: Step = { kind: 'announce', announcement: { hash: 'a1', validUntil: 'then' }, fulfils: false };
    const seen = (version: string) => ({ ...observed, secret: clusterOf.secret('a1:A', {}, version) });
    expect(given(announce, seen('7'))).to.equal('announcement: a1 7');
    expect(given(announce, seen('8'))).to.equal('announcement: a1 8');
    expect(given(announce, { ...observed, secret: 'absent' })).to.equal('announcement: a1 ');
  });

  it('sees no repair in what follows from acknowledgements and requests', () => {
    expect(given({ kind: 'mark-served', sinceMs: 1 })).to.equal(null);
    expect(given({ kind: 'ask-rotation', rotate: null })).to.equal(null);
  });

  it('names who wrote the object last', () => {
    const argo = { rival: 'argo' };
    const basis = { ...clusterOf.secret('a1:A'), ...argo };
    const steps: readonly Step[] = [
      { kind: 'inject', target: 't', trust: [], basis: { ...clusterOf.targetState('0'), ...argo } },
      { kind: 'issue-authority', reason: 'unusable', keep: [], basis: { ...a, ...argo } },
      { kind: 'adopt-authority', keep: [], basis: { ...a, ...argo } },
      leafOf(basis, { reason: 'unusable' }),
      { kind: 'publish-trust', trust: [], basis },
      { kind: 'announce', announcement: { hash: 'a1', validUntil: 'then' }, fulfils: false },
    ];
    const lease = { ...observed.lease, ...argo };
    for (const step of steps) expect(repairOf(step, { ...observed, lease })?.rival, step.kind).to.equal('argo');
  });

  it('knows of nobody where the object was deleted', () => {
    expect(repairOf(leafOf('absent', {}), observed)?.rival).to.equal(null);
    const founded: Step = { kind: 'issue-authority', reason: 'missing', keep: [], basis: 'absent' };
    expect(repairOf(founded, observed)?.rival).to.equal(null);
  });
});
