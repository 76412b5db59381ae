import { expect } from 'chai';
import { alive, has, includes, same, union, without } from '../../streams/trust.ts';
import { clusterOf } from '../support/cluster-of.ts';

const of = (names: string, daysLeft?: Record<string, number>) => clusterOf.certificates(names, daysLeft);
describe('certificate set', () => {
  it('knows a certificate by its fingerprint alone', () => {
    const renamed = { ...clusterOf.certificate('A'), subject: 'CN=another', pem: 'as somebody else wrote it' };
    expect(has(of('A+B'), renamed)).to.equal(true);
    expect(has(of('B'), renamed)).to.equal(false);
    expect(has([], renamed)).to.equal(false);
  });

  it('unites in the order of first mention, each certificate once', () => {
    expect(union(of('B'), of('A+B'), of('C+A'))).to.deep.equal(of('B+A+C'));
    expect(union(of('A+A'))).to.deep.equal(of('A'));
    expect(union()).to.deep.equal([]);
  });

  it('takes away what is named, and nothing else', () => {
    expect(without(of('A+B+C'), of('B+X'))).to.deep.equal(of('A+C'));
    expect(without(of('A'), [])).to.deep.equal(of('A'));
    expect(without([], of('A'))).to.deep.equal([]);
  });

  it('includes when every wanted one is there, whatever else is', () => {
    expect(includes(of('A+B'), of('B'))).to.equal(true);
    expect(includes(of('A+B'), [])).to.equal(true);
    expect(includes(of('A'), of('A+B'))).to.equal(false);
    expect(includes([], of('A'))).to.equal(false);
  });

  it('is the same whatever the order and however often one is repeated', () => {
    expect(same(of('A+B'), of('B+A'))).to.equal(true);
    expect(same(of('A+A'), of('A'))).to.equal(true);
    expect(same([], [])).to.equal(true);
  });

  it('is not the same when either side has one more, even where the lengths agree', () => {
    expect(same(of('A'), of('A+B'))).to.equal(false);
    expect(same(of('A+B'), of('A'))).to.equal(false);
    expect(same(of('A+B'), of('A+A'))).to.equal(false);
    expect(same(of('A+A'), of('A+B'))).to.equal(false);
    expect(same(of('A'), of('B'))).to.equal(false);
  });

  it('is alive until its very end', () => {
    const both = of('A+B', { A: 1, B: 2 });
    expect(alive(both, clusterOf.nowMs + clusterOf.dayMs - 1)).to.deep.equal(both);
    expect(alive(both, clusterOf.nowMs + clusterOf.dayMs)).to.deep.equal(of('B', { B: 2 }));
    expect(alive(both, clusterOf.nowMs + 2 * clusterOf.dayMs)).to.deep.equal([]);
  });
});
