import { expect } from 'chai';
import { renewalDue } from '../../streams/renewal.ts';
import { clusterOf } from '../support/cluster-of.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const ISSUED_MS = 20_000 * DAY_MS;

/** A certificate as it is issued: valid from an hour before. */
const living = (lifeMs: number) => ({
  ...clusterOf.certificate('a1'),
  notBeforeMs: ISSUED_MS - HOUR_MS,
  notAfterMs: ISSUED_MS + lifeMs,
});

/** Ms after its issue at which a certificate falls due, found by halving. */
const dueAfterMs = (lifeMs: number, renewBeforeMs: number): number => {
  const due = (afterMs: number) => renewalDue(living(lifeMs), { nowMs: ISSUED_MS + afterMs, renewBeforeMs });
  let [before, at] = [-DAY_MS, lifeMs + DAY_MS];
  expect(due(before)).to.equal(false);
  expect(due(at)).to.equal(true);
  while (at - before > 1) {
    const middle = Math.floor((before + at) / 2);
    if (due(middle)) at = middle;
    else before = middle;
  }
  return at;
};

describe('renewalDue', () => {
  it('falls due so long before the end', () => {
    expect(dueAfterMs(365 * DAY_MS, 30 * DAY_MS)).to.equal(335 * DAY_MS);
    expect(dueAfterMs(3_650 * DAY_MS, 365 * DAY_MS)).to.equal(3_285 * DAY_MS);
    expect(dueAfterMs(31 * DAY_MS, 30 * DAY_MS)).to.equal(DAY_MS);
  });

  it('falls due after two thirds of a life that is shorter than that', () => {
    expect(dueAfterMs(30 * DAY_MS, 30 * DAY_MS)).to.equal(20 * DAY_MS);
    expect(dueAfterMs(3 * DAY_MS, 30 * DAY_MS)).to.equal(2 * DAY_MS);
    expect(dueAfterMs(6_000, 30 * DAY_MS)).to.equal(4_000);
  });

  it('is never due at the instant of its issue, however short its life', () => {
    for (const lifeMs of [1, 1_000, 60_000, HOUR_MS, DAY_MS, 30 * DAY_MS, 365 * DAY_MS]) {
      expect(renewalDue(living(lifeMs), { nowMs: ISSUED_MS, renewBeforeMs: 30 * DAY_MS }), `${lifeMs} ms`).to.equal(
        false,
      );
    }
  });

  it('is due at its end at the latest, even if it never lived', () => {
    expect(dueAfterMs(365 * DAY_MS, 0)).to.equal(365 * DAY_MS);
    expect(renewalDue(living(-HOUR_MS), { nowMs: ISSUED_MS, renewBeforeMs: 0 })).to.equal(true);
    expect(renewalDue(living(-2 * HOUR_MS), { nowMs: ISSUED_MS, renewBeforeMs: DAY_MS })).to.equal(true);
  });

  it('stays due, and is not due again when the clock is set back', () => {
    const certificate = living(365 * DAY_MS);
    const due = (day: number) =>
      renewalDue(certificate, { nowMs: ISSUED_MS + day * DAY_MS, renewBeforeMs: 30 * DAY_MS });
    expect([334, 335, 336, 365, 400, 100].map(due)).to.deep.equal([false, true, true, true, true, false]);
  });
});
