import { expect } from 'chai';
import { merge, NEVER, type Observable, of, Subject, throwError } from 'rxjs';
import { applyStep, type ObjectStep, type StepEvent, type StepPorts } from '../../streams/apply-step.ts';
import { repairOf, repairPace } from '../../streams/contention.ts';
import { failedWrites } from '../../streams/failed-writes.ts';
import type { LeaseSnapshot } from '../../streams/model.ts';
import type { WriteResult } from '../../streams/observe-cluster.ts';
import { Problem } from '../../streams/problem.ts';
import type { Step } from '../../streams/step.ts';
import { clusterOf } from '../support/cluster-of.ts';
import { inTurn } from '../support/in-turn.ts';
import { marbles } from '../support/marbles.ts';
import { noJitter } from '../support/no-jitter.ts';

const observed = clusterOf.observed({ ca: 'A', secret: 'a1:A', targets: ['0'], said: 'a1' });

const issue: ObjectStep = {
  kind: 'issue-leaf',
  reason: 'missing',
  ca: clusterOf.authority('A'),
  plannedOn: clusterOf.secret('a1:A'),
};
const inject: Extract<ObjectStep, { kind: 'inject' }> = {
  kind: 'inject',
  target: 'target-0',
  trust: clusterOf.certificates('A'),
  plannedOn: { ...clusterOf.targetState('X'), otherManager: 'somebody' },
};
const written: WriteResult = { object: 'secret', state: clusterOf.secret('a2:A', {}, '2') };
const read: WriteResult = { object: 'secret', state: clusterOf.secret('a3:A', {}, '3') };
const injected: WriteResult = { object: 'target', id: 'target-0', state: clusterOf.targetState('A', {}, '2') };

/** The injection as the pace of repairs knows it. */
const repair = repairOf(inject, observed)!;

const conflict = new Problem('it has changed', 409);
const refused = new Problem('refused', 403);
const gone = new Problem('no answer');

const done = (step: Step, touched: WriteResult | null): StepEvent => ({ type: 'step/done', step, touched });
const failed = (step: Step, { status, message }: Problem, retryInMs = 800, repeated = false): StepEvent => ({
  type: 'step/failed',
  step,
  status,
  error: message,
  retryInMs,
  repeated,
});
const setAside = (object: string, { status, message }: Problem, retryInMs = 30_000): StepEvent => ({
  type: 'object/refused',
  object,
  status,
  error: message,
  retryInMs,
});

const fence = () => true;

/** Ports of which only those given may be used. */
const portsOf = (given: Partial<StepPorts>): StepPorts => {
  const unused = () => throwError(() => new Error('a port that is none of this step’s business'));
  return {
    clock: { wallMs: () => 0, monotonicMs: () => 0 },
    queue: { written$: NEVER, write: unused },
    perform: unused,
    refresh: unused,
    ...given,
  };
};

const run = (step: Step, given: Partial<StepPorts>, pace = repairPace(), failures = failedWrites(noJitter)) => {
  const touched$ = new Subject<WriteResult>();
  return { event$: applyStep(step, observed, { ports: portsOf(given), fence, pace, failures, touched$ }), touched$ };
};

/** What is said of a write that is answered at once with this result. */
const eventsAfter = (
  step: ObjectStep,
  result: WriteResult,
  failures = failedWrites(noJitter),
): readonly StepEvent[] => {
  const events: StepEvent[] = [];
  run(step, { perform: () => of(result) }, repairPace(), failures).event$.subscribe((event) => events.push(event));
  return events;
};

describe('applyStep', () => {
  describe('a write to an object', () => {
    it('is done when it is answered, and then everybody hears what stands there', () => {
      marbles(({ cold, expectObservable, expectSubscriptions }) => {
        const perform$ = cold('--(t|)', { t: written });
        const subs = '         ^-!';
        const expected = '     --(dt|)';
        const { event$, touched$ } = run(issue, { perform: () => perform$ });
        const both$ = merge(event$, touched$) as Observable<unknown>;
        expectObservable(both$, '^----!').toBe(expected.replace('|', ''), { d: done(issue, written), t: written });
        expectSubscriptions(perform$.subscriptions).toBe(subs);
      });
    });

    it('gets the step and the fence', () => {
      const asked: unknown[] = [];
      run(issue, {
        perform: (...given) => {
          asked.push(given);
          return of(written);
        },
      }).event$.subscribe();
      expect(asked).to.deep.equal([[issue, fence]]);
    });

    it('is aborted when nobody waits any more', () => {
      marbles(({ cold, expectObservable, expectSubscriptions }) => {
        const perform$ = cold('-----(t|)', { t: written });
        expectObservable(run(issue, { perform: () => perform$ }).event$, '^-!').toBe('---');
        expectSubscriptions(perform$.subscriptions).toBe('^-!');
      });
    });

    it('fails as an item, and nothing is read again, unless it was a conflict', () => {
      for (const problem of [gone, new Problem('down', 503), new Problem('too many', 429)]) {
        marbles(({ cold, expectObservable }) => {
          const perform$ = cold<WriteResult>('--#', undefined, problem);
          expectObservable(run(issue, { perform: () => perform$ }).event$).toBe('--(f|)', {
            f: failed(issue, problem),
          });
        });
      }
    });

    it('sets the object aside when it is refused for good, once for each reason', () => {
      const failures = failedWrites(noJitter);
      const eventsOf = (problem: Problem): readonly StepEvent[] => {
        const events: StepEvent[] = [];
        const perform = () => throwError(() => problem);
        run(inject, { perform }, repairPace(), failures).event$.subscribe((event) => events.push(event));
        return events;
      };
      const invalid = new Problem('invalid', 422);
      expect(eventsOf(refused)).to.deep.equal([failed(inject, refused, 30_000), setAside('target-0', refused)]);
      expect(eventsOf(refused)).to.deep.equal([failed(inject, refused, 60_000, true)]);
      expect(eventsOf(invalid)).to.deep.equal([
        failed(inject, invalid, 120_000),
        setAside('target-0', invalid, 120_000),
      ]);
    });

    it('reports an object that was set aside as accepted when a write gets through', () => {
      const failures = failedWrites(noJitter);
      const events: StepEvent[] = [];
      const perform$ = inTurn<WriteResult>(
        throwError(() => refused),
        of(injected),
        of(injected),
      );
      for (let write = 0; write < 3; write += 1)
        run(inject, { perform: () => perform$ }, repairPace(), failures).event$.subscribe((event) =>
          events.push(event),
        );
      expect(events.map(({ type }) => type)).to.deep.equal([
        'step/failed',
        'object/refused',
        'step/done',
        'object/accepted',
        'step/done',
      ]);
    });

    it('sets a Secret aside that it wrote and that cannot be used, and blames no other manager (A7)', () => {
      const failures = failedWrites(noJitter);
      const unusable: WriteResult = { object: 'secret', state: { ...clusterOf.secret('a2:A broken', {}, '2') } };
      const events = eventsAfter(issue, unusable, failures);
      const error = 'the Secret that was written cannot be used: key of another certificate';
      expect(events).to.deep.equal([
        done(issue, unusable),
        { type: 'object/refused', object: 'secret', status: null, error, retryInMs: 30_000 },
      ]);
      const now = { ...observed, secret: unusable.state };
      expect(failures.isPaused('secret', now, 29_999)).to.equal(true);
      expect(failures.isPaused('secret', now, 30_000)).to.equal(false);
      expect(failures.isPaused('secret', { ...now, secret: clusterOf.secret('a3:A', {}, '3') }, 0)).to.equal(false);
    });

    it('sets an object aside whose write was accepted and changed nothing', () => {
      const reverted: WriteResult = { object: 'target', id: 'target-0', state: inject.plannedOn };
      const error = 'the write was accepted and changed nothing: admission reverts it';
      expect(eventsAfter(inject, reverted)).to.deep.equal([
        done(inject, reverted),
        { type: 'object/refused', object: 'target-0', status: null, error, retryInMs: 30_000 },
      ]);
    });

    it('sets SECRET-ca aside when the CA that it wrote cannot be used', () => {
      const step: ObjectStep = { kind: 'issue-ca', reason: 'missing', keep: [], plannedOn: 'absent' };
      const usable: WriteResult = { object: 'ca', state: clusterOf.authority('A', {}, '2') };
      const unusable: WriteResult = { object: 'ca', state: clusterOf.authority('/A', {}, '2') };
      const error = 'the CA that was written cannot be used';
      expect(eventsAfter(step, usable)).to.deep.equal([done(step, usable)]);
      expect(eventsAfter(step, unusable)).to.deep.equal([
        done(step, unusable),
        { type: 'object/refused', object: 'ca', status: null, error, retryInMs: 30_000 },
      ]);
    });

    it('is followed by a reading when it was a conflict', () => {
      marbles(({ cold, expectObservable, expectSubscriptions }) => {
        const perform$ = cold<WriteResult>('--#    ', undefined, conflict);
        const refresh$ = cold('           --(r|)', { r: read });
        const expected = '              --f-(r|)';
        const { event$, touched$ } = run(issue, { perform: () => perform$, refresh: () => refresh$ });
        const both$ = merge(event$, touched$) as Observable<unknown>;
        expectObservable(both$, '^------!').toBe(expected.replace('|', ''), { f: failed(issue, conflict), r: read });
        expectSubscriptions(refresh$.subscriptions).toBe('--^-!');
      });
    });

    it('ends without a word when the object of a conflict is gone or cannot be read', () => {
      marbles(({ cold, expectObservable }) => {
        const perform = () => cold<WriteResult>('-#', undefined, conflict);
        for (const refresh$ of [cold<WriteResult>('-|'), cold<WriteResult>('-#', undefined, gone)]) {
          const { event$, touched$ } = run(issue, { perform, refresh: () => refresh$ });
          expectObservable(event$).toBe('-f|', { f: failed(issue, conflict) });
          expectObservable(touched$).toBe('-');
        }
      });
    });

    it('lets a bug through, of the write and of the reading', () => {
      const bug = new TypeError('a bug');
      marbles(({ cold, expectObservable }) => {
        const broken$ = cold<WriteResult>('-#', undefined, bug);
        expectObservable(run(issue, { perform: () => broken$ }).event$).toBe('-#', undefined, bug);
        const perform = () => cold<WriteResult>('-#', undefined, conflict);
        expectObservable(run(issue, { perform, refresh: () => broken$ }).event$).toBe(
          '-f#',
          { f: failed(issue, conflict) },
          bug,
        );
      });
    });
  });

  describe('an injection', () => {
    it('counts as a repair when it is done, and a fight is told between the answer and the echo', () => {
      const told: unknown[] = [];
      const pace = repairPace();
      for (let write = 0; write < 8; write += 1) {
        const { event$, touched$ } = run(inject, { perform: () => of(injected) }, pace);
        const listening = touched$.subscribe(() => told.push('echo'));
        event$.subscribe((event) => told.push(event.type === 'step/done' ? 'done' : event));
        listening.unsubscribe();
      }
      const quiet = ['done', 'echo'];
      const contested = { type: 'object/contested', object: 'target-0', otherManager: 'somebody' };
      const loud = ['done', contested, 'echo'];
      expect(told).to.deep.equal([quiet, quiet, quiet, quiet, quiet, loud, quiet, quiet].flat());
      expect(pace.isHeld(repair, 1)).to.equal(true);
    });

    it('counts for nothing when it fails', () => {
      const pace = repairPace();
      for (let write = 0; write < 8; write += 1) {
        run(inject, { perform: () => throwError(() => refused) }, pace).event$.subscribe();
      }
      expect(pace.isHeld(repair, 0)).to.equal(false);
    });

    it('is paced by the clock that never jumps', () => {
      const pace = repairPace();
      const clock = { wallMs: () => 7e12, monotonicMs: () => 1_000 };
      for (let write = 0; write < 8; write += 1)
        run(inject, { perform: () => of(injected), clock }, pace).event$.subscribe();
      expect(pace.isHeld(repair, 60_999)).to.equal(true);
      expect(pace.isHeld(repair, 61_000)).to.equal(false);
    });
  });

  it('counts writes of every kind as repairs but those that nobody fights over', () => {
    const pace = { ...repairPace(), wrote: () => true };
    const told = (step: Step) => {
      const events: StepEvent[] = [];
      const queue = { written$: NEVER, write: () => of(observed.lease) };
      run(step, { perform: () => of(written), queue }, pace).event$.subscribe((event) => events.push(event));
      return events;
    };
    const announce: Step = {
      kind: 'announce',
      announcement: { hash: 'a1', validUntil: 'then' },
      clearsRotationRequest: false,
    };
    const mark: Step = { kind: 'record-served', sinceMs: 7 };
    const contested = (object: string) => ({ type: 'object/contested', object, otherManager: null });
    expect(told(issue)).to.deep.equal([done(issue, written), contested('secret')]);
    expect(told(announce)).to.deep.equal([done(announce, null), contested('announcement')]);
    expect(told(mark)).to.deep.equal([done(mark, null)]);
  });

  describe('a write to the Lease', () => {
    const steps: readonly Step[] = [
      { kind: 'announce', announcement: { hash: 'a2', validUntil: 'the end of a2' }, clearsRotationRequest: true },
      { kind: 'record-served', sinceMs: 7 },
      { kind: 'set-rotation-request', rotate: null },
    ];
    const answer: LeaseSnapshot = { ...observed.lease, resourceVersion: '2' };

    for (const step of steps) {
      it(`goes through the queue, decided on the Lease that was observed: ${step.kind}`, () => {
        const asked: unknown[] = [];
        marbles(({ cold, expectObservable, expectSubscriptions }) => {
          const write$ = cold('--(a|)', { a: answer });
          const queue = {
            written$: NEVER,
            write: (...given: unknown[]) => {
              asked.push(given);
              return write$;
            },
          };
          expectObservable(run(step, { queue }).event$).toBe('--(d|)', { d: done(step, null) });
          expectSubscriptions(write$.subscriptions).toBe('^-!');
        });
        expect(asked).to.deep.equal([[step, observed.lease]]);
      });
    }

    it('fails as an item, a conflict too: the Lease is observed by others', () => {
      for (const problem of [conflict, gone]) {
        marbles(({ cold, expectObservable }) => {
          const queue = { written$: NEVER, write: () => cold<LeaseSnapshot>('-#', undefined, problem) };
          expectObservable(run(steps[1]!, { queue }).event$).toBe('-(f|)', { f: failed(steps[1]!, problem) });
        });
      }
    });

    it('rethrows an error that is no Problem, since it is a bug', () => {
      const bug = new TypeError('a bug');
      marbles(({ cold, expectObservable }) => {
        const queue = { written$: NEVER, write: () => cold<LeaseSnapshot>('-#', undefined, bug) };
        expectObservable(run(steps[1]!, { queue }).event$).toBe('-#', undefined, bug);
      });
    });
  });
});
