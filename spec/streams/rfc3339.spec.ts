import { expect } from 'chai';
import { isPast } from '../../streams/kubernetes.ts';

describe('isPast', () => {
  it('compares an announced time with the wall clock, in every month and across leap days', () => {
    const times = ['1970-01-01T00:00:00Z', '2000-02-29T23:59:59Z', '2024-02-29T12:00:00Z', '2100-03-01T00:00:00Z'];
    for (let month = 1; month <= 12; month += 1)
      times.push(
        `2026-${String(month).padStart(2, '0')}-01T01:02:03Z`,
        `2027-${String(month).padStart(2, '0')}-28T00:00:00Z`,
      );
    for (const time of times) {
      expect(isPast(time, Date.parse(time)), time).to.equal(true);
      expect(isPast(time, Date.parse(time) - 1), time).to.equal(false);
    }
  });

  it('never holds for text that is no such time', () => {
    for (const text of [
      '',
      'the end of a1',
      '2026-01-01',
      '2026-01-01T00:00:00+01:00',
      '2026-01-01T00:00:00Z.',
      'A2026-01-01T00:00:00Z',
    ])
      expect(isPast(text, 8e15), text).to.equal(false);
  });
});
