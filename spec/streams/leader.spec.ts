import { expect } from 'chai';
import { filter, interval, map, merge, NEVER, type Observable, of, take, takeUntil, timer } from 'rxjs';
import type { TestScheduler } from 'rxjs/testing';
import type { Fence } from '../../streams/events.ts';
import { type Issuer, issuers } from '../../streams/issuers.ts';
import { leader, type LeaderEvent, type LeaderPorts } from '../../streams/leader.ts';
import { leaseWriter } from '../../streams/lease-writer.ts';
import type { LeaseSnapshot, Replica } from '../../streams/model.ts';
import type { WriteResult } from '../../streams/observe-cluster.ts';
import { Problem } from '../../streams/problem.ts';
import type { Listing, WatchFrame, WatchPort } from '../../streams/watch-port.ts';
import { clusterOf } from '../support/cluster-of.ts';
import { inTurn } from '../support/in-turn.ts';
import { marbles } from '../support/marbles.ts';
import { noJitter } from '../support/no-jitter.ts';
import { stepInWords } from '../support/step-in-words.ts';

const policy = {
  ...clusterOf.policy,
  issuer: issuers['self-signed'],
  staleAfterMs: 600_000,
  random: noJitter,
} as const;

const word = (event: LeaderEvent): string => {
  switch (event.type) {
    case 'step/done':
      return `done: ${stepInWords(event.step)}`;
    case 'step/failed':
      return `failed ${event.status ?? 'without answer'}: ${stepInWords(event.step)}`;
    case 'object/contested':
      return `${event.otherManager ?? 'nobody'} contests ${event.object}`;
    case 'object/refused':
      return `${event.object} refused ${event.status}`;
    case 'object/accepted':
      return `${event.object} accepted`;
    case 'ca-change/waiting':
      return `CA change waits for [${event.objects.join()}]`;
    case 'trust/settling':
      return event.untilMs === null ? 'no longer settling' : `settles until ${event.untilMs}`;
    case 'cluster/observed':
      return 'observed';
    case 'watch/unavailable':
      return `cannot watch ${event.object}`;
  }
};

const isTold = ({ type }: LeaderEvent): boolean => type !== 'cluster/observed';

describe('leader', () => {
  const seen = clusterOf.observed({ ca: 'A', secret: 'a1:A', targets: ['0'], said: 'a1', pods: 'a1' });
  const mended: WriteResult = { object: 'target', id: 'target-0', state: clusterOf.targetState('A', {}, '5') };
  const again: WriteResult = { object: 'target', id: 'target-0', state: clusterOf.targetState('X', {}, '4') };

  const listed = <T>(items: readonly T[], watch$: Observable<WatchFrame<T>> = NEVER, listMs = 1): WatchPort<T> => ({
    list: () => timer(listMs).pipe(map((): Listing<T> => ({ resourceVersion: '1', items }))),
    watch: () => watch$,
  });

  /** One target without its caBundle: what is left to do is `target-0: A`. */
  const lead = (
    scheduler: TestScheduler,
    given: Partial<LeaderPorts>,
    options: {
      readonly tick$?: Observable<unknown>;
      readonly fence?: Fence;
      readonly lease$?: Observable<LeaseSnapshot>;
      readonly trustSettleMs?: number;
      readonly issuer?: Issuer;
    } = {},
  ): Observable<LeaderEvent> => {
    const { tick$ = NEVER, fence = () => true, lease$ = merge(of(seen.lease), NEVER), trustSettleMs = 0 } = options;
    const { issuer = policy.issuer } = options;
    const ports: LeaderPorts = {
      clock: { wallMs: () => clusterOf.nowMs, monotonicMs: () => scheduler.now() },
      random: noJitter,
      queue: leaseWriter({ writeLease: () => NEVER }),
      secretWatch: listed([seen.secret as never]),
      caWatch: listed([seen.ca as never]),
      targets: [{ id: 'target-0', watch: listed([seen.targets[0]!.state as never]) }],
      // Before everything else: news of a replica during a write would be a reason to plan again.
      replicaWatch: listed(seen.replicas as never, NEVER, 0),
      perform: () => NEVER,
      refresh: () => NEVER,
      ...given,
    };
    return leader({ lease$, tick$ }, fence, ports, { ...policy, issuer, trustSettleMs });
  };

  const said = {
    d: 'done: target-0: A',
    c: 'failed 409: target-0: A',
    f: 'failed 503: target-0: A',
    u: 'cannot watch secret',
  };

  it('plans nothing before it has seen everything, then writes one thing at a time', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const write$ = cold('----(t|)', { t: mended });
      const unsub = '     ^--------!';
      const expected = '  -----d----';
      const event$ = lead(scheduler, { perform: () => write$ }, { tick$: cold('t-t-t-t-t-t') });
      expectObservable(event$.pipe(filter(isTold), map(word)), unsub).toBe(expected, said);
      expectSubscriptions(write$.subscriptions).toBe('-^---!');
    });
  });

  it('plans a dozen times while a thousand replicas acknowledge within a second, the last time within 100 ms of the last', () => {
    const replica = (at: number, servingHash: string): Replica => ({ name: `pod-${at}`, servingHash, goneAtMs: null });
    const ready = clusterOf.observed({ ca: 'A', secret: 'a1:A', targets: ['A'], said: 'a1', pods: 'a1' });
    marbles((_, scheduler) => {
      const planned: { readonly atMs: number; readonly acknowledged: number }[] = [];
      const issuer: Issuer = {
        ...policy.issuer,
        plan: ({ replicas }) => {
          if (typeof replicas !== 'string') {
            const acknowledged = replicas.filter(({ servingHash }) => servingHash === 'a1').length;
            planned.push({ atMs: scheduler.now(), acknowledged });
          }
          return null;
        },
      };
      const acknowledging$ = interval(1).pipe(
        take(1_000),
        map((at) => ({ type: 'applied', resourceVersion: String(at + 2), object: replica(at, 'a1') }) as const),
      );
      const event$ = lead(
        scheduler,
        {
          targets: [{ id: 'target-0', watch: listed([ready.targets[0]!.state as never]) }],
          replicaWatch: listed(
            Array.from({ length: 1_000 }, (__, at) => replica(at, 'old')),
            acknowledging$,
            0,
          ),
        },
        { issuer },
      );
      event$.pipe(takeUntil(timer(2_000))).subscribe();
      scheduler.flush();
      expect(planned.filter(({ acknowledged }) => acknowledged > 0).length).to.be.within(10, 13);
      const last = planned.find(({ acknowledged }) => acknowledged === 1_000);
      expect(last?.atMs).to.be.within(1_000, 1_100);
    });
  });

  it('tells what it has observed, once for each change', () => {
    marbles(({ cold, expectObservable }, scheduler) => {
      const lease$ = cold('  l-------m', { l: seen.lease, m: { ...seen.lease, resourceVersion: '2' } });
      const event$ = lead(scheduler, {}, { lease$, tick$: cold('-----t----t--') });
      const version$ = event$.pipe(
        map((event) => (event.type === 'cluster/observed' ? event.observed.lease.resourceVersion : event.type)),
      );
      // The Lease and the replicas, then one after the other what is listed.
      expectObservable(version$, '^----------!').toBe('1(111)--2', { 1: '1', 2: '2' });
    });
  });

  it('reads the object after a conflict and plans anew on what stands there', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const conflict$ = cold('-#       ', undefined, new Problem('it has changed', 409)) as Observable<never>;
      const refresh$ = cold('   --(t|)  ', { t: again });
      const write$ = cold('       -(t|)', { t: mended });
      const perform$ = inTurn<WriteResult>(conflict$, write$);
      const expected = '      --c--d----';
      const event$ = lead(scheduler, { perform: () => perform$, refresh: () => refresh$ });
      expectObservable(event$.pipe(filter(isTold), map(word)), '^--------!').toBe(expected, said);
      expectSubscriptions(refresh$.subscriptions).toBe('--^-!');
      expectSubscriptions(write$.subscriptions).toBe('----^!');
    });
  });

  it('backs off after a failure, and ticks do not hurry it', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const failing$ = cold<WriteResult>('-#', undefined, new Problem('down', 503));
      const tick$ = interval(100);
      const event$ = lead(scheduler, { perform: () => failing$ }, { tick$ });
      expectObservable(event$.pipe(filter(isTold), map(word)), '^ 6s !').toBe('--f 800ms f 1600ms f 3200ms f', said);
      expectSubscriptions(failing$.subscriptions).toBe(['-^!', '802ms ^!', '2403ms ^!', '5604ms ^!']);
    });
  });

  it('does not try again earlier because the Lease was renewed (A10)', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const failing$ = cold<WriteResult>('-#', undefined, new Problem('down', 503));
      const renewed = { ...seen.lease, resourceVersion: '2' };
      const lease$ = cold('l 1999ms m', { l: seen.lease, m: renewed });
      const event$ = lead(scheduler, { perform: () => failing$ }, { lease$ });
      expectObservable(event$.pipe(filter(isTold), map(word)), '^ 3s !').toBe('--f 800ms f 1600ms f', said);
      expectSubscriptions(failing$.subscriptions).toBe(['-^!', '802ms ^!', '2403ms ^!']);
    });
  });

  it('tries again at once, and backs off from the beginning, when the object has changed', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const failing$ = cold<WriteResult>('-#', undefined, new Problem('down', 503));
      const applied: WatchFrame<never> = { type: 'applied', resourceVersion: '4', object: again.state as never };
      const watch$ = cold('1998ms a', { a: applied });
      const targets = [{ id: 'target-0', watch: listed([seen.targets[0]!.state as never], watch$) }];
      const event$ = lead(scheduler, { perform: () => failing$, targets });
      expectObservable(event$.pipe(filter(isTold), map(word)), '^ 3s !').toBe('--f 800ms f 1196ms f 800ms f', said);
      expectSubscriptions(failing$.subscriptions).toBe(['-^!', '802ms ^!', '1999ms ^!', '2800ms ^!']);
    });
  });

  describe('with a target that refuses its write (L9)', () => {
    const refusal = new Problem('invalid', 422);
    const wordsOf = (events: readonly LeaderEvent[]): readonly string[] => events.filter(isTold).map(word);

    /** Two targets without a caBundle, the first refuses each write. What the leader does in so many ms. */
    const run = (
      forMs: number,
      given: { readonly accepts?: () => boolean; readonly rotate?: string; readonly problem?: Problem } = {},
    ) => {
      const events: LeaderEvent[] = [];
      marbles(({ flush }, scheduler) => {
        const states = ['0', '0'].map((sketch) => clusterOf.targetState(sketch) as never);
        const running = lead(
          scheduler,
          {
            targets: states.map((state, at) => ({ id: `target-${at}`, watch: listed([state]) })),
            perform: (step) =>
              timer(1).pipe(
                map((): WriteResult => {
                  if (step.kind !== 'inject') throw new Problem('not expected');
                  if (step.target === 'target-0' && given.accepts?.() !== true) throw given.problem ?? refusal;
                  return { object: 'target', id: step.target, state: clusterOf.targetState('A', {}, '9') };
                }),
              ),
          },
          { lease$: merge(of({ ...seen.lease, rotate: given.rotate ?? null }), NEVER) },
        ).subscribe((event) => events.push(event));
        scheduler.schedule(() => running.unsubscribe(), forMs);
        flush();
      });
      return wordsOf(events);
    };

    it('repairs the other target at once', () => {
      expect(run(1_000)).to.deep.equal(['failed 422: target-0: A', 'target-0 refused 422', 'done: target-1: A']);
    });

    it('repairs the other target at once also where the failure may pass', () => {
      const problem = new Problem('down', 503);
      expect(run(700, { problem })).to.deep.equal(['failed 503: target-0: A', 'done: target-1: A']);
    });

    it('tries it again after 30 s and then ever less often, and reports it once', () => {
      const tries = (forMs: number) => run(forMs).filter((one) => one === 'failed 422: target-0: A').length;
      expect([29_000, 31_000, 89_000, 92_000].map(tries)).to.deep.equal([1, 2, 2, 3]);
      expect(run(92_000).filter((one) => one === 'target-0 refused 422')).to.have.lengthOf(1);
    });

    it('reports that the object is accepted when a later write gets through', () => {
      let writes = 0;
      const told = run(31_000, { accepts: () => ++writes > 1 });
      expect(told.slice(-2)).to.deep.equal(['done: target-0: A', 'target-0 accepted']);
    });
  });

  it('reports a refusing target as accepted when it no longer needs the write', () => {
    marbles(({ cold, expectObservable }, scheduler) => {
      const applied: WatchFrame<never> = { type: 'applied', resourceVersion: '5', object: mended.state as never };
      const targets = [
        { id: 'target-0', watch: listed([seen.targets[0]!.state as never], cold('-----a', { a: applied })) },
      ];
      const refused$ = cold<WriteResult>('-#', undefined, new Problem('no', 403));
      const event$ = lead(scheduler, { perform: () => refused$, targets });
      expectObservable(event$.pipe(filter(isTold), map(word)), '^-------!').toBe('--(fr)a--', {
        f: 'failed 403: target-0: A',
        r: 'target-0 refused 403',
        a: 'target-0 accepted',
      });
    });
  });

  it('says nothing of a target whose write failed on the way and is no longer needed', () => {
    marbles(({ cold, expectObservable }, scheduler) => {
      const applied: WatchFrame<never> = { type: 'applied', resourceVersion: '5', object: mended.state as never };
      const watch = listed([seen.targets[0]!.state as never], cold('-----a', { a: applied }));
      const failing$ = cold<WriteResult>('-#', undefined, new Problem('down', 503));
      const event$ = lead(
        scheduler,
        { perform: () => failing$, targets: [{ id: 'target-0', watch }] },
        { tick$: interval(400) },
      );
      expectObservable(event$.pipe(filter(isTold), map(word)), '^ 2s !').toBe('--f', said);
    });
  });

  it('says until when the next certificate waits for the API servers, and writes it right then', () => {
    const events: string[] = [];
    marbles(({ flush }, scheduler) => {
      const sketch = { ca: 'B+A', secret: 'a1:B+A', targets: ['B+A'], said: 'a1', pods: 'a1' } as const;
      const standing = clusterOf.observed({ ...sketch, trusted: { cas: 'B', forMs: 3_600_000 } });
      const issued = clusterOf.secret('b1:B+A', {}, '9');
      const running = lead(
        scheduler,
        {
          caWatch: listed([standing.ca as never]),
          secretWatch: listed([standing.secret as never]),
          targets: standing.targets.map(({ id, state }) => ({ id, watch: listed([state as never]) })),
          perform: () => of<WriteResult>({ object: 'secret', state: issued }),
        },
        { lease$: merge(of(standing.lease), NEVER), tick$: interval(700), trustSettleMs: 10_000 },
      )
        .pipe(filter(isTold))
        .subscribe((event) => events.push(`${scheduler.now()} ${word(event)}`));
      scheduler.schedule(() => running.unsubscribe(), 10_100);
      flush();
    });
    expect(events.slice(0, 3)).to.deep.equal([
      `1 settles until ${clusterOf.nowMs + 10_000}`,
      '10002 no longer settling',
      '10002 done: new leaf, other-ca',
    ]);
  });

  it('says which target a change of CA waits for, and when it no longer does', () => {
    marbles(({ cold, expectObservable }, scheduler) => {
      const asked = { ...seen.lease, rotate: 'ca/A' };
      const applied: WatchFrame<never> = { type: 'applied', resourceVersion: '5', object: mended.state as never };
      const watch = listed([clusterOf.targetState('A+X') as never], cold('---------a', { a: applied }));
      const refused$ = cold<WriteResult>('-#', undefined, new Problem('no', 403));
      const perform = (step: { readonly kind: string }) => (step.kind === 'issue-ca' ? NEVER : refused$);
      const lease$ = cold('l', { l: asked });
      const event$ = lead(scheduler, { perform, targets: [{ id: 'target-0', watch }] }, { lease$ });
      expectObservable(event$.pipe(filter(isTold), map(word)), '^------------!').toBe('--(frw)---(an)', {
        f: 'failed 403: target-0: A',
        r: 'target-0 refused 403',
        w: 'CA change waits for [target-0]',
        a: 'target-0 accepted',
        n: 'CA change waits for []',
      });
    });
  });

  it('backs off from a conflict when reading the object shows nothing new', () => {
    marbles(({ cold, expectObservable }, scheduler) => {
      const conflict$ = cold<WriteResult>('-#', undefined, new Problem('it has changed', 409));
      const same: WriteResult = { object: 'target', id: 'target-0', state: clusterOf.targetState('0') };
      const event$ = lead(scheduler, { perform: () => conflict$, refresh: () => of(same) });
      expectObservable(event$.pipe(filter(isTold), map(word)), '^ 2400ms !').toBe('--c 800ms c', said);
    });
  });

  it('repairs the other target while the list of one keeps failing, and says what it cannot watch (L9)', () => {
    marbles(({ cold, expectObservable }, scheduler) => {
      const failing: WatchPort<never> = {
        list: () => cold('--#', undefined, new Problem('unavailable', 503)),
        watch: () => NEVER,
      };
      const targets = [
        { id: 'target-x', watch: failing },
        { id: 'target-0', watch: listed([seen.targets[0]!.state as never]) },
      ];
      const event$ = lead(scheduler, { perform: () => cold('-(t|)', { t: mended }), targets });
      expectObservable(event$.pipe(filter(isTold), map(word)), '^------!').toBe('--xd---', {
        ...said,
        x: 'cannot watch target-x',
      });
    });
  });

  describe('with an admission plugin that drops the caBundle of one target (L9)', () => {
    /** Two targets without a caBundle; the first reads back without one, each time in the version given. */
    const run = (
      forMs: number,
      versionOf: (write: number) => string,
      given: Partial<LeaderPorts> = {},
    ): readonly string[] => {
      const events: LeaderEvent[] = [];
      let writes = 0;
      marbles(({ flush }, scheduler) => {
        const states = ['0', '0'].map((sketch) => clusterOf.targetState(sketch) as never);
        const running = lead(
          scheduler,
          {
            targets: states.map((state, at) => ({ id: `target-${at}`, watch: listed([state]) })),
            perform: (step) =>
              timer(1).pipe(
                map((): WriteResult => {
                  if (step.kind !== 'inject') throw new Problem('not expected');
                  if (step.target !== 'target-0')
                    return { object: 'target', id: step.target, state: clusterOf.targetState('A', {}, '9') };
                  writes += 1;
                  const state = clusterOf.targetState('0', {}, versionOf(writes));
                  return { object: 'target', id: step.target, state };
                }),
              ),
            ...given,
          },
          { tick$: interval(60_000) },
        ).subscribe((event) => events.push(event));
        scheduler.schedule(() => running.unsubscribe(), forMs);
        flush();
      });
      return events.filter(isTold).map(word);
    };

    it('sets it aside at once when its version shows that nothing was changed, and writes the other', () => {
      const words = ['done: target-0: A', 'target-0 refused null', 'done: target-1: A'];
      expect(run(1_000, () => '1')).to.deep.equal(words);
      expect(run(121_000, () => '1')).to.deep.equal([...words, ...Array<string>(2).fill('done: target-0: A')]);
    });

    it('gives it a new set of CAs at once while its repairs are held, and holds the repairs of that set too', () => {
      const wide = {
        type: 'applied',
        resourceVersion: '2',
        object: clusterOf.authority('B+A', {}, '2') as never,
      } as const;
      const caWatch = listed([seen.ca as never], merge(timer(500).pipe(map(() => wide)), NEVER));
      const words = run(1_000, (write) => String(write + 1), { caWatch });
      expect(words.slice(6, 8)).to.deep.equal(['nobody contests target-0', 'done: target-1: A']);
      const wideWrites = words.flatMap((word, at) => (word === 'done: target-0: B+A' ? [at] : []));
      expect(wideWrites).to.deep.equal([8]);
    });

    it('holds it after five repairs when its version changes, and writes the other', () => {
      const words = run(1_000, (write) => String(write + 1));
      expect(words.slice(-2)).to.deep.equal(['nobody contests target-0', 'done: target-1: A']);
      expect(words.slice(0, -2)).to.deep.equal(Array<string>(6).fill('done: target-0: A'));
    });
  });

  it('writes nothing while its fence is shut', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const write$ = cold('-(t|)', { t: mended });
      const fence: Fence = () => scheduler.now() >= 5;
      const event$ = lead(scheduler, { perform: () => write$ }, { fence, tick$: cold('---t---t') });
      expectObservable(event$.pipe(filter(isTold), map(word)), '^--------!').toBe('--------d', said);
      expectSubscriptions(write$.subscriptions).toBe('-------^!');
    });
  });

  it('hands its fence to each write, which asks it once more', () => {
    const fences: Fence[] = [];
    const fence = () => true;
    marbles(({ flush }, scheduler) => {
      const perform = (_: unknown, given: Fence) => {
        fences.push(given);
        return NEVER;
      };
      const running = lead(scheduler, { perform }, { fence }).subscribe();
      scheduler.schedule(() => running.unsubscribe(), 9);
      flush();
    });
    expect(fences).to.deep.equal([fence]);
  });

  it('tells what it cannot watch', () => {
    marbles(({ cold, expectObservable }, scheduler) => {
      const refused$ = cold<never>('-#', undefined, new Problem('may not', 403));
      const event$ = lead(scheduler, { secretWatch: { list: () => refused$, watch: () => NEVER } });
      expectObservable(event$.pipe(filter(isTold), map(word)), '^ 700ms !').toBe('-u', said);
    });
  });

  it('lets a bug through and lets go of everything', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const bug = new TypeError('a bug');
      const watch$ = cold<never>('-');
      const tick$ = cold('-');
      const lease$ = cold('l', { l: seen.lease });
      const ports = { perform: () => cold<WriteResult>('--#', undefined, bug), replicaWatch: listed([], watch$) };
      const event$ = lead(scheduler, ports, { tick$, lease$ });
      expectObservable(event$.pipe(filter(isTold), map(word))).toBe('---#', undefined, bug);
      expectSubscriptions(watch$.subscriptions).toBe('-^-!');
      expectSubscriptions(tick$.subscriptions).toBe('^--!');
      expectSubscriptions(lease$.subscriptions).toBe('^--!');
    });
  });

  it('aborts its write and closes its watches when it is stopped', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const [watch$, write$] = [cold<never>('-'), cold<WriteResult>('-')];
      const event$ = lead(scheduler, { perform: () => write$, replicaWatch: listed([], watch$) });
      expectObservable(event$.pipe(filter(isTold)), '^---!').toBe('-----');
      expectSubscriptions(watch$.subscriptions).toBe('-^--!');
      expectSubscriptions(write$.subscriptions).toBe('-^--!');
    });
  });
});
