import { expect } from 'chai';
import { isOverlapOver, isSettled } from '../../streams/planner-input.ts';
import { clusterOf, type Sketch } from '../support/cluster-of.ts';
import { viewOf } from '../support/view-of.ts';

type Row = Sketch & { readonly ca: string; readonly when: string };

const SETTLED = { ca: 'B+A', secret: 'b1:B+A', targets: ['B+A'], said: 'b1', pods: 'b1 b1' };
const OUTLIVED = { ...SETTLED, servedMinutes: 60 };

describe('isSettled', () => {
  it('is true once the leaf of the current CA is announced', () => {
    expect(isSettled(viewOf(SETTLED))).to.equal(true);
  });

  // prettier-ignore
  const rows: readonly Row[] = [
    { when: 'there is no Secret', ...SETTLED, secret: '-' },
    { when: 'its pair cannot be used', ...SETTLED, secret: 'b1:B+A broken' },
    { when: 'the leaf is of an older CA', ...SETTLED, secret: 'a1:B+A', said: 'a1' },
    { when: 'another leaf is announced', ...SETTLED, said: 'b2' },
    { when: 'there is no leaf', ...SETTLED, secret: 'no leaf' },
  ];
  for (const { when, ...sketch } of rows)
    it(`is false when ${when}`, () => expect(isSettled(viewOf(sketch))).to.equal(false));

  it('is false when nothing is announced, leaf or none', () => {
    const { said, ...unsaid } = SETTLED;
    expect(said).to.equal('b1');
    expect(isSettled(viewOf(unsaid))).to.equal(false);
    const view = viewOf({ ...unsaid, secret: 'no leaf' });
    const secret = { ...clusterOf.secret('no leaf'), issuer: view.current.fingerprint };
    expect(isSettled({ ...view, secret })).to.equal(false);
  });
});

describe('isOutlived', () => {
  it('is true when every replica has served the announced leaf for CA_OVERLAP', () => {
    expect(isOverlapOver(viewOf(OUTLIVED))).to.equal(true);
    expect(isOverlapOver(viewOf({ ...OUTLIVED, servedMinutes: 600 }))).to.equal(true);
  });

  // prettier-ignore
  const rows: readonly Row[] = [
    { when: 'a millisecond is lacking', ...OUTLIVED, servedMinutes: 60 - 1 / 60_000 },
    { when: 'nobody has marked since when', ...SETTLED },
    { when: 'it was marked by a clock that was set back since', ...OUTLIVED, servedMinutes: -1 },
    { when: 'another leaf stands in the Secret', ...OUTLIVED, secret: 'b2:B+A' },
    { when: 'one replica serves another leaf', ...OUTLIVED, pods: 'b1 a1' },
    { when: 'the replicas are not known', ...OUTLIVED, pods: '?' },
    { when: 'the replicas may not be read', ...OUTLIVED, pods: '!' },
  ];
  for (const { when, ...sketch } of rows)
    it(`is false when ${when}`, () => expect(isOverlapOver(viewOf(sketch))).to.equal(false));

  it('believes no mark of the future, however short the overlap', () => {
    expect(isOverlapOver({ ...viewOf({ ...OUTLIVED, servedMinutes: -1 }), caOverlapMs: -120_000 })).to.equal(false);
    expect(isOverlapOver({ ...viewOf({ ...OUTLIVED, servedMinutes: 0 }), caOverlapMs: 0 })).to.equal(true);
  });
});
