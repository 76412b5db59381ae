import { expect } from 'chai';
import {
  concat,
  delay,
  filter,
  identity as asItIs,
  map,
  merge,
  NEVER,
  type Observable,
  of,
  switchMap,
  takeUntil,
  tap,
  timer,
} from 'rxjs';
import type { TestScheduler } from 'rxjs/testing';
import type { Fence } from '../../streams/events.ts';
import { type ElectionEvent, leaderElection } from '../../streams/leader-election.ts';
import { leaseWriter } from '../../streams/lease-writer.ts';
import type { LeaseSnapshot } from '../../streams/model.ts';
import { Problem } from '../../streams/problem.ts';
import { type SketchedCluster, sketchedCluster } from '../simulation/sketched-cluster.ts';
import { leaseOf } from '../support/lease-of.ts';
import { marbles } from '../support/marbles.ts';
import { noJitter } from '../support/no-jitter.ts';

const clock = { wallMs: () => 0, monotonicMs: () => 0 };
const policy = { renewDeadlineMs: 40_000, retryPeriodMs: 15_000 };

const by = (holder: string | null, renewTime = '0'): LeaseSnapshot => leaseOf('a', { holder, renewTime });

/** A cluster in which this Lease stands. */
const clusterWith = (lease: LeaseSnapshot | null, scheduler: TestScheduler): SketchedCluster => {
  const cluster = sketchedCluster({}, { scheduler });
  cluster.meddle.lease(lease);
  return cluster;
};

const word = (event: ElectionEvent): string => {
  if (event.type === 'leadership/failed') return `failed ${event.status ?? 'without answer'}`;
  return event.type === 'leadership/lost' ? event.reason : event.type.replace('leadership/', '');
};

const said = {
  A: 'acquired',
  r: 'renewed',
  D: 'deposed',
  L: 'renew-deadline',
  S: 'shared-identity',
  R: 'released',
  c: 'failed 409',
  d: 'failed 503',
};

interface Options {
  readonly stop$?: Observable<unknown>;
  readonly watch$?: Observable<LeaseSnapshot | null>;
  readonly answerMs?: number;
  readonly random?: () => number;
  readonly wallMs?: () => number;
}

/** One elector on the Lease of a cluster; `fence` is the one of its last term. */
const elector = (identity: string, cluster: SketchedCluster, scheduler: TestScheduler, options: Options = {}) => {
  const { stop$ = NEVER, watch$ = cluster.lease$, answerMs = 0, random = () => 0, wallMs = () => 0 } = options;
  let current: Fence = () => false;
  const ports = cluster.portsOf(identity);
  const late = answerMs === 0 ? asItIs : delay<LeaseSnapshot>(answerMs);
  const queue = leaseWriter({ writeLease: (change, plannedOn) => ports.writeLease(change, plannedOn).pipe(late) });
  // As in replica.ts: the answers to its own writes are news of the Lease too.
  const lease$ = merge(watch$, queue.written$);
  const own = { queue, clock: { wallMs, monotonicMs: () => scheduler.now() }, random };
  const event$ = leaderElection({ lease$, stop$ }, own, { identity, ...policy }).pipe(
    tap((event) => {
      if (event.type === 'leadership/acquired') current = event.fence;
    }),
    map(word),
  );
  return { event$, fence: () => current() };
};

describe('election', () => {
  it('takes a released Lease at once and renews it at each retry period', () => {
    marbles(({ expectObservable, flush }, scheduler) => {
      const cluster = clusterWith(by(null), scheduler);
      const { event$ } = elector('me', cluster, scheduler);
      expectObservable(event$, '^ 40s !').toBe('-A 15s r 14999ms r', said);
      flush();
      expect(cluster.leaseWritings()).to.deep.equal(['1 me claim', '15002 me renew', '30002 me renew']);
      expect(cluster.lease()).to.include({ holder: 'me', transitions: 1 });
    });
  });

  it('makes the Lease when there is none', () => {
    marbles(({ expectObservable, flush }, scheduler) => {
      const cluster = clusterWith(null, scheduler);
      expectObservable(elector('me', cluster, scheduler).event$, '^ 9s !').toBe('-A', said);
      flush();
      expect(cluster.lease()).to.include({ holder: 'me', transitions: 0 });
    });
  });

  it('waits up to 100 ms before it takes a vacant one, so that candidates do not all write at once', () => {
    marbles(({ expectObservable }, scheduler) => {
      const cluster = clusterWith(by(null), scheduler);
      const options = { random: () => 0.73 };
      expectObservable(elector('me', cluster, scheduler, options).event$, '^ 9s !').toBe('74ms A', said);
    });
  });

  it('sends nothing as long as the Lease is renewed', () => {
    marbles(({ hot, expectObservable, flush }, scheduler) => {
      const cluster = clusterWith(by('rival'), scheduler);
      const renewing$ = hot('59999ms r 59999ms r 59999ms r').pipe(
        tap(() => cluster.meddle.lease(by('rival', `${scheduler.now()}`))),
      );
      renewing$.subscribe();
      expectObservable(elector('me', cluster, scheduler).event$, '^ 230s !').toBe('');
      flush();
      expect(cluster.leaseWritings()).to.deep.equal([]);
    });
  });

  it('takes over once it has seen nothing new for the duration of the Lease, whatever the wall clocks say', () => {
    for (const wallMs of [() => 0, () => 4e12, () => -4e12]) {
      marbles(({ hot, expectObservable, flush }, scheduler) => {
        const cluster = clusterWith(by('rival', '2099-01-01T00:00:00.000000Z'), scheduler);
        hot('30s r')
          .pipe(tap(() => cluster.meddle.lease(by('rival', '1999-01-01T00:00:00.000000Z'))))
          .subscribe();
        expectObservable(elector('me', cluster, scheduler, { wallMs }).event$, '^ 100s !').toBe('90001ms A', said);
        flush();
        expect(cluster.leaseWritings()).to.deep.equal(['90001 me claim']);
      });
    }
  });

  it('takes its own Lease at once after a restart, and that is no transition', () => {
    marbles(({ expectObservable, flush }, scheduler) => {
      const cluster = clusterWith(by('me'), scheduler);
      expectObservable(elector('me', cluster, scheduler, { random: () => 0.9 }).event$, '^ 9s !').toBe('-A', said);
      flush();
      expect(cluster.lease()).to.include({ holder: 'me', transitions: 0 });
    });
  });

  it('makes one of two candidates the leader; the other is refused and looks again', () => {
    marbles(({ cold, expectObservable, flush }, scheduler) => {
      const cluster = clusterWith(by(null), scheduler);
      const one = elector('one', cluster, scheduler);
      // The other one's watch is slow: it still sees a free Lease.
      const watch$ = cold('a 849ms b', { a: cluster.lease(), b: by('one', '1') });
      const other = elector('other', cluster, scheduler, { watch$, random: noJitter });
      expectObservable(one.event$, '^ 3s !').toBe('-A', said);
      expectObservable(other.event$, '^ 3s !').toBe('101ms c', said);
      flush();
      expect(cluster.leaseWritings()).to.deep.equal(['1 one claim', '101 other claim conflict']);
    });
  });

  it("tries again after a conflict that was nobody's claim, on the newest Lease", () => {
    marbles(({ cold, expectObservable, flush }, scheduler) => {
      const cluster = clusterWith(by('me'), scheduler);
      const before = cluster.lease();
      cluster.meddle.lease({ rotate: 'ca' });
      const watch$ = cold('a 49ms b', { a: before, b: cluster.lease() });
      expectObservable(elector('me', cluster, scheduler, { watch$, random: noJitter }).event$, '^ 9s !').toBe(
        '-c 800ms A',
        said,
      );
      flush();
      expect(cluster.lease()).to.include({ holder: 'me', rotate: 'ca' });
    });
  });

  it('is deposed when it sees another holder, then waits like any candidate', () => {
    marbles(({ expectObservable, flush }, scheduler) => {
      const cluster = clusterWith(by(null), scheduler);
      const { event$, fence } = elector('me', cluster, scheduler);
      expectObservable(event$, '^ 70s !').toBe('-A 4998ms D 60s A', said);
      const fences: boolean[] = [];
      scheduler.schedule(() => fences.push(fence()), 4_999);
      scheduler.schedule(() => {
        cluster.meddle.lease(by('rival'));
        fences.push(fence());
      }, 5_000);
      flush();
      expect(fences).to.deep.equal([true, false]);
      expect(cluster.leaseWritings()).to.deep.equal(['1 me claim', '65001 me claim']);
    });
  });

  it('loses the Lease when it cannot renew for RENEW_DEADLINE, and takes it again when it can', () => {
    marbles(({ expectObservable, flush }, scheduler) => {
      const cluster = clusterWith(by(null), scheduler);
      const { event$, fence } = elector('me', cluster, scheduler, { random: noJitter });
      const fences: boolean[] = [];
      for (const atMs of [40_099, 40_100, 40_101]) scheduler.schedule(() => fences.push(fence()), atMs);
      scheduler.schedule(() => cluster.breakDown(true), 1_000);
      scheduler.schedule(() => cluster.breakDown(false), 41_000);
      const failures = 'd 800ms d 1600ms d 3200ms d 6400ms d 12800ms ';
      expectObservable(event$, '^ 44s !').toBe(`101ms A 15s ${failures} d 193ms L d 800ms d 1600ms A`, said);
      flush();
      expect(fences).to.deep.equal([true, false, false]);
    });
  });

  it('makes a Lease that is deleted while it leads again at once', () => {
    marbles(({ expectObservable, flush }, scheduler) => {
      const cluster = clusterWith(by(null), scheduler);
      const { event$, fence } = elector('me', cluster, scheduler);
      expectObservable(event$, '^ 9s !').toBe('-A 4998ms -r', said);
      scheduler.schedule(() => cluster.meddle.lease(null), 5_000);
      scheduler.schedule(() => expect(fence()).to.equal(true), 6_000);
      flush();
      expect(cluster.leaseWritings()).to.deep.equal(['1 me claim', '5001 me claim']);
    });
  });

  it('releases the Lease when it is stopped, and completes', () => {
    marbles(({ hot, expectObservable, expectSubscriptions, flush }, scheduler) => {
      const cluster = clusterWith(by(null), scheduler);
      const stop$ = hot('5s s');
      const { event$, fence } = elector('me', cluster, scheduler, { stop$ });
      expectObservable(event$).toBe('-A 4999ms (R|)', said);
      expectSubscriptions(stop$.subscriptions).toBe('^ 4999ms !');
      const fences: boolean[] = [];
      scheduler.schedule(() => fences.push(fence()), 4_999);
      scheduler.schedule(() => fences.push(fence()), 5_001);
      flush();
      expect(fences).to.deep.equal([true, false]);
      expect(cluster.lease()).to.include({ holder: null });
    });
  });

  it('completes without a write when it is stopped as a candidate', () => {
    for (const holder of [by('rival'), by(null)]) {
      marbles(({ hot, expectObservable, flush }, scheduler) => {
        const cluster = clusterWith(holder, scheduler);
        const { event$ } = elector('me', cluster, scheduler, { stop$: hot('--s'), random: noJitter });
        expectObservable(event$).toBe('--|', said);
        flush();
        expect(cluster.leaseWritings()).to.deep.equal([]);
      });
    }
  });

  it('completes without a write when it is stopped before it has seen any Lease', () => {
    marbles(({ hot, expectObservable, flush }, scheduler) => {
      const cluster = clusterWith(by(null), scheduler);
      const { event$ } = elector('me', cluster, scheduler, { stop$: hot('--s'), watch$: NEVER });
      expectObservable(event$).toBe('--|', said);
      flush();
      expect(cluster.leaseWritings()).to.deep.equal([]);
    });
  });

  it('releases the Lease although the stop hits a renewal that has landed without an answer', () => {
    marbles(({ hot, expectObservable, flush }, scheduler) => {
      const cluster = clusterWith(by(null), scheduler);
      const { event$ } = elector('me', cluster, scheduler, { stop$: hot('15013ms s'), answerMs: 10 });
      expectObservable(event$).toBe('11ms A 15012ms (R|)', said);
      flush();
      expect(cluster.leaseWritings()).to.deep.equal(['1 me claim', '15012 me renew', '15014 me release']);
      expect(cluster.lease()).to.include({ holder: null });
    });
  });

  it('releases the Lease although the watch tells of a write before only later', () => {
    marbles(({ hot, expectObservable, flush }, scheduler) => {
      const cluster = clusterWith(by(null), scheduler);
      const watch$ = concat(of(cluster.lease()), timer(5_500).pipe(map(() => cluster.lease())), NEVER);
      const options = { stop$: hot('5s s'), watch$, random: noJitter };
      expectObservable(elector('me', cluster, scheduler, options).event$).toBe('101ms A 4899ms c 800ms (R|)', said);
      scheduler.schedule(() => cluster.meddle.lease({ ...by('me'), rotate: 'ca' }), 4_000);
      flush();
      expect(cluster.lease()).to.include({ holder: null, rotate: 'ca' });
    });
  });

  it('releases nothing that a rival has taken meanwhile', () => {
    marbles(({ hot, expectObservable, flush }, scheduler) => {
      const cluster = clusterWith(by(null), scheduler);
      const watch$ = concat(of(cluster.lease()), timer(5_500).pipe(map(() => cluster.lease())), NEVER);
      const options = { stop$: hot('5s s'), watch$, random: noJitter };
      expectObservable(elector('me', cluster, scheduler, options).event$).toBe('101ms A 4899ms c 799ms |', said);
      scheduler.schedule(() => cluster.meddle.lease(by('rival')), 4_000);
      flush();
      expect(cluster.lease()).to.include({ holder: 'rival' });
    });
  });

  it('makes no Lease in order to release it', () => {
    marbles(({ hot, expectObservable, flush }, scheduler) => {
      const cluster = clusterWith(by(null), scheduler);
      const stop$ = hot('5s s');
      expectObservable(elector('me', cluster, scheduler, { stop$ }).event$).toBe('-A 4998ms |', said);
      // The deletion and the stop in one instant: nothing of it is left to give back.
      scheduler.schedule(() => cluster.meddle.lease(null), 5_000);
      flush();
      expect(cluster.lease()).to.equal(null);
    });
  });

  it('gives up releasing after three seconds and leaves the Lease to expire', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      const cluster = clusterWith(by(null), scheduler);
      const { event$ } = elector('me', cluster, scheduler, { stop$: hot('5s s'), random: noJitter });
      expectObservable(event$).toBe('101ms A 4899ms d 800ms d 1600ms d 596ms |', said);
      scheduler.schedule(() => cluster.breakDown(true), 1_000);
    });
  });

  it('releases the Lease when the stream of Leases ends, since nothing can be known any more', () => {
    marbles(({ expectObservable, flush }, scheduler) => {
      const cluster = clusterWith(by('me'), scheduler);
      const ports = { queue: leaseWriter(cluster.portsOf('me')), clock, random: () => 0 };
      const lease$ = cluster.lease$.pipe(takeUntil(timer(5_000)));
      const event$ = leaderElection({ lease$, stop$: NEVER }, ports, { identity: 'me', ...policy }).pipe(map(word));
      expectObservable(event$).toBe('-A 4999ms (R|)', said);
      flush();
      expect(cluster.lease()).to.include({ holder: null });
    });
  });

  describe('when two processes use one identity', () => {
    it('lets the newer one lead, and the older one says so once and waits until nobody renews', () => {
      marbles(({ expectObservable, flush }, scheduler) => {
        const cluster = clusterWith(by(null), scheduler);
        const older = elector('me', cluster, scheduler);
        const newer = elector('me', cluster, scheduler, { stop$: timer(100_000), answerMs: 5 });
        const expected = '-A 15s r 4998ms S 100s A';
        expectObservable(older.event$, '^ 134s !').toBe(expected, said);
        const events: string[] = [];
        timer(20_000)
          .pipe(switchMap(() => newer.event$))
          .subscribe((event) => events.push(event));
        flush();
        expect(events).to.deep.equal(['acquired', ...Array<string>(6).fill('renewed'), 'released']);
      });
    });
  });

  it('rethrows an error that is no Problem, since it is a bug', () => {
    const bug = new TypeError('a bug');
    const told: unknown[] = [];
    marbles(({ flush }, scheduler) => {
      const cluster = clusterWith(by('me'), scheduler);
      const broken = {
        written$: NEVER,
        write: (): never => {
          throw bug;
        },
      };
      const ports = { queue: broken, clock, random: () => 0 };
      leaderElection({ lease$: cluster.lease$, stop$: NEVER }, ports, { identity: 'me', ...policy }).subscribe({
        error: (error: unknown) => told.push(error),
      });
      flush();
    });
    expect(told).to.deep.equal([bug]);
    expect(bug).not.to.be.instanceOf(Problem);
  });

  it('lets go of everything when nobody listens any more, and shuts the fence', () => {
    marbles(({ hot, expectObservable, expectSubscriptions, flush }, scheduler) => {
      const cluster = clusterWith(by(null), scheduler);
      const lease$ = hot<LeaseSnapshot | null>('a', { a: cluster.lease() });
      const stop$ = hot('-');
      const { event$, fence } = elector('me', cluster, scheduler, { watch$: lease$, stop$ });
      expectObservable(event$, '^ 4999ms !').toBe('-A', said);
      expectSubscriptions(lease$.subscriptions).toBe('^ 4999ms !');
      expectSubscriptions(stop$.subscriptions).toBe('^ 4999ms !');
      flush();
      expect(fence()).to.equal(false);
    });
  });

  it('never lets two fences stand open at once, whoever is deaf and whenever the API server is down', () => {
    for (let variant = 0; variant < 60; variant += 1) {
      marbles(({ flush }, scheduler) => {
        const cluster = clusterWith(by(null), scheduler);
        const electors = ['one', 'two', 'three'].map((identity, at) => {
          const deafFromMs = at === 0 ? 20_000 + variant * 1_111 : Infinity;
          const watch$ = cluster.lease$.pipe(filter(() => scheduler.now() < deafFromMs));
          const random = () => ((variant * 7 + at * 31) % 100) / 100;
          return elector(identity, cluster, scheduler, { watch$, answerMs: variant % 3, random });
        });
        const running = electors.map(({ event$ }) => event$.subscribe());
        const open: number[] = [];
        for (let atMs = 0; atMs < 300_000; atMs += 500) {
          scheduler.schedule(() => open.push(electors.filter(({ fence }) => fence()).length), atMs);
        }
        scheduler.schedule(() => cluster.breakDown(true), 50_000 + variant * 997);
        scheduler.schedule(() => cluster.breakDown(false), 100_000 + variant * 1_499);
        scheduler.schedule(() => running.forEach((one) => one.unsubscribe()), 300_000);
        flush();
        expect(Math.max(...open)).to.equal(1);
        expect(open.at(-1), 'somebody leads at the end').to.equal(1);
      });
    }
  });
});
