import { expect } from 'chai';
import { type Finding, result, table } from './report.ts';

const finding: Finding = {
  name: 'admission-cpu',
  unit: 'µs',
  values: [70, 80, 90],
  baseline: { name: 'bare', values: [100] },
  limits: [
    { of: 'ratio', atMost: 1.1 },
    { of: 'go', atMost: 0.85 },
  ],
};

describe('a figure of the bench beside the Go program', () => {
  it('is compared turn by turn, so that it does not matter when the machine is slow for both', () => {
    const [values, go] = [
      [70, 140, 75],
      [100, 200, 100],
    ];
    expect(result('admission', { ...finding, values, go }).go).to.include({ median: 100, ratio: 0.7 });
    expect(result('admission', { ...finding, values, baseline: { name: 'bare', values: go } }).ratio).to.equal(0.7);
  });

  it('is compared by its median, and misses its mark by that alone', () => {
    expect(result('admission', { ...finding, go: [100] })).to.deep.include({
      go: { median: 100, p99: 100, ratio: 0.8 },
      met: true,
    });
    expect(result('admission', { ...finding, go: [90] })).to.deep.include({
      go: { median: 90, p99: 90, ratio: 0.889 },
      met: false,
    });
  });

  it('has no such mark where the Go program was not measured', () => {
    for (const go of [undefined, []])
      expect(result('admission', { ...finding, go })).to.deep.include({
        go: null,
        limit: [{ of: 'ratio', atMost: 1.1 }],
        met: true,
      });
  });

  it('has no ratio where that takes nothing', () => {
    expect(result('idle', { ...finding, go: [0], limits: [] }).go).to.deep.equal({ median: 0, p99: 0, ratio: null });
  });

  it('stands in a column of the table', () => {
    const [head, , row] = table([result('admission', { ...finding, go: [100] })]).split('\n');
    const cells = (line = '') => line.split('|').map((cell) => cell.trim());
    const at = cells(head).indexOf('Go');
    expect(cells(row)[at]).to.equal('100 (0.8 x)');
    expect(cells(row)[at + 1]).to.equal('ratio ≤ 1.1x, of Go ≤ 0.85x');
  });
});
