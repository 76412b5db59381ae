import { expect } from 'chai';
import { defer, NEVER, type Observable, of, tap, throwError, timer } from 'rxjs';
import type { RunHelpers, TestScheduler } from 'rxjs/testing';
import { issuers } from '../../streams/issuers.ts';
import type { LeaseSnapshot } from '../../streams/model.ts';
import { Problem } from '../../streams/problem.ts';
import { replica, type ReplicaEvent, type ReplicaPolicy, type ReplicaPorts } from '../../streams/replica.ts';
import type { WatchPort } from '../../streams/watch-port.ts';
import { sketchedCluster } from '../simulation/sketched-cluster.ts';
import { clusterOf, type Sketch } from '../support/cluster-of.ts';
import { followerPorts } from '../support/follower-ports.ts';
import { leaseOf } from '../support/lease-of.ts';
import { marbles } from '../support/marbles.ts';
import { readingOf } from '../support/reading-of.ts';
import { stepInWords } from '../support/step-in-words.ts';

const policy: ReplicaPolicy = {
  ...clusterOf.policy,
  tickMs: 2_000,
  staleAfterMs: 60_000,
  quietAfterMs: 150_000,
  certTimeoutMs: null,
  kubeletNudge: true,
  reviewEveryMs: null,
  leaderElection: true,
  renewDeadlineMs: 40_000,
  retryPeriodMs: 15_000,
  issuer: issuers['self-signed'],
};

/** Somebody renewed it in time and for the last time: it is free after a minute. */
const rivals = leaseOf(null, { holder: 'rival', renewTime: '1' });
const vacant = leaseOf(null);

/** What a watch counts of itself. */
interface Count {
  lists: number;
  open: number;
}

const counted = <T>(port: WatchPort<T>, count: Count): WatchPort<T> => ({
  list: () =>
    defer(() => {
      count.lists += 1;
      return port.list();
    }),
  watch: (version) =>
    defer(() => {
      count.open += 1;
      return port.watch(version).pipe(tap({ finalize: () => (count.open -= 1) }));
    }),
});

/** One cluster for any number of replicas, which see the same Lease and the same objects. */
const world = (
  helpers: RunHelpers,
  scheduler: TestScheduler,
  { lease = vacant, ...sketch }: Sketch & { readonly lease?: LeaseSnapshot } = {},
) => {
  const cluster = sketchedCluster({ pods: '- -', ...sketch }, { scheduler });
  cluster.meddle.lease(lease);
  const told: string[] = [];

  const start = (
    identity: string,
    options: {
      readonly stop$?: Observable<unknown>;
      readonly policy?: Partial<ReplicaPolicy>;
      readonly ports?: Partial<ReplicaPorts>;
    } = {},
  ) => {
    const count = { lease: { lists: 0, open: 0 }, leader: { lists: 0, open: 0 }, gets: 0 };
    const own = cluster.portsOf(identity);
    const ports: ReplicaPorts = {
      ...own,
      ...followerPorts(helpers, scheduler),
      clock: own.clock,
      random: () => 0,
      leaseWatch: counted(own.leaseWatch, count.lease),
      getLease: () =>
        defer(() => {
          count.gets += 1;
          return own.getLease();
        }),
      secretWatch: counted(own.secretWatch, count.leader),
      caWatch: counted(own.caWatch, count.leader),
      targets: own.targets.map(({ id, watch }) => ({ id, watch: counted(watch, count.leader) })),
      replicaWatch: counted(own.replicaWatch, count.leader),
      ...options.ports,
    };
    const streams = replica(ports, { ...policy, identity, ...options.policy }, options.stop$ ?? NEVER);
    const ticksMs: number[] = [];
    const errors: unknown[] = [];
    const running = streams.event$.subscribe({
      next: (event: ReplicaEvent) => {
        if (event.type === 'tick/checked') ticksMs.push(scheduler.now());
        if (event.type.startsWith('leadership/')) told.push(`${scheduler.now()} ${identity} ${event.type.slice(11)}`);
        if (event.type === 'step/done') told.push(`${scheduler.now()} ${identity}: ${stepInWords(event.step)}`);
      },
      error: (error: unknown) => errors.push(error),
    });
    return { streams, count, ticksMs, errors, stop: () => running.unsubscribe() };
  };

  return { cluster, told, start };
};

/** Runs a spec for so long and takes the running replicas down after it. */
const during = (
  lengthMs: number,
  body: (helpers: RunHelpers, scheduler: TestScheduler) => readonly { stop(): void }[],
): void => {
  marbles((helpers, scheduler) => {
    const replicas = body(helpers, scheduler);
    scheduler.schedule(() => replicas.forEach((one) => one.stop()), lengthMs);
    helpers.flush();
  });
};

const FOUNDING = ['new CA, missing, keep nothing', 'target-0: A', 'new leaf, missing', 'announce a1'];

describe('replica', () => {
  it('takes a vacant Lease, founds what is missing and announces it on the same Lease', () => {
    during(20_000, (helpers, scheduler) => {
      const { start, told, cluster } = world(helpers, scheduler);
      const one = start('pod-0');
      scheduler.schedule(() => {
        expect(told).to.deep.equal([
          '2 pod-0 acquired',
          '4 pod-0: new CA, missing, keep nothing',
          '7 pod-0: target-0: A',
          '9 pod-0: new leaf, missing',
          '10 pod-0: announce a1',
          '15003 pod-0 renewed',
        ]);
        expect(cluster.lease()).to.deep.include({
          holder: 'pod-0',
          announcement: { hash: 'a1', validUntil: '2025-10-04T00:00:00Z' },
        });
        expect(cluster.leaseWritings()).to.deep.equal(['2 pod-0 claim', '10 pod-0 announce', '15003 pod-0 renew']);
      }, 19_000);
      return [one];
    });
  });

  it('watches none of the leader’s objects and writes nothing as long as somebody else leads', () => {
    during(50_000, (helpers, scheduler) => {
      const { start, cluster } = world(helpers, scheduler, { lease: rivals });
      const one = start('pod-0');
      scheduler.schedule(() => {
        expect(one.count.leader).to.deep.equal({ lists: 0, open: 0 });
        expect(one.count.lease).to.deep.equal({ lists: 1, open: 1 });
        expect([cluster.leaseWritings(), cluster.steps()]).to.deep.equal([[], []]);
      }, 49_000);
      return [one];
    });
  });

  it('takes over where a dead leader stopped, a Lease’s duration after its last sign of life', () => {
    during(70_000, (helpers, scheduler) => {
      const { start, told } = world(helpers, scheduler, { lease: rivals, ca: 'A', targets: ['0'] });
      const one = start('pod-0');
      scheduler.schedule(() => {
        expect(told.slice(0, 4)).to.deep.equal([
          '60002 pod-0 acquired',
          '60006 pod-0: target-0: A',
          '60008 pod-0: new leaf, missing',
          '60009 pod-0: announce a1',
        ]);
      }, 69_000);
      return [one];
    });
  });

  it('never issues when LEADER_ELECTION is false', () => {
    during(200_000, (helpers, scheduler) => {
      const { start, cluster, told } = world(helpers, scheduler);
      const one = start('pod-0', { policy: { leaderElection: false } });
      scheduler.schedule(() => {
        expect([cluster.leaseWritings(), cluster.steps(), told]).to.deep.equal([[], [], []]);
        expect(one.count.leader).to.deep.equal({ lists: 0, open: 0 });
      }, 199_000);
      return [one];
    });
  });

  it('stops leading when it sees another holder: closes its watches and writes nothing more', () => {
    during(40_000, (helpers, scheduler) => {
      const { start, told, cluster } = world(helpers, scheduler);
      const one = start('pod-0');
      scheduler.schedule(() => {
        expect(one.count.leader.open).to.equal(4);
        cluster.meddle.lease(rivals);
      }, 10_000);
      scheduler.schedule(() => {
        expect(one.count.leader.open).to.equal(0);
        cluster.meddle.target('target-0', '0');
      }, 10_001);
      scheduler.schedule(() => {
        expect(told.at(-1)).to.equal('10000 pod-0 lost');
        expect(cluster.steps().map(stepInWords)).to.deep.equal(FOUNDING);
        expect([one.count.leader.open, one.errors]).to.deep.equal([0, []]);
      }, 39_000);
      return [one];
    });
  });

  it('releases the Lease when it is stopped, so that the next one leads at once; it goes on following', () => {
    during(30_000, (helpers, scheduler) => {
      const { start, told } = world(helpers, scheduler);
      const one = start('pod-0', { stop$: timer(10_000) });
      const other = start('pod-1');
      scheduler.schedule(() => {
        expect(told).to.deep.equal([
          '2 pod-0 acquired',
          '2 pod-1 failed',
          '4 pod-0: new CA, missing, keep nothing',
          '7 pod-0: target-0: A',
          '9 pod-0: new leaf, missing',
          '10 pod-0: announce a1',
          '10001 pod-0 released',
          '10002 pod-1 acquired',
        ]);
        expect(one.count.leader.open).to.equal(0);
        expect(other.count.leader.open).to.equal(4);
        expect(one.ticksMs.at(-1)).to.equal(18_000);
      }, 19_000);
      return [one, other];
    });
  });

  it('aborts the write that is under way when it is stopped', () => {
    marbles((helpers, scheduler) => {
      const write$ = helpers.cold<never>('-');
      const { start } = world(helpers, scheduler);
      const one = start('pod-0', { stop$: helpers.hot('9ms s'), ports: { perform: () => write$ } });
      scheduler.schedule(() => one.stop(), 20);
      helpers.expectSubscriptions(write$.subscriptions).toBe('---^-----!');
    });
  });

  it('lets two replicas finish each other’s work, and one Lease write never meets another', () => {
    during(30_000, (helpers, scheduler) => {
      const { start, cluster } = world(helpers, scheduler);
      const one = start('pod-0', { stop$: timer(5) });
      const other = start('pod-1');
      scheduler.schedule(() => {
        expect(cluster.steps().map(stepInWords)).to.deep.equal(FOUNDING);
        expect(cluster.lease()?.announcement?.hash).to.equal('a1');
        // Both had seen a vacant Lease; after that nobody writes on a Lease that has changed.
        expect(cluster.leaseWritings().filter((words) => / (?:conflict|refused)$/.test(words))).to.deep.equal([
          '2 pod-1 claim conflict',
        ]);
        expect(cluster.lease()?.holder).to.equal('pod-1');
      }, 29_000);
      return [one, other];
    });
  });

  it('makes the Lease again, and the announcement on it, when it is deleted', () => {
    during(30_000, (helpers, scheduler) => {
      const { start, cluster, told } = world(helpers, scheduler);
      const one = start('pod-0');
      scheduler.schedule(() => cluster.meddle.lease(null), 10_000);
      scheduler.schedule(() => {
        expect(told.slice(5)).to.deep.equal(['10001 pod-0 renewed', '10002 pod-0: announce a1']);
        expect(cluster.lease()?.holder).to.equal('pod-0');
      }, 12_000);
      return [one];
    });
  });

  it('opens one watch of the Lease for all its parts, and replaces it alone when it is stale', () => {
    during(149_000, (helpers, scheduler) => {
      const { start, cluster } = world(helpers, scheduler, { lease: rivals });
      // The rival renews in time, but this replica's watch is deaf.
      const deaf: WatchPort<LeaseSnapshot> = { ...cluster.portsOf('pod-0').leaseWatch, watch: () => NEVER };
      const count: Count = { lists: 0, open: 0 };
      const one = start('pod-0', { ports: { leaseWatch: counted(deaf, count) } });
      for (let atMs = 20_000; atMs < 149_000; atMs += 20_000) {
        scheduler.schedule(() => cluster.meddle.lease({ ...rivals, renewTime: `${atMs}` }), atMs);
      }
      scheduler.schedule(() => {
        expect(count.open).to.equal(1);
        expect(count.lists).to.equal(3);
        expect(cluster.leaseWritings()).to.deep.equal([]);
      }, 148_000);
      return [one];
    });
  });

  it('gives the leader’s own watches, which are quiet by nature, more time than the one of the Lease', () => {
    during(200_000, (helpers, scheduler) => {
      const { start, cluster } = world(helpers, scheduler);
      const one = start('pod-0');
      scheduler.schedule(() => {
        for (const connection of cluster.net.connections) if (connection.object !== 'lease') connection.deafen();
      }, 1_000);
      const listsAt = (atMs: number, lists: number) =>
        scheduler.schedule(() => expect(one.count.leader.lists, `at ${atMs}`).to.equal(lists), atMs);
      listsAt(149_000, 4);
      listsAt(160_000, 8);
      return [one];
    });
  });

  it('ends every other pause of the leader’s other watches when its renewal is answered', () => {
    during(200_000, (helpers, scheduler) => {
      const { start } = world(helpers, scheduler);
      const attemptsMs: number[] = [];
      const secretWatch: ReplicaPorts['secretWatch'] = {
        list: () => {
          attemptsMs.push(scheduler.now());
          return throwError(() => new Problem('connect ECONNREFUSED'));
        },
        watch: () => NEVER,
      };
      const one = start('pod-0', { ports: { secretWatch, random: () => 0.5 } });
      scheduler.schedule(() => {
        const pausesMs = attemptsMs.slice(1).map((atMs, at) => atMs - attemptsMs[at]!);
        // What they come to without an answer to anything else, three quarters of the back-off: 0.6 s doubling to 22.5 s.
        const cutShort = pausesMs.map((ms, at) => ms < Math.min(600 * 2 ** at, 22_500));
        expect(cutShort.slice(-4)).to.have.members([true, false, true, false]);
      }, 199_000);
      return [one];
    });
  });

  describe('when an API server that did not answer is back', () => {
    const silence = new Problem('connect ECONNREFUSED');
    /** Errs as long as the server is gone. */
    const answering = <T>(isGone: () => boolean, answer: () => Observable<T>) =>
      defer(() => (isGone() ? throwError(() => silence) : answer()));

    it('claims the Lease as soon as it has been read', () => {
      during(60_000, (helpers, scheduler) => {
        const { start, cluster } = world(helpers, scheduler);
        const isGone = (): boolean => scheduler.now() < 40_000;
        const ports = cluster.portsOf('pod-0');
        const { leaseWatch: watching } = ports;
        // It had read the Lease at its start: the claim is what fails, for 40 s.
        let lists = 0;
        const one = start('pod-0', {
          ports: {
            random: () => 0.99,
            leaseWatch: {
              list: () => (lists++ === 0 ? watching.list() : answering(isGone, () => watching.list())),
              watch: (version) => answering(isGone, () => watching.watch(version)),
            },
            getLease: () => answering(isGone, () => ports.getLease()),
            writeLease: (change, plannedOn) => answering(isGone, () => ports.writeLease(change, plannedOn)),
          },
        });
        scheduler.schedule(() => {
          expect(Number.parseInt(cluster.leaseWritings()[0] ?? '', 10)).to.be.within(
            40_000,
            40_000 + policy.tickMs + 10,
          );
        }, 59_000);
        return [one];
      });
    });

    it('acknowledges what it serves as soon as the Lease is seen to change', () => {
      during(60_000, (helpers, scheduler) => {
        const lease = leaseOf('a', { holder: 'rival' });
        const { start, cluster } = world(helpers, scheduler, { lease });
        const acknowledgedMs: number[] = [];
        const acknowledgeHash = () =>
          answering(
            () => scheduler.now() < 40_000,
            () => of(acknowledgedMs.push(scheduler.now())),
          );
        const one = start('pod-0', { ports: { acknowledgeHash, random: () => 0.99 } });
        scheduler.schedule(() => cluster.meddle.lease({ ...lease, renewTime: '2' }), 41_000);
        scheduler.schedule(() => expect(acknowledgedMs).to.deep.equal([41_000]), 59_000);
        return [one];
      });
    });
  });

  it('asks for the Lease when something is mounted that it does not announce', () => {
    during(1_000, (helpers, scheduler) => {
      const { start } = world(helpers, scheduler, { lease: leaseOf('b', { holder: 'rival' }) });
      const readMount = () => helpers.cold('-(r|)', { r: readingOf('a') });
      const one = start('pod-0', { ports: { readMount } });
      scheduler.schedule(() => expect(one.count.gets).to.be.greaterThan(0), 900);
      return [one];
    });
  });

  it('does not ask for a Lease whose list is under way', () => {
    during(1_000, (helpers, scheduler) => {
      const { start } = world(helpers, scheduler, { lease: leaseOf('a', { holder: 'rival' }) });
      const readMount = () => helpers.cold('(r|)', { r: readingOf('a') });
      const one = start('pod-0', { ports: { readMount } });
      scheduler.schedule(() => expect([one.count.lease.lists, one.count.gets]).to.deep.equal([1, 0]), 900);
      return [one];
    });
  });

  it('tells whether and what it serves, to whoever asks, as long as it runs', () => {
    during(5_000, (helpers, scheduler) => {
      const { start } = world(helpers, scheduler, { lease: leaseOf('a', { holder: 'rival' }) });
      const one = start('pod-0');
      const served: unknown[] = [];
      scheduler.schedule(() => {
        one.streams.readiness$.subscribe(({ served: hash }) => served.push(hash?.hash ?? null)).unsubscribe();
        one.streams.certificate$.subscribe(({ hash }) => served.push(hash)).unsubscribe();
        expect(served).to.deep.equal(['a', 'a']);
      }, 4_000);
      return [one];
    });
  });

  it('closes everything when nobody listens any more', () => {
    marbles((helpers, scheduler) => {
      const { start } = world(helpers, scheduler);
      const one = start('pod-0');
      scheduler.schedule(() => {
        expect([one.count.lease.open, one.count.leader.open]).to.deep.equal([1, 4]);
        one.stop();
        expect([one.count.lease.open, one.count.leader.open]).to.deep.equal([0, 0]);
      }, 5_000);
      // An interval that went on would keep virtual time from ever ending.
      helpers.flush();
      expect(scheduler.now()).to.be.below(10_000);
    });
  });

  it('passes a bug on, of any of its parts', () => {
    const bug = new TypeError('a bug');
    marbles((helpers, scheduler) => {
      const { start } = world(helpers, scheduler);
      const perform = () => {
        throw bug;
      };
      const one = start('pod-0', { ports: { perform } });
      helpers.flush();
      expect(one.errors).to.deep.equal([bug]);
    });
  });
});
