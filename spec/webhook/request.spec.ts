import { expect } from 'chai';
import { budgetMs, heldBytesLimit, requestTarget } from '../../src/webhook/request.ts';

describe('request target', () => {
  const cases: readonly (readonly [string | undefined, string, number | null])[] = [
    ['/validate?timeout=10s', '/validate', 10_000],
    ['/a/b?x=1&timeout=1m30s', '/a/b', 90_000],
    ['/?timeout=1.5s&y', '/', 1_500],
    ['/?timeout=500ms', '/', 500],
    ['/?timeout=1h', '/', 3_600_000],
    ['/?timeout=', '/', null],
    ['/?timeout=ten', '/', null],
    ['/?timeouts=10s', '/', null],
    ['/timeout=10s', '/timeout=10s', null],
    [undefined, '/', null],
  ];
  for (const [url, pathname, timeoutMs] of cases)
    it(`reads ${url ?? 'nothing'}`, () => expect(requestTarget(url)).to.deep.equal({ pathname, timeoutMs }));
});

describe('budget', () => {
  it('leaves the API server a tenth, at most 500 ms, to hear our own reason', () => {
    expect([1_000, 5_000, 10_000, 30_000].map((ms) => budgetMs(ms, 60_000))).to.deep.equal([900, 4_500, 9_500, 29_500]);
  });

  it('never exceeds the ceiling, and holds without a grant', () => {
    expect([budgetMs(30_000, 10_000), budgetMs(null, 10_000), budgetMs(0, 10_000)]).to.deep.equal([10_000, 10_000, 1]);
  });
});

describe('the memory that requests may hold together', () => {
  const MIB = 1024 * 1024;

  it("is an eighth of the container's limit, and at least 8 MiB: one body of the largest size must fit", () => {
    expect([256, 512, 2_048].map((mib) => heldBytesLimit(mib * MIB) / MIB)).to.deep.equal([32, 64, 256]);
    expect(heldBytesLimit(32 * MIB) / MIB).to.equal(8);
  });

  it('is 64 MiB where the container has no limit, which the kernel reports as 0 or as a number near 2^63', () => {
    for (const unlimited of [0, 2 ** 63, 9_223_372_036_854_771_712])
      expect(heldBytesLimit(unlimited) / MIB).to.equal(64);
  });
});
