import { expect } from 'chai';
import { formatDuration } from '../../src/page/labels.ts';

describe('a span of time in words', () => {
  const second = 1_000;
  const [minute, hour, day] = [60 * second, 3_600 * second, 86_400 * second];
  for (const [ms, text] of [
    [0, '0 ms'],
    [-5, '0 ms'],
    [31.6, '32 ms'],
    [999, '999 ms'],
    [4_099, '4.0 s'],
    [9_999, '9.9 s'],
    [59_999, '59 s'],
    [minute, '1 min'],
    [minute + 12 * second, '1 min 12 s'],
    [hour - 1, '59 min 59 s'],
    [hour, '1 h'],
    [2 * hour + 5 * minute, '2 h 5 min'],
    [day, '1 d'],
    [day + 3 * hour, '1 d 3 h'],
    [364 * day + hour, '364 d'],
  ] as const)
    it(`is ${text} for ${ms} ms`, () => {
      expect(formatDuration(ms)).to.equal(text);
    });
});
