import { expect } from 'chai';
import { pollDelayMs } from '../../streams/backoff.ts';

describe('again-ms', () => {
  it('waits 2 s, then twice as long each time, and never longer than 30 s', () => {
    expect([1, 2, 3, 4, 5, 6, 2_000].map(pollDelayMs)).to.deep.equal([
      2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000,
    ]);
  });
});
