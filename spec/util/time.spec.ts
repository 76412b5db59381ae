import { expect } from 'chai';
import { formatExpiry, formatSpan, monotonicMs, rfc3339Seconds } from '../../src/util/time.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

describe('a span of time in words', () => {
  for (const [ms, text] of [
    [0, '0 s'],
    [449, '0.4 s'],
    [450, '0.5 s'],
    [2 * SECOND_MS, '2 s'],
    [9_940, '9.9 s'],
    [9_999, '10 s'],
    [10_900, '10 s'],
    [2 * MINUTE_MS - 1, '119 s'],
    [2 * MINUTE_MS, '2 min'],
    [3 * MINUTE_MS - 1, '2 min'],
    [2 * HOUR_MS - 1, '119 min'],
    [2 * HOUR_MS, '2 h'],
    [2 * DAY_MS - 1, '47 h'],
    [2 * DAY_MS, '2 d'],
    [365 * DAY_MS - 1, '364 d'],
    [-90 * MINUTE_MS, '90 min'],
  ] as const)
    it(`is ${text} for ${ms} ms: at least two of its unit, rounded down, tenths below ten seconds`, () => {
      expect(formatSpan(ms)).to.equal(text);
    });
});

describe('an expiry in words', () => {
  const end = Date.parse('2030-05-06T07:08:59Z');

  it('is how long something is valid still, or has been expired, from the very moment of its end', () => {
    expect(formatExpiry(end, end - 3 * DAY_MS)).to.equal('until 2030-05-06T07:08Z, 3 d left');
    expect(formatExpiry(end, end - 1)).to.equal('until 2030-05-06T07:08Z, 0 s left');
    expect(formatExpiry(end, end)).to.equal('expired at 2030-05-06T07:08Z, 0 s ago');
    expect(formatExpiry(end, end + 2 * HOUR_MS)).to.equal('expired at 2030-05-06T07:08Z, 2 h ago');
  });
});

describe('a time in an announcement', () => {
  it('is RFC 3339 in UTC with whole seconds', () => {
    expect(rfc3339Seconds(Date.parse('2026-12-06T11:12:18.999Z'))).to.equal('2026-12-06T11:12:18Z');
  });
});

describe('the monotonic clock', () => {
  it('goes as fast as that of Node, in milliseconds', () => {
    const before = Number(process.hrtime.bigint()) / 1e6;
    const now = monotonicMs();
    const after = Number(process.hrtime.bigint()) / 1e6;
    expect(now).to.be.within(before - 0.001, after + 0.001);
  });
});
