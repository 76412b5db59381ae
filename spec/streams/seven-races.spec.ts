import { expect } from 'chai';
import { defer, NEVER, type Observable, tap } from 'rxjs';
import type { LoadPorts, PairCheck } from '../../streams/load-certificate.ts';
import type { LeaseSnapshot } from '../../streams/model.ts';
import { Problem } from '../../streams/problem.ts';
import type { Readiness } from '../../streams/readiness.ts';
import type { ReplicaEvent } from '../../streams/replica.ts';
import type { Listing, WatchFrame } from '../../streams/watch-port.ts';
import { leaseOf } from '../support/lease-of.ts';
import { loads } from '../support/loads.ts';
import { marbles } from '../support/marbles.ts';
import { mountAt } from '../support/mount-at.ts';
import { ofType } from '../support/of-type.ts';
import { pairOf } from '../support/pair-of.ts';
import { readingOf } from '../support/reading-of.ts';
import { watchPortOf } from '../support/watch-port-of.ts';
import { watchingReplica } from '../support/watching-replica.ts';

/**
 * The seven races that the Go predecessor met with atomics, mutexes and once-guards, each on a whole replica in virtual
 * time. It ticks every 2 s; every step of a load takes 1 ms unless its picture says otherwise.
 */
describe('the seven races', () => {
  const at = (resourceVersion: string, hash: string | null): LeaseSnapshot => leaseOf(hash, { resourceVersion });
  const leases = { a: at('10', 'a'), b: at('11', 'b'), c: at('12', 'c'), d: at('13', 'd') };
  const listings: Record<string, Listing<LeaseSnapshot>> = {
    0: { resourceVersion: '9', items: [at('9', null)] },
    a: { resourceVersion: '10', items: [leases.a] },
    b: { resourceVersion: '11', items: [leases.b] },
  };
  const applied = (object: LeaseSnapshot): WatchFrame<LeaseSnapshot> => ({
    type: 'applied',
    resourceVersion: object.resourceVersion,
    object,
  });
  const frames: Record<string, WatchFrame<LeaseSnapshot>> = {
    o: { type: 'opened' },
    a: applied(leases.a),
    b: applied(leases.b),
    c: applied(leases.c),
    d: applied(leases.d),
    r: applied({ ...leases.a, resourceVersion: '12', renewTime: 'later' }),
    x: { type: 'expired' },
  };
  const mounts = { a: readingOf('a'), b: readingOf('b'), c: readingOf('c'), d: readingOf('d') };
  const pairs = { a: pairOf('a'), b: pairOf('b'), c: pairOf('c'), d: pairOf('d') };
  const passed = (hash: string): PairCheck => ({ ok: true, pair: pairOf(hash) });
  const ready = (hash: string): Readiness => ({ ready: true, reasons: [], served: pairOf(hash) });
  const conclusions = (event$: Observable<ReplicaEvent>) => event$.pipe(ofType('certificate/concluded'));

  describe('1: the expected hash is shared', () => {
    it('loads by the announcement that the load began with, whatever is announced meanwhile', () => {
      marbles((helpers, scheduler) => {
        const { cold, expectObservable, flush } = helpers;
        const compared: string[] = [];
        const list$ = cold('       -(a|)            ', listings);
        const connection$ = cold('  o 10ms b        ', frames);
        const unsub = '            ^ 100ms          !';
        const certificates = '     23ms        a    ';
        const concluded = '        23ms        (sm)  ';
        const verify: LoadPorts['verify'] = (mounted, { hash }) => {
          compared.push(`mounted ${mounted.hash}, announced ${hash}`);
          return cold('20ms (v|)', { v: passed(hash) });
        };
        const leaseWatch = watchPortOf([list$], [connection$]);
        const { event$, certificate$ } = watchingReplica(helpers, scheduler, { leaseWatch, verify });
        expectObservable(conclusions(event$), unsub).toBe(concluded, {
          s: { type: 'certificate/concluded', load: loads.served('a'), elapsedMs: 22 },
          m: { type: 'certificate/concluded', load: loads.mismatched('b', 'a'), elapsedMs: 11 },
        });
        expectObservable(certificate$, unsub).toBe(certificates, pairs);
        flush();
        expect(compared).to.deep.equal(['mounted a, announced a']);
      });
    });

    it('is not set back by an older answer that was under way', () => {
      marbles((helpers, scheduler) => {
        const { cold, expectObservable, expectSubscriptions } = helpers;
        const list$ = cold('       2010ms (b|)         ', listings);
        const get$ = cold('        50ms   (g|)         ', { g: leases.a });
        const unsub = '            ^ 3s                !';
        const announced = '        2010ms b            ';
        const getSubs = '          2000ms ^ 49ms !     ';
        const leaseWatch = watchPortOf([list$], [cold('o', frames)]);
        const readMount = mountAt(helpers, scheduler, { 0: readingOf(null) });
        const { event$ } = watchingReplica(helpers, scheduler, { leaseWatch, readMount, getLease: () => get$ });
        expectObservable(event$.pipe(ofType('lease/observed')), unsub).toBe(announced, {
          b: { type: 'lease/observed', lease: leases.b, via: 'watch', announces: true },
        });
        expectSubscriptions(get$.subscriptions).toBe(getSubs);
      });
    });
  });

  describe('2: the certificate is accessed while it is replaced', () => {
    it('replaces one after the other, and every reader sees one that is served as a whole', () => {
      marbles((helpers, scheduler) => {
        const { cold, hot, expectObservable, expectSubscriptions, flush } = helpers;
        let inServer: string | null = null;
        const seen: (readonly [shown: string | undefined, inServer: string | null])[] = [];
        const list$ = cold('       -(a|)                  ', listings);
        const connection$ = cold('  o 26ms b---c          ', frames);
        const mountMoved$ = hot('  30ms      m--m         ');
        const swap$ = cold('       5ms (s|)', { s: undefined });
        const unsub = '            ^ 100ms                !';
        const late = '             60ms ^ 40ms            !';
        const certificates = '     8ms a 29ms b 6ms c     ';
        const swaps = ['           2ms ^ 4ms !            ', '32ms ^ 4ms !', '39ms ^ 4ms !'];
        const serve: LoadPorts['serve'] = ({ hash }) => swap$.pipe(tap(() => (inServer = hash)));
        const readMount = mountAt(helpers, scheduler, { 0: mounts.a, 30: mounts.b, 33: mounts.c });
        const leaseWatch = watchPortOf([list$], [connection$]);
        const ports = { leaseWatch, mountMoved$, readMount, serve };
        const { readiness$, certificate$ } = watchingReplica(helpers, scheduler, ports);
        const read$ = readiness$.pipe(tap(({ served }) => seen.push([served?.hash, inServer])));
        expectObservable(certificate$, unsub).toBe(certificates, pairs);
        expectObservable(read$, late).toBe('60ms c', { c: ready('c') });
        expectObservable(read$, unsub);
        expectSubscriptions(swap$.subscriptions).toBe(swaps);
        expectSubscriptions(list$.subscriptions).toBe('^!');
        flush();
        expect(seen.filter(([shown]) => shown !== undefined)).to.deep.equal([
          ['a', 'a'],
          ['b', 'b'],
          ['c', 'c'],
          ['c', 'c'],
        ]);
      });
    });
  });

  describe('3: ready is told twice', () => {
    it('is told once, however watch, directory and tick coincide', () => {
      marbles((helpers, scheduler) => {
        const { cold, hot, expectObservable, expectSubscriptions } = helpers;
        const list$ = cold('       -(0|)                             ', listings);
        const connection$ = cold('  o 1998ms a 1999ms r              ', frames);
        const mountMoved$ = hot('  2000ms   m 1999ms m               ');
        const serve$ = cold('      -(s|)', { s: undefined });
        const write$ = cold('      -|');
        const unsub = '            ^ 9s                              !';
        const readiness = '        -n 2001ms a                       ';
        const leaseWatch = watchPortOf([list$], [connection$]);
        const ports = { leaseWatch, mountMoved$, serve: () => serve$, acknowledgeHash: () => write$ };
        const { readiness$, event$ } = watchingReplica(helpers, scheduler, ports);
        expectObservable(event$.pipe(ofType('readiness/changed')), unsub).toBe(readiness, {
          n: { type: 'readiness/changed', readiness: { ready: false, reasons: ['no-announcement'], served: null } },
          a: { type: 'readiness/changed', readiness: ready('a') },
        });
        expectObservable(readiness$, unsub).toBe(readiness, {
          n: { ready: false, reasons: ['no-announcement'], served: null },
          a: ready('a'),
        });
        expectSubscriptions(serve$.subscriptions).toBe('2001ms ^!');
        expectSubscriptions(write$.subscriptions).toBe('2003ms ^!');
      });
    });
  });

  describe('4: events come in bursts while a load is slow', () => {
    it('loads the newest right after the load in flight, not at the next tick, and none in between', () => {
      marbles((helpers, scheduler) => {
        const { cold, hot, expectObservable, flush } = helpers;
        const loaded: string[] = [];
        const list$ = cold('       -(a|)                             ', listings);
        const connection$ = cold('  o 98ms b 99ms c 99ms d           ', frames);
        const mountMoved$ = hot('  310ms                   m         ');
        const unsub = '            ^ 1900ms                          !';
        const certificates = '     503ms                      a--d   ';
        const readMount = mountAt(helpers, scheduler, { 0: mounts.a, 310: mounts.d });
        const verify: LoadPorts['verify'] = (_, { hash }) => {
          loaded.push(`${hash} at ${scheduler.now()} ms`);
          return cold(hash === 'a' ? '500ms (v|)' : '-(v|)', { v: passed(hash) });
        };
        const leaseWatch = watchPortOf([list$], [connection$]);
        const { event$, certificate$ } = watchingReplica(helpers, scheduler, {
          leaseWatch,
          mountMoved$,
          readMount,
          verify,
        });
        expectObservable(certificate$, unsub).toBe(certificates, pairs);
        expectObservable(conclusions(event$), unsub).toBe(certificates, {
          a: { type: 'certificate/concluded', load: loads.served('a'), elapsedMs: 502 },
          d: { type: 'certificate/concluded', load: loads.served('d'), elapsedMs: 206 },
        });
        flush();
        expect(loaded).to.deep.equal(['a at 1 ms', 'd at 503 ms']);
      });
    });

    it('the newest waits for no back-off when the load in flight fails', () => {
      marbles((helpers, scheduler) => {
        const { cold, hot, expectObservable } = helpers;
        const list$ = cold('       -(a|)                         ', listings);
        const connection$ = cold('  o 98ms b                     ', frames);
        const mountMoved$ = hot('  110ms     m                   ');
        const unsub = '            ^ 1900ms                      !';
        const certificates = '     504ms             b           ';
        const readMount = mountAt(helpers, scheduler, { 0: mounts.a, 110: mounts.b });
        const early: PairCheck = { ok: false, reason: 'not-yet-valid', retryable: true };
        const verify: LoadPorts['verify'] = (_, { hash }) =>
          hash === 'a' ? cold('500ms (v|)', { v: early }) : cold('-(v|)', { v: passed(hash) });
        const leaseWatch = watchPortOf([list$], [connection$]);
        const { certificate$ } = watchingReplica(helpers, scheduler, { leaseWatch, mountMoved$, readMount, verify });
        expectObservable(certificate$, unsub).toBe(certificates, pairs);
      });
    });
  });

  describe('5: the certificate is loaded twice', () => {
    it('is loaded once when watch, directory and tick bring it at the same instant', () => {
      marbles((helpers, scheduler) => {
        const { cold, hot, expectObservable, expectSubscriptions } = helpers;
        const list$ = cold('       -(a|)                 ', listings);
        const connection$ = cold('  o 1999ms b           ', frames);
        const mountMoved$ = hot('  2000ms m              ');
        const unsub = '            ^ 5s                  !';
        const certificates = '     ----a 1999ms b        ';
        const first$ = cold('      -(v|)', { v: passed('a') });
        const second$ = cold('     -(v|)', { v: passed('b') });
        const serve$ = cold('      -(s|)', { s: undefined });
        const readMount = mountAt(helpers, scheduler, { 0: mounts.a, 2_000: mounts.b });
        const verify: LoadPorts['verify'] = (_, { hash }) => (hash === 'a' ? first$ : second$);
        const leaseWatch = watchPortOf([list$], [connection$]);
        const ports = { leaseWatch, mountMoved$, readMount, verify, serve: () => serve$ };
        const { certificate$ } = watchingReplica(helpers, scheduler, ports);
        expectObservable(certificate$, unsub).toBe(certificates, pairs);
        expectSubscriptions(first$.subscriptions).toBe('-^!');
        expectSubscriptions(second$.subscriptions).toBe('2001ms ^!');
        expectSubscriptions(serve$.subscriptions).toBe(['--^!', '2002ms ^!']);
      });
    });

    it('is never loaded twice at a time, through ticks, renewals and another rotation', () => {
      marbles((helpers, scheduler) => {
        const { cold, hot, expectObservable, expectSubscriptions } = helpers;
        const list$ = cold('       -(a|)                               ', listings);
        const connection$ = cold('  o 999ms r 1999ms c                ', frames);
        const mountMoved$ = hot('  1s            m 1999ms m            ');
        const first$ = cold('      7s (v|)', { v: passed('a') });
        const second$ = cold('     7s (v|)', { v: passed('c') });
        const unsub = '            ^ 15s                               !';
        const certificates = '     7003ms a 7001ms c                  ';
        const firstSubs = '        -^ 6999ms !                         ';
        const secondSubs = '       7003ms ^ 6999ms !                   ';
        const readMount = mountAt(helpers, scheduler, { 0: mounts.a, 3_000: mounts.c });
        const leaseWatch = watchPortOf([list$], [connection$]);
        const verify: LoadPorts['verify'] = (_, { hash }) => (hash === 'a' ? first$ : second$);
        const ports = { leaseWatch, mountMoved$, readMount, verify };
        const { certificate$ } = watchingReplica(helpers, scheduler, ports);
        expectObservable(certificate$, unsub).toBe(certificates, pairs);
        expectSubscriptions(first$.subscriptions).toBe(firstSubs);
        expectSubscriptions(second$.subscriptions).toBe(secondSubs);
      });
    });
  });

  describe('6: the watch is closed and nobody starts another', () => {
    it('is resumed at once from the newest version when the server ends it', () => {
      marbles((helpers, scheduler) => {
        const { cold, hot, expectObservable, expectSubscriptions, flush } = helpers;
        const list$ = cold('       -(0|)                 ', listings);
        const first$ = cold('       o-a 96ms |           ', frames);
        const second$ = cold('               o-b        ', frames);
        const mountMoved$ = hot('  50ms m                ');
        const unsub = '            ^ 1s                  !';
        const closed = '           100ms C               ';
        const certificates = '     ------a 98ms b        ';
        const secondSubs = '       100ms ^ 900ms         !';
        const readMount = mountAt(helpers, scheduler, { 0: mounts.a, 50: mounts.b });
        const leaseWatch = watchPortOf([list$], [first$, second$]);
        const { event$, certificate$ } = watchingReplica(helpers, scheduler, { leaseWatch, mountMoved$, readMount });
        expectObservable(event$.pipe(ofType('watch/closed')), unsub).toBe(closed, {
          C: { type: 'watch/closed', reason: 'ended' },
        });
        expectObservable(certificate$, unsub).toBe(certificates, pairs);
        expectSubscriptions(list$.subscriptions).toBe('^!');
        expectSubscriptions(second$.subscriptions).toBe(secondSubs);
        flush();
        expect(leaseWatch.versions).to.deep.equal(['9', '10']);
      });
    });

    it('is resumed after 800 ms when it breaks, and until then the tick GETs the Lease (F8)', () => {
      marbles((helpers, scheduler) => {
        const { cold, hot, expectObservable, expectSubscriptions } = helpers;
        const list$ = cold('       -(a|)                  ', listings);
        const first$ = cold('       o 1098ms #            ', frames, new Problem('connection reset'));
        const second$ = cold('                     o     ', frames);
        const get$ = cold('                 -(g|)        ', { g: leases.b });
        const mountMoved$ = hot('  1700ms        m        ');
        const unsub = '            ^ 3s                   !';
        const failed = '           1100ms F               ';
        const opened = '           -e 1898ms e            ';
        const certificates = '     ----a 1699ms  b        ';
        const getSubs = '          1500ms     ^!          ';
        const readMount = mountAt(helpers, scheduler, { 0: mounts.a, 1_700: mounts.b });
        const leaseWatch = watchPortOf([list$], [first$, second$]);
        const ports = { leaseWatch, mountMoved$, readMount, getLease: () => get$ };
        const { event$, certificate$ } = watchingReplica(helpers, scheduler, ports, { tickMs: 500 });
        expectObservable(event$.pipe(ofType('watch/failed')), unsub).toBe(failed, {
          F: { type: 'watch/failed', status: null, error: 'connection reset', retryInMs: 800 },
        });
        expectObservable(event$.pipe(ofType('watch/established')), unsub).toBe(opened, {
          e: { type: 'watch/established', resourceVersion: '10' },
        });
        expectObservable(certificate$, unsub).toBe(certificates, pairs);
        expectSubscriptions(get$.subscriptions).toBe(getSubs);
      });
    });

    it('begins with a fresh list when its version has become too old', () => {
      marbles((helpers, scheduler) => {
        const { cold, hot, expectObservable, expectSubscriptions, flush } = helpers;
        const list1$ = cold('      -(a|)                 ', listings);
        const first$ = cold('       o 98ms x             ', frames);
        const list2$ = cold('             -(b|)          ', listings);
        const second$ = cold('              o            ', frames);
        const mountMoved$ = hot('  50ms m                ');
        const unsub = '            ^ 1s                  !';
        const certificates = '     ----a 99ms b          ';
        const firstSubs = '        -^ 98ms !             ';
        const list2Subs = '        100ms ^!              ';
        const readMount = mountAt(helpers, scheduler, { 0: mounts.a, 50: mounts.b });
        const leaseWatch = watchPortOf([list1$, list2$], [first$, second$]);
        const { certificate$ } = watchingReplica(helpers, scheduler, { leaseWatch, mountMoved$, readMount });
        expectObservable(certificate$, unsub).toBe(certificates, pairs);
        expectSubscriptions(first$.subscriptions).toBe(firstSubs);
        expectSubscriptions(list2$.subscriptions).toBe(list2Subs);
        flush();
        expect(leaseWatch.versions).to.deep.equal(['10', '11']);
      });
    });

    it('is replaced when it has been silent for too long', () => {
      marbles((helpers, scheduler) => {
        const { cold, hot, expectObservable, expectSubscriptions } = helpers;
        const list1$ = cold('      -(a|)                 ', listings);
        const dead$ = cold('        o                    ', frames);
        const list2$ = cold('             -(b|)          ', listings);
        const mountMoved$ = hot('  60500ms m             ');
        const unsub = '            ^ 61s                 !';
        const certificates = '     ----a 60499ms b       ';
        const deadSubs = '         -^ 59999ms !          ';
        const list2Subs = '        60001ms ^!            ';
        const readMount = mountAt(helpers, scheduler, { 0: mounts.a, 60_500: mounts.b });
        const leaseWatch = watchPortOf([list1$, list2$], [dead$, cold('o', frames)]);
        const { certificate$ } = watchingReplica(helpers, scheduler, { leaseWatch, mountMoved$, readMount });
        expectObservable(certificate$, unsub).toBe(certificates, pairs);
        expectSubscriptions(dead$.subscriptions).toBe(deadSubs);
        expectSubscriptions(list2$.subscriptions).toBe(list2Subs);
      });
    });

    it('costs nothing where the kubelet is quicker: what it mounts asks for the Lease (F7)', () => {
      marbles((helpers, scheduler) => {
        const { cold, hot, expectObservable, expectSubscriptions } = helpers;
        const list$ = cold('       -(a|)                 ', listings);
        const dead$ = cold('        o                    ', frames);
        const get$ = cold('                  -(g|)       ', { g: leases.b });
        const mountMoved$ = hot('  5s       m            ');
        const unsub = '            ^ 10s                 !';
        const certificates = '     ----a 5s      b       ';
        const getSubs = '          5001ms    ^!          ';
        const readMount = mountAt(helpers, scheduler, { 0: mounts.a, 5_000: mounts.b });
        const leaseWatch = watchPortOf([list$], [dead$]);
        const ports = { leaseWatch, mountMoved$, readMount, getLease: () => get$ };
        const { certificate$ } = watchingReplica(helpers, scheduler, ports);
        expectObservable(certificate$, unsub).toBe(certificates, pairs);
        expectSubscriptions(get$.subscriptions).toBe(getSubs);
      });
    });

    it('is not even needed: polling alone serves every rotation at the pace of the tick (F9)', () => {
      marbles((helpers, scheduler) => {
        const { cold, expectObservable } = helpers;
        const list$ = cold('       #', listings, new Problem('leases is forbidden: list', 403));
        const unsub = '            ^ 9s                  !';
        const certificates = '     505ms a 5498ms b      ';
        const getLease = () => defer(() => cold('-(g|)', { g: scheduler.now() < 3_000 ? leases.a : leases.b }));
        const readMount = mountAt(helpers, scheduler, { 0: mounts.a, 5_000: mounts.b });
        const leaseWatch = watchPortOf([list$], [NEVER]);
        const ports = { leaseWatch, mountMoved$: NEVER, readMount, getLease };
        const { certificate$ } = watchingReplica(helpers, scheduler, ports, { kubeletNudge: false });
        expectObservable(certificate$, unsub).toBe(certificates, pairs);
      });
    });
  });

  describe('7: the process is asked to end during a load', () => {
    it('stops verifying, and serves nothing after', () => {
      marbles((helpers, scheduler) => {
        const { cold, expectObservable, expectSubscriptions } = helpers;
        const list$ = cold('       -(a|)           ', listings);
        const verify$ = cold('      100ms (v|)     ', { v: passed('a') });
        const serve$ = cold('             -(s|)    ', { s: undefined });
        const unsub = '            ^ 50ms !        ';
        const verifySubs = '       -^ 49ms !       ';
        const leaseWatch = watchPortOf([list$], [cold('o', frames)]);
        const ports = { leaseWatch, verify: () => verify$, serve: () => serve$ };
        const { event$ } = watchingReplica(helpers, scheduler, ports);
        expectObservable(conclusions(event$), unsub).toBe('');
        expectSubscriptions(verify$.subscriptions).toBe(verifySubs);
        expectSubscriptions(serve$.subscriptions).toBe([]);
      });
    });

    it('stops serving, and shakes no hands after', () => {
      marbles((helpers, scheduler) => {
        const { cold, expectObservable, expectSubscriptions } = helpers;
        const list$ = cold('       -(a|)           ', listings);
        const serve$ = cold('        100ms (s|)    ', { s: undefined });
        const handshake$ = cold('         -(h|)    ', { h: null });
        const unsub = '            ^ 50ms !        ';
        const serveSubs = '        --^ 48ms !      ';
        const leaseWatch = watchPortOf([list$], [cold('o', frames)]);
        const ports = { leaseWatch, serve: () => serve$, handshake: () => handshake$ };
        const { event$ } = watchingReplica(helpers, scheduler, ports);
        expectObservable(conclusions(event$), unsub).toBe('');
        expectSubscriptions(serve$.subscriptions).toBe(serveSubs);
        expectSubscriptions(handshake$.subscriptions).toBe([]);
      });
    });

    it('breaks the handshake off, and tells nothing after', () => {
      marbles((helpers, scheduler) => {
        const { cold, expectObservable, expectSubscriptions } = helpers;
        const list$ = cold('       -(a|)           ', listings);
        const handshake$ = cold('     100ms (h|)   ', { h: null });
        const acknowledge$ = cold(' -|');
        const unsub = '            ^ 50ms !        ';
        const handshakeSubs = '    ---^ 47ms !     ';
        const leaseWatch = watchPortOf([list$], [cold('o', frames)]);
        const ports = { leaseWatch, handshake: () => handshake$, acknowledgeHash: () => acknowledge$ };
        const { event$ } = watchingReplica(helpers, scheduler, ports);
        expectObservable(conclusions(event$), unsub).toBe('');
        expectSubscriptions(handshake$.subscriptions).toBe(handshakeSubs);
        expectSubscriptions(acknowledge$.subscriptions).toBe([]);
      });
    });

    it('does not try again what was going to be tried again', () => {
      marbles((helpers, scheduler) => {
        const { cold, expectObservable, expectSubscriptions } = helpers;
        const list$ = cold('       -(a|)           ', listings);
        const verify$ = cold('      -(v|)', {
          v: { ok: false, reason: 'not-yet-valid', retryable: true } as PairCheck,
        });
        const unsub = '            ^ 500ms !       ';
        const concluded = '        --r             ';
        const leaseWatch = watchPortOf([list$], [cold('o', frames)]);
        const { event$ } = watchingReplica(helpers, scheduler, { leaseWatch, verify: () => verify$ });
        expectObservable(conclusions(event$), unsub).toBe(concluded, {
          r: { type: 'certificate/concluded', load: loads.rejected('a', 'not-yet-valid', true), elapsedMs: 1 },
        });
        expectSubscriptions(verify$.subscriptions).toBe('-^!');
      });
    });

    it('leaves nothing open: watch, GET, directory, reading, annotation and deadline end with the load', () => {
      marbles((helpers, scheduler) => {
        const { cold, hot, expectObservable, expectSubscriptions } = helpers;
        const list$ = cold('       -(a|)            ', listings);
        const connection$ = cold('  o 39ms b        ', frames);
        const get$ = cold('        100ms (g|)       ', { g: leases.b });
        const mountMoved$ = hot('  9ms m 29ms m     ');
        const write$ = cold('      100ms |          ');
        const unsub = '            ^ 50ms         ! ';
        const watchSubs = '        -^ 49ms        ! ';
        const getSubs = '          10ms ^ 40ms    ! ';
        const readSubs = '         39ms ^ 11ms    ! ';
        const nudgeSubs = '        41ms ^ 9ms     ! ';
        const read$ = cold('       100ms (r|)       ', { r: mounts.c });
        const quick = mountAt(helpers, scheduler, { 0: mounts.a, 9: mounts.c });
        const readMount = () => (scheduler.now() < 39 ? quick() : read$);
        const leaseWatch = watchPortOf([list$], [connection$]);
        const ports = { leaseWatch, mountMoved$, readMount, getLease: () => get$, expectHash: () => write$ };
        const { event$ } = watchingReplica(helpers, scheduler, ports, { certTimeoutMs: 180 });
        expectObservable(event$.pipe(ofType('certificate/timed-out')), unsub).toBe('');
        expectSubscriptions(connection$.subscriptions).toBe(watchSubs);
        expectSubscriptions(get$.subscriptions).toBe(getSubs);
        expectSubscriptions(mountMoved$.subscriptions).toBe(unsub);
        expectSubscriptions(read$.subscriptions).toBe(readSubs);
        expectSubscriptions(write$.subscriptions).toBe(nudgeSubs);
      });
    });
  });
});
