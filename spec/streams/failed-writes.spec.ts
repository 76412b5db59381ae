import { expect } from 'chai';
import { basisOf, failedWrites } from '../../streams/failed-writes.ts';
import type { PlannerInput } from '../../streams/planner-input.ts';
import { Problem } from '../../streams/problem.ts';
import { clusterOf } from '../support/cluster-of.ts';
import { noJitter } from '../support/no-jitter.ts';

const observed = clusterOf.observed({ ca: 'A', secret: 'a1:A', targets: ['0', '0'], said: 'a1' });
const down = new Problem('down', 503);
const forbidden = new Problem('forbidden', 403);

/** The pauses after so many failures in a row. */
const pauses = (problem: Problem, times: number, object = 'target-0'): readonly number[] => {
  const failures = failedWrites(noJitter);
  const basis = basisOf(object, observed, problem);
  return Array.from({ length: times }, () => failures.failed(object, basis, problem, 0).retryInMs);
};

describe('failedWrites', () => {
  it('pauses an object 800 ms, doubling to 30 s', () => {
    expect(pauses(down, 8)).to.deep.equal([800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000]);
  });

  it('sets an object aside that is refused for good: 30 s, doubling to 10 min', () => {
    for (const status of [403, 404, 413, 422])
      expect(pauses(new Problem('no', status), 6)).to.deep.equal([30_000, 60_000, 120_000, 240_000, 480_000, 600_000]);
  });

  it('waits at least as long as the server asks, and at most 10 min on its account (A10)', () => {
    expect(pauses(new Problem('too many', 429, 20_000), 2)).to.deep.equal([20_000, 20_000]);
    expect(pauses(new Problem('too many', 429, 1e12), 1)).to.deep.equal([600_000]);
    expect(pauses(new Problem('too many', 429, 100), 2)).to.deep.equal([800, 1_600]);
  });

  it('marks a failure that repeats the one before', () => {
    const failures = failedWrites(noJitter);
    const repeated = (problem: Problem) => failures.failed('secret', 'basis', problem, 0).repeated;
    expect([down, down, new Problem('down', 500), new Problem('is down', 500)].map(repeated)).to.deep.equal([
      false,
      true,
      false,
      false,
    ]);
  });

  it('sets an object aside as well when the same 5xx does not end, but not for conflicts and lost answers', () => {
    const reports = (problem: Problem) => {
      const failures = failedWrites(noJitter);
      return Array.from({ length: 7 }, () => failures.failed('secret', 'basis', problem, 0).isNewRefusal);
    };
    expect(reports(down)).to.deep.equal([false, false, false, false, false, true, false]);
    for (const problem of [new Problem('it changed', 409), new Problem('no answer')])
      expect(reports(problem)).to.not.include(true);
  });

  it('keeps an object aside, with its reason, when the next try is lost on the way', () => {
    const failures = failedWrites(noJitter);
    failures.failed('secret', 'basis', forbidden, 0);
    expect(failures.failed('secret', 'basis', new Problem('no answer'), 1).isNewRefusal).to.equal(false);
    expect(failures.refusal('secret')).to.equal('forbidden');
    expect(failures.refusal('ca')).to.equal(null);
  });

  it('starts from the first pause when what the write is decided on has changed', () => {
    const failures = failedWrites(noJitter);
    failures.failed('secret', 'before', forbidden, 0);
    failures.failed('secret', 'before', forbidden, 0);
    expect(failures.failed('secret', 'after', forbidden, 0)).to.deep.equal({
      retryInMs: 30_000,
      repeated: true,
      isNewRefusal: false,
    });
  });

  it('forgets an object that was written', () => {
    const failures = failedWrites(noJitter);
    failures.failed('ca', 'basis', down, 0);
    failures.failed('secret', 'basis', forbidden, 0);
    expect(failures.objects()).to.deep.equal(['ca', 'secret']);
    expect(['ca', 'secret', 'secret', 'other'].map((object) => failures.accepted(object))).to.deep.equal([
      false,
      true,
      false,
      false,
    ]);
    expect(failures.objects()).to.deep.equal([]);
  });

  describe('a pause', () => {
    const paused = (object: string, problem: Problem, now = observed, nowMs = 0): boolean => {
      const failures = failedWrites(noJitter);
      failures.failed(object, basisOf(object, observed, problem), problem, 0);
      return failures.isPaused(object, now, nowMs);
    };
    const renewed = { ...observed, lease: { ...observed.lease, resourceVersion: '77', renewTime: 'now' } };
    const newLeaf = { ...observed, secret: clusterOf.secret('a2:A', {}, '2') };
    const newCa = { ...observed, ca: clusterOf.authority('B+A', {}, '2') };
    const [first, second] = observed.targets;
    const touch = (at: 0 | 1) => ({
      ...observed,
      targets: [first!, second!].map((target, index) =>
        index === at ? { ...target, state: clusterOf.targetState('X', {}, '9') } : target,
      ),
    });

    it('ends in its time', () => {
      expect(paused('target-0', down, observed, 799)).to.equal(true);
      expect(paused('target-0', down, observed, 800)).to.equal(false);
      expect(failedWrites(noJitter).isPaused('target-0', observed, 0)).to.equal(false);
    });

    it('is not ended by a renewal of the Lease (A10)', () => {
      for (const object of ['target-0', 'secret', 'ca', 'announcement'])
        expect(paused(object, down, renewed), object).to.equal(true);
    });

    it('is ended by a change of the object, and not of another target', () => {
      expect(paused('target-0', down, touch(0))).to.equal(false);
      expect(paused('target-0', down, touch(1))).to.equal(true);
      expect(paused('no-target', down, touch(1))).to.equal(true);
      expect(paused('target-1', down, touch(1))).to.equal(false);
      expect(paused('target-1', down, touch(0))).to.equal(true);
    });

    it('is ended when a Secret that did not exist may not be read any more', () => {
      const failures = failedWrites(noJitter);
      const absent: PlannerInput = { ...observed, secret: 'absent' };
      failures.failed('secret', basisOf('secret', absent, down), down, 0);
      expect(failures.isPaused('secret', absent, 0)).to.equal(true);
      expect(failures.isPaused('secret', { ...absent, secret: 'forbidden' }, 0)).to.equal(false);
    });

    it('of a write to the Lease is ended when a mark, a request or the announcement gives way to another', () => {
      const before = {
        ...observed,
        lease: { ...observed.lease, servedSinceMs: 7, trusted: { cas: ['A'], sinceMs: 7 }, rotate: 'leaf' },
      };
      const changes = [
        { servedSinceMs: 8 },
        { trusted: { cas: ['A'], sinceMs: 8 } },
        { rotate: 'ca' },
        { announcement: { hash: 'a2', validUntil: '' } },
      ];
      for (const change of changes) {
        const failures = failedWrites(noJitter);
        failures.failed('announcement', basisOf('announcement', before, down), down, 0);
        const after = { ...before, lease: { ...before.lease, ...change } };
        expect(failures.isPaused('announcement', before, 0)).to.equal(true);
        expect(failures.isPaused('announcement', after, 0), Object.keys(change).join()).to.equal(false);
      }
    });

    it('rests on the same facts where no failure is known', () => {
      expect(basisOf('announcement', observed)).to.equal(basisOf('announcement', observed, down));
    });

    it('is ended by a change of the Secrets that the write depends on', () => {
      for (const object of ['target-0', 'secret', 'ca', 'announcement'])
        for (const now of [newLeaf, newCa]) expect(paused(object, down, now), object).to.equal(false);
    });

    it('of a write to the Lease is ended by a change of its content, and after a conflict by any newer version', () => {
      const trusted = { cas: ['A'], sinceMs: 7 };
      const changes = [{ servedSinceMs: 7 }, { trusted }, { rotate: 'leaf' }, { announcement: null }];
      for (const change of changes)
        expect(paused('announcement', down, { ...observed, lease: { ...observed.lease, ...change } })).to.equal(false);
      const conflict = new Problem('it changed', 409);
      expect(paused('announcement', conflict)).to.equal(true);
      expect(paused('announcement', conflict, renewed)).to.equal(false);
    });
  });
});
