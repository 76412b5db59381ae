import { expect } from 'chai';
import { concat, filter, interval, NEVER, type Observable, switchMap, takeUntil, tap, timer } from 'rxjs';
import type { TestScheduler } from 'rxjs/testing';
import { issuers } from '../../streams/issuers.ts';
import { leader, type LeaderEvent } from '../../streams/leader.ts';
import { leaseWriter } from '../../streams/lease-writer.ts';
import { type SketchedCluster, sketchedCluster } from '../simulation/sketched-cluster.ts';
import { clusterOf, type Sketch } from '../support/cluster-of.ts';
import { marbles } from '../support/marbles.ts';
import { noJitter } from '../support/no-jitter.ts';
import { stepInWords } from '../support/step-in-words.ts';

const QUIET: Sketch = { ca: 'A', secret: 'a1:A', targets: ['A', 'A'], said: 'a1', pods: 'a1 a1 a1' };
const MINUTE_MS = 60_000;
const RIVAL = 'somebody-else';

type Meddle = SketchedCluster['meddle'];
type Issuer = 'self-signed' | 'external';

/** A cluster with the kubelets of three replicas, and leaders to let loose on it, in virtual time. */
const world = (sketch: Sketch, scheduler: TestScheduler, issuer: Issuer = 'self-signed', kubeletMs = 700) => {
  const cluster = sketchedCluster(sketch, { scheduler });
  const { portsOf, landed$ } = cluster;
  const told: LeaderEvent[] = [];
  const refused: string[] = [];
  const look = (): void => void refused.push(...cluster.refused());

  landed$.subscribe(look);
  const syncing$ = interval(kubeletMs).pipe(
    filter((sync) => cluster.sync(`pod-${sync % 3}`)),
    tap(look),
  );

  const lead = (fence = () => true, lease$ = cluster.lease$): Observable<LeaderEvent> => {
    const ports = portsOf('pod-0');
    return leader(
      { lease$: lease$.pipe(filter((lease) => lease !== null)), tick$: interval(2_000) },
      fence,
      { ...ports, random: noJitter, queue: leaseWriter(ports) },
      { ...clusterOf.policy, issuer: issuers[issuer], staleAfterMs: 600_000, random: noJitter },
    ).pipe(tap((event) => told.push(event)));
  };

  return {
    ...cluster,
    refused,
    lead,
    written: () => cluster.steps().map(stepInWords),
    contested: () => told.filter(({ type }) => type === 'object/contested'),
    /** Lets kubelets and these leaders run for so long. */
    run: (leading$: Observable<unknown>, lengthMs: number): void => {
      const end$ = timer(lengthMs);
      syncing$.pipe(takeUntil(end$)).subscribe();
      leading$.pipe(takeUntil(end$)).subscribe();
    },
  };
};

const ROTATION = [
  'request is ca/A',
  'new CA, requested, keep A',
  'target-0: B+A',
  'target-1: B+A',
  'new leaf, other-ca',
  'announce b1+B/A, request fulfilled',
  'served everywhere',
  'narrow: keep nothing',
  'target-0: B',
  'target-1: B',
  'Secret trusts B',
  'not served any more',
];

describe('leader, on a cluster', () => {
  it('founds everything from nothing', () => {
    marbles(({ flush }, scheduler) => {
      const { lead, run, written } = world({ targets: ['0', '0'], pods: '- - -' }, scheduler);
      run(lead(), MINUTE_MS);
      flush();
      expect(written()).to.deep.equal([
        'new CA, missing, keep nothing',
        'target-0: A',
        'target-1: A',
        'new leaf, missing',
        'announce a1',
      ]);
    });
  });

  it('writes nothing when there is nothing to change, for half a day', () => {
    marbles(({ flush }, scheduler) => {
      const { lead, run, written } = world(QUIET, scheduler, 'self-signed', MINUTE_MS);
      run(lead(), 12 * 60 * MINUTE_MS);
      flush();
      expect(written()).to.deep.equal([]);
    });
  });

  it('rotates the CA when it is asked to, waits for the replicas and holds the overlap, and refuses no call', () => {
    for (const kubeletMs of [100, 700, 20_000]) {
      marbles(({ flush }, scheduler) => {
        const { lead, run, written, refused } = world({ ...QUIET, rotate: 'ca' }, scheduler, 'self-signed', kubeletMs);
        run(lead(), 63 * MINUTE_MS);
        flush();
        expect(written()).to.deep.equal(ROTATION);
        expect(refused).to.deep.equal([]);
      });
    }
  });

  it('does not narrow before the overlap is over', () => {
    marbles(({ flush }, scheduler) => {
      const { lead, run, written } = world({ ...QUIET, rotate: 'ca' }, scheduler);
      run(lead(), 60 * MINUTE_MS);
      flush();
      expect(written()).to.deep.equal(ROTATION.slice(0, 7));
    });
  });

  it('ends in the same state when it is killed after any single write, before it has heard of it', () => {
    for (let killedAfter = 0; killedAfter < ROTATION.length; killedAfter += 1) {
      marbles(({ flush }, scheduler) => {
        const { lead, run, written, refused, landed$ } = world({ ...QUIET, rotate: 'ca' }, scheduler);
        const killed$ = landed$.pipe(filter((_, landed) => landed === killedAfter));
        const next$ = timer(5_000).pipe(switchMap(() => lead()));
        run(concat(lead().pipe(takeUntil(killed$)), next$), 70 * MINUTE_MS);
        flush();
        expect(written(), `killed after write ${killedAfter}`).to.deep.equal(ROTATION);
        expect(refused).to.deep.equal([]);
      });
    }
  });

  it('writes nothing more once its fence is shut, not even what is on its way', () => {
    for (let shutMs = 0; shutMs < 40; shutMs += 1) {
      marbles(({ flush }, scheduler) => {
        const { lead, run, written, landed$ } = world({ ...QUIET, rotate: 'ca' }, scheduler);
        const fence = () => scheduler.now() < shutMs;
        const objectWritesMs: number[] = [];
        landed$.subscribe(({ kind }) => {
          if (kind !== 'set-rotation-request' && kind !== 'announce') objectWritesMs.push(scheduler.now());
        });
        run(lead(fence), MINUTE_MS);
        flush();
        expect(Math.max(0, ...objectWritesMs)).to.be.at.most(shutMs);
        expect(written().length).to.be.at.most(shutMs);
      });
    }
  });

  it('refuses the late writes of a leader that was paused, and loses nothing', () => {
    marbles(({ flush }, scheduler) => {
      const { lead, run, written, refused } = world({ ...QUIET, rotate: 'ca' }, scheduler);
      // Both believe that they lead: optimistic locking alone keeps their writes apart.
      run(timer(0).pipe(switchMap(() => lead())), 70 * MINUTE_MS);
      run(timer(3).pipe(switchMap(() => lead())), 70 * MINUTE_MS);
      flush();
      expect(written()).to.deep.equal(ROTATION);
      expect(refused).to.deep.equal([]);
    });
  });

  it('mends a caBundle within milliseconds of the event that tells of it', () => {
    marbles(({ flush }, scheduler) => {
      const { lead, run, written, meddle, landed$ } = world(QUIET, scheduler);
      const mendedMs: number[] = [];
      landed$.subscribe(() => mendedMs.push(scheduler.now()));
      run(lead(), 2 * MINUTE_MS);
      scheduler.schedule(() => meddle.target('target-1', '0', RIVAL), 30_500);
      flush();
      expect(written()).to.deep.equal(['target-1: A']);
      expect(mendedMs).to.deep.equal([30_502]);
    });
  });

  describe('against a rival that rewrites a caBundle every 100 ms', () => {
    const fight = (issuer: Issuer, sketch: Sketch, lengthMs: number, rivals = ['X'], everyMs = 100) => {
      let result = { written: [] as readonly string[], contested: [] as readonly LeaderEvent[] };
      marbles(({ flush }, scheduler) => {
        const { lead, run, written, meddle, contested } = world(sketch, scheduler, issuer);
        run(lead(), lengthMs);
        interval(everyMs)
          .pipe(takeUntil(timer(lengthMs)))
          .subscribe((at) => meddle.target('target-0', rivals[at % rivals.length]!, RIVAL));
        flush();
        result = { written: written(), contested: contested() };
      });
      return result;
    };

    for (const issuer of ['self-signed', 'external'] as const) {
      it(`spends at most ten writes on it in a minute, and tells its name once (${issuer})`, () => {
        const { written, contested } = fight(issuer, QUIET, MINUTE_MS);
        expect(written.filter((words) => words.startsWith('target-0'))).to.have.length.within(5, 10);
        expect(contested).to.deep.equal([
          { type: 'object/contested', object: 'target-0', otherManager: 'somebody-else' },
        ]);
      });

      it(`goes on at one write a minute, and tells nothing more (${issuer})`, () => {
        const { written, contested } = fight(issuer, QUIET, 31 * MINUTE_MS, ['X'], 500);
        expect(written.filter((words) => words.startsWith('target-0'))).to.have.length.within(30, 40);
        expect(contested).to.have.length(1);
      });
    }

    it('spends no more on two rivals', () => {
      const { written, contested } = fight('external', QUIET, MINUTE_MS, ['X', '0', 'A+X']);
      expect(written.filter((words) => words.startsWith('target-0'))).to.have.length.below(11);
      expect(contested).to.have.length(1);
    });

    it('rotates the CA meanwhile', () => {
      const { written } = fight('self-signed', { ...QUIET, rotate: 'ca' }, 70 * MINUTE_MS, ['X'], 3_000);
      expect(written.filter((words) => !words.startsWith('target-0'))).to.deep.equal(
        ROTATION.filter((words) => !words.startsWith('target-0')),
      );
    });
  });

  describe('against somebody who takes something away every 100 ms', () => {
    const taken = {
      secret: { take: ({ secret }: Meddle) => secret(null), words: 'new leaf' },
      ca: { take: ({ authority }: Meddle) => authority(null), words: 'new CA' },
      announcement: {
        take: ({ lease }: Meddle) => lease({ announcement: null, servedSinceMs: null }),
        words: 'announce',
      },
    };

    for (const [object, { take, words }] of Object.entries(taken)) {
      it(`puts it back at once, then once a minute, and tells of it once: ${object}`, () => {
        marbles(({ flush }, scheduler) => {
          const { lead, run, written, meddle, contested } = world(QUIET, scheduler);
          const again = () => written().filter((step) => step.startsWith(words)).length;
          run(lead(), 5 * MINUTE_MS);
          interval(100)
            .pipe(takeUntil(timer(5 * MINUTE_MS)))
            .subscribe(() => take(meddle));
          scheduler.schedule(() => expect(again()).to.be.within(5, 10), MINUTE_MS);
          flush();
          expect(again()).to.be.within(9, 11);
          expect(contested().filter((event) => 'object' in event && event.object === object)).to.deep.equal([
            { type: 'object/contested', object, otherManager: null },
          ]);
        });
      });
    }

    it('goes on with repairs of caBundles meanwhile', () => {
      marbles(({ flush }, scheduler) => {
        const { lead, run, written, meddle } = world(QUIET, scheduler);
        run(lead(), 2 * MINUTE_MS);
        interval(100)
          .pipe(takeUntil(timer(2 * MINUTE_MS)))
          .subscribe(() => meddle.secret(null));
        scheduler.schedule(() => meddle.target('target-1', '0', RIVAL), 45_050);
        scheduler.schedule(() => expect(written()).to.include('target-1: A'), 45_060);
        flush();
      });
    });

    it('issues a leaf a second when it is asked to: that is no fight', () => {
      marbles(({ flush }, scheduler) => {
        const { lead, run, written, meddle, contested } = world(QUIET, scheduler, 'self-signed', 100);
        run(lead(), MINUTE_MS);
        interval(1_000)
          .pipe(takeUntil(timer(MINUTE_MS)))
          .subscribe(() => meddle.lease({ rotate: 'leaf' }));
        flush();
        expect(written().filter((step) => step === 'new leaf, requested')).to.have.length(59);
        expect(contested()).to.deep.equal([]);
      });
    });

    it('announces what an external issuer goes back and forth between: that is no fight', () => {
      marbles(({ flush }, scheduler) => {
        const { lead, run, written, meddle, contested } = world(QUIET, scheduler, 'external', 100);
        run(lead(), MINUTE_MS);
        interval(1_000)
          .pipe(takeUntil(timer(MINUTE_MS)))
          .subscribe((at) => meddle.secret(at % 2 === 0 ? 'a2:A' : 'a1:A'));
        flush();
        expect(written().filter((step) => step.startsWith('announce'))).to.have.length(59);
        expect(contested()).to.deep.equal([]);
      });
    });
  });

  it('does not take what it widens and narrows by plan for repairs, however often it rotates', () => {
    marbles(({ flush }, scheduler) => {
      const { lead, run, contested, meddle, written } = world(QUIET, scheduler);
      run(lead(), 20 * 65 * MINUTE_MS);
      for (let rotation = 0; rotation < 10; rotation += 1) {
        scheduler.schedule(() => meddle.lease({ rotate: 'ca' }), rotation * 65 * MINUTE_MS + 1_000);
      }
      flush();
      expect(written().filter((words) => words.startsWith('new CA'))).to.have.length(10);
      expect(contested()).to.deep.equal([]);
      expect(written().filter((words) => words.startsWith('target-0'))).to.have.length(20);
    });
  });

  it('writes no Secret when somebody else issues', () => {
    marbles(({ flush }, scheduler) => {
      const { lead, run, meddle, written, refused } = world(QUIET, scheduler, 'external');
      run(lead(), 70 * MINUTE_MS);
      scheduler.schedule(() => meddle.secret('b1:B'), 5_000);
      flush();
      expect(written()).to.deep.equal([
        'target-0: B+A',
        'target-1: B+A',
        'announce b1',
        'served everywhere',
        'target-0: B',
        'target-1: B',
        'not served any more',
      ]);
      expect(refused).to.deep.equal([]);
    });
  });

  it('does nothing at all when it never sees a Lease', () => {
    marbles(({ flush }, scheduler) => {
      const { lead, run, written } = world({ ...QUIET, rotate: 'ca' }, scheduler);
      run(
        lead(() => true, NEVER),
        MINUTE_MS,
      );
      flush();
      expect(written()).to.deep.equal([]);
    });
  });
});
