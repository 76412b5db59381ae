import { expect } from 'chai';
import { leafReason } from '../../streams/renewal.ts';
import { clusterOf, type Sketch } from '../support/cluster-of.ts';
import { viewOf } from '../support/view-of.ts';

const QUIET = { ca: 'A', secret: 'a1:A', targets: ['A'], said: 'a1', pods: 'a1' };
const OVERLAP = { ca: 'B+A', secret: 'b1:B+A', targets: ['B+A'], said: 'a1', pods: 'a1 a1' };

interface Row extends Sketch {
  readonly ca: string;
  readonly when: string;
  readonly then: string | null;
}

describe('leafReason', () => {
  // The first that holds is told.
  // prettier-ignore
  const rows: readonly Row[] = [
    { when: 'all is well', ...QUIET, then: null },
    { when: 'there is no Secret', ...QUIET, secret: '-', then: 'missing' },
    { when: 'it holds no leaf', ...QUIET, secret: 'no leaf', then: 'missing' },
    { when: 'its pair cannot be used', ...QUIET, secret: 'a1:A broken', then: 'unusable' },
    { when: 'it cannot be used and is of another CA', ...QUIET, secret: 'x1:X broken', then: 'unusable' },
    { when: 'another CA signed it', ...QUIET, secret: 'x1:X', then: 'other-ca' },
    { when: 'another CA signed it and a name is lacking', ...QUIET, secret: 'x1:X nameless', then: 'other-ca' },
    { when: 'a name is lacking', ...QUIET, secret: 'a1:A nameless', then: 'names' },
    { when: 'a name is lacking and it ends', ...QUIET, secret: 'a1:A nameless', daysLeft: { a1: 3 }, then: 'names' },
    { when: 'it ends', ...QUIET, daysLeft: { a1: 3 }, then: 'expiring' },
    { when: 'it ends and is asked for', ...QUIET, daysLeft: { a1: 3 }, rotate: 'leaf', then: 'expiring' },
    { when: 'it is asked for', ...QUIET, rotate: 'leaf', then: 'requested' },
    { when: 'it is asked for and has just come', ...QUIET, secret: 'a2:A', rotate: 'leaf', then: null },
    { when: 'a CA is asked for', ...QUIET, rotate: 'ca', then: null },
    { when: 'it is to be announced', ...OVERLAP, then: null },
    { when: 'somebody has served it before', ...OVERLAP, pods: 'a1 b1', then: 'acknowledged-before' },
    { when: 'somebody serves it because it is announced', ...OVERLAP, said: 'b1', pods: 'a1 b1', then: null },
    { when: 'nobody may see who serves it', ...OVERLAP, pods: '!', then: null },
    { when: 'somebody has served it before, and no older CA is to go', ...QUIET, said: 'a2', then: null },
  ];
  for (const { when, then, ...sketch } of rows)
    it(`is ${then ?? 'none'} when ${when}`, () => expect(leafReason(viewOf(sketch))).to.equal(then));

  it('takes a pair without facts for unusable', () => {
    const view = viewOf(QUIET);
    const secret = { ...clusterOf.secret('a1:A'), leaf: null };
    expect(leafReason({ ...view, secret })).to.equal('unusable');
  });
});
