import { expect } from 'chai';
import { repairPace } from '../../streams/contention.ts';

const MINUTE_MS = 60_000;

/** A rival undoes every write at once; each time it is not held, the target is written again. */
const fight = (lengthMs: number, trustAt: (write: number) => string, stepMs = 100) => {
  const pace = repairPace();
  const writesAtMs: number[] = [];
  const toldAtMs: number[] = [];
  for (let nowMs = 0; nowMs < lengthMs; nowMs += stepMs) {
    const repair = { object: 'webhook', value: trustAt(writesAtMs.length) };
    if (pace.isHeld(repair, nowMs)) continue;
    if (pace.wrote(repair, nowMs)) toldAtMs.push(nowMs);
    writesAtMs.push(nowMs);
  }
  return { writesAtMs, toldAtMs };
};

describe('repairPace', () => {
  it('holds back nothing that was never written', () => {
    expect(repairPace().isHeld({ object: 'webhook', value: 'A' }, 0)).to.equal(false);
  });

  it('lets the first five repairs through at once and then one a minute', () => {
    const { writesAtMs } = fight(5 * MINUTE_MS, () => 'A');
    const repairs = writesAtMs.slice(1);
    expect(repairs.slice(0, 5)).to.deep.equal([100, 200, 300, 400, 500]);
    expect(repairs.slice(5)).to.deep.equal([60_500, 120_500, 180_500, 240_500]);
  });

  it('tells a fight once, however long it lasts', () => {
    const { toldAtMs, writesAtMs } = fight(600 * MINUTE_MS, () => 'A');
    expect(toldAtMs).to.deep.equal([500]);
    expect(writesAtMs).to.have.length.within(600, 606);
  });

  it('does not count what is written for the first time: a plan that widens and narrows is no repair', () => {
    const trusts = ['A', 'B+A', 'B', 'C+B', 'C', 'D+C', 'D', 'E+D'];
    const pace = repairPace();
    trusts.forEach((trust, second) => {
      expect(pace.wrote({ object: 'webhook', value: trust }, second * 1_000)).to.equal(false);
      expect(pace.isHeld({ object: 'webhook', value: trust }, second * 1_000)).to.equal(false);
    });
  });

  it('counts repairs of every set it was given, so that two sets in turn are no way around', () => {
    const { writesAtMs, toldAtMs } = fight(MINUTE_MS, (write) => (write % 2 === 0 ? 'A' : 'A+X'));
    expect(writesAtMs).to.have.length(7);
    expect(toldAtMs).to.deep.equal([600]);
  });

  it('forgets a set that was given eight sets ago', () => {
    const pace = repairPace();
    const sets = ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I'];
    for (const set of sets) pace.wrote({ object: 'webhook', value: set }, 0);
    for (let repair = 0; repair < 4; repair += 1) pace.wrote({ object: 'webhook', value: 'I' }, repair);
    expect(pace.wrote({ object: 'webhook', value: 'A' }, 5)).to.equal(false);
    expect(pace.wrote({ object: 'webhook', value: 'I' }, 6)).to.equal(true);
  });

  it('lets a contended target have a new set at once, and holds back every set that it was given before', () => {
    const pace = repairPace();
    for (let nowMs = 0; nowMs < 600; nowMs += 100) pace.wrote({ object: 'webhook', value: 'A' }, nowMs);
    expect(pace.isHeld({ object: 'webhook', value: 'B+A' }, 600)).to.equal(false);
    expect(pace.wrote({ object: 'webhook', value: 'B+A' }, 700)).to.equal(false);
    for (const value of ['A', 'B+A']) {
      expect(pace.isHeld({ object: 'webhook', value }, 700)).to.equal(true);
      expect(pace.isHeld({ object: 'webhook', value }, 500 + MINUTE_MS)).to.equal(false);
    }
  });

  it('holds until a minute after the last repair, not after the first', () => {
    const pace = repairPace();
    for (const nowMs of [0, 10, 20, 30, 40, 5_000]) pace.wrote({ object: 'webhook', value: 'A' }, nowMs);
    expect(pace.isHeld({ object: 'webhook', value: 'A' }, 5_000 + MINUTE_MS - 1)).to.equal(true);
    expect(pace.isHeld({ object: 'webhook', value: 'A' }, 5_000 + MINUTE_MS)).to.equal(false);
  });

  it('calls five repairs in five minutes a fight, and slower ones drift', () => {
    const quick = repairPace();
    const slow = repairPace();
    const told = [0, 1, 2, 3, 4, 5].map((write) => [
      quick.wrote({ object: 'webhook', value: 'A' }, write * (75_000 - 1)),
      slow.wrote({ object: 'webhook', value: 'A' }, write * 75_000),
    ]);
    expect(told.map(([first]) => first)).to.deep.equal([false, false, false, false, false, true]);
    expect(told.map(([, second]) => second)).to.deep.equal([false, false, false, false, false, false]);
    expect(slow.isHeld({ object: 'webhook', value: 'A' }, 5 * 75_000 + 1)).to.equal(false);
  });

  it('starts afresh after a rest: the next single repair is at once, the next fight is told again', () => {
    const pace = repairPace();
    for (let nowMs = 0; nowMs < 600; nowMs += 100) pace.wrote({ object: 'webhook', value: 'A' }, nowMs);
    const nextDayMs = 86_400_000;
    expect(pace.isHeld({ object: 'webhook', value: 'A' }, nextDayMs)).to.equal(false);
    const told = [0, 1, 2, 3, 4].map((repair) => pace.wrote({ object: 'webhook', value: 'A' }, nextDayMs + repair));
    expect(told).to.deep.equal([false, false, false, false, true]);
  });

  it('counts each target for itself', () => {
    const pace = repairPace();
    for (let nowMs = 0; nowMs < 600; nowMs += 100) pace.wrote({ object: 'one', value: 'A' }, nowMs);
    expect(pace.isHeld({ object: 'one', value: 'A' }, 600)).to.equal(true);
    expect(pace.isHeld({ object: 'other', value: 'A' }, 600)).to.equal(false);
    expect(pace.wrote({ object: 'other', value: 'A' }, 600)).to.equal(false);
  });
});
