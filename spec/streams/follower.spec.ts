import { expect } from 'chai';
import { filter, map, NEVER, type Observable, of, share, shareReplay } from 'rxjs';
import type { RunHelpers, TestScheduler } from 'rxjs/testing';
import {
  type Follower,
  follower,
  type FollowerEvent,
  type FollowerPolicy,
  type FollowerPorts,
} from '../../streams/follower.ts';
import type { PairCheck } from '../../streams/load-certificate.ts';
import type { LeaseSnapshot, NotShown, VolumeSnapshot } from '../../streams/model.ts';
import { Problem } from '../../streams/problem.ts';
import type { Readiness, UnreadyReason } from '../../streams/readiness.ts';
import { factsOf } from '../support/facts-of.ts';
import { followerPorts } from '../support/follower-ports.ts';
import { inTurn } from '../support/in-turn.ts';
import { leaseOf } from '../support/lease-of.ts';
import { loads, shownInstead } from '../support/loads.ts';
import { marbles } from '../support/marbles.ts';
import { mountAt } from '../support/mount-at.ts';
import { ofType } from '../support/of-type.ts';
import { pairOf } from '../support/pair-of.ts';
import { readingOf } from '../support/reading-of.ts';

describe('follower', () => {
  const leases: Record<string, LeaseSnapshot | null> = {
    a: leaseOf('a'),
    r: leaseOf('a', { resourceVersion: '2', renewTime: 'later', holder: 'pod-2' }),
    b: leaseOf('b'),
    c: leaseOf('c'),
    x: null,
    m: leaseOf(null, { malformed: 'cert-hash is no SHA-256' }),
  };
  const mounts = { a: readingOf('a'), b: readingOf('b'), c: readingOf('c') };
  const ready = (hash: string): Readiness => ({ ready: true, reasons: [], served: pairOf(hash) });
  const waits = (reason: UnreadyReason): Readiness => ({ ready: false, reasons: [reason], served: null });

  interface Given {
    readonly lease$: Observable<LeaseSnapshot | null>;
    readonly tick$?: Observable<unknown>;
    readonly ports?: Partial<FollowerPorts>;
    readonly policy?: Partial<FollowerPolicy>;
  }
  /** Its events are shared, so that a spec can look at several types of them. */
  const follow = (helpers: RunHelpers, scheduler: TestScheduler, given: Given): Follower => {
    const { lease$, tick$ = NEVER, ports = {}, policy = {} } = given;
    const streams = follower({ lease$, tick$ }, followerPorts(helpers, scheduler, ports), {
      certTimeoutMs: null,
      kubeletNudge: true,
      reviewEveryMs: null,
      ...policy,
    });
    return { ...streams, event$: streams.event$.pipe(share()) };
  };
  const concluded = (load: Extract<FollowerEvent, { type: 'certificate/concluded' }>['load'], elapsedMs: number) => ({
    type: 'certificate/concluded' as const,
    load,
    elapsedMs,
  });
  /** What is mounted is good, and this is what a handshake shows. */
  const loading = (handshake: FollowerPorts['handshake']) => ({
    verify: () => of<PairCheck>({ ok: true, pair: pairOf('a') }),
    serve: () => of(undefined),
    handshake,
  });
  const changed = (now: Readiness): FollowerEvent => ({ type: 'readiness/changed', readiness: now });

  describe('beside a server that terminates TLS itself', () => {
    it('acknowledges what its handshakes have shown, looks at each tick, and takes back what is no longer shown', () => {
      marbles((helpers, scheduler) => {
        const { hot, cold, expectObservable } = helpers;
        const lease$ = hot('--a', leases);
        const see = (shown: NotShown | null) => cold<NotShown | null>('-(h|)', { h: shown });
        const refused = { ...shownInstead, refused: 'unknown CA' };
        const gone = { ...shownInstead, kind: 'neighbour-unreachable', shown: null } as const;
        const seen = () => {
          const nowMs = scheduler.now();
          if (nowMs < 50 || (nowMs >= 3_000 && nowMs < 8_000)) return shownInstead;
          return nowMs < 3_000 ? null : nowMs < 12_000 ? gone : refused;
        };
        const ports = loading(() => see(seen()));
        const { event$ } = follow(helpers, scheduler, { lease$, ports, policy: { reviewEveryMs: 1_000 } });
        const told$ = event$.pipe(
          filter(({ type }) => type === 'replica/acknowledged' || type === 'replica/withdrawn'),
        );
        // Not shown at first; shown after 100 ms; from 3 s on another one, which must last; not reachable, which takes nothing
        // back; and then one that callers refuse.
        expectObservable(told$, '^ 15s !').toBe('105ms a 6604ms z 6002ms w', {
          a: { type: 'replica/acknowledged', hash: 'a' },
          z: { type: 'replica/acknowledged', hash: 'z' },
          w: { type: 'replica/withdrawn' },
        });
      });
    });
  });

  describe('discovers, verifies and serves', () => {
    it('what is announced, and acknowledges it only once a handshake has verified it (F10)', () => {
      marbles((helpers, scheduler) => {
        const { hot, cold, expectObservable } = helpers;
        const lease$ = hot('    --a------', leases);
        const verify = () => of<PairCheck>({ ok: true, pair: pairOf('a') });
        const handshake$ = inTurn(cold<string | null>('-(h|)', { h: 'unknown CA' }), cold('-(h|)', { h: null }));
        const ports = { verify, serve: () => of(undefined), handshake: () => handshake$ };
        const { event$ } = follow(helpers, scheduler, { lease$, ports });
        expectObservable(event$.pipe(ofType('replica/acknowledged')), '^ 1s !').toBe('----- 800ms k', {
          k: { type: 'replica/acknowledged', hash: 'a' },
        });
      });
    });

    it('what is announced and mounted, says how long it took, and acknowledges it', () => {
      marbles((helpers, scheduler) => {
        const { hot, cold, expectObservable, expectSubscriptions } = helpers;
        const lease$ = hot('    --a------', leases);
        const verify$ = cold('    -(v|)', { v: { ok: true, pair: pairOf('a') } as PairCheck });
        const serve$ = cold('      -(s|)', { s: undefined });
        const handshake$ = cold('   -(h|)', { h: null });
        const unsub = '         ^--------!';
        const wanted = '        -xy------';
        const conclusions = '   -n---s---';
        const readiness = '     -n---r---';
        const pod = '           ------k--';
        const ports = { verify: () => verify$, serve: () => serve$, handshake: () => handshake$ };
        const { event$ } = follow(helpers, scheduler, { lease$, ports });
        expectObservable(event$.pipe(ofType('desired/changed')), unsub).toBe(wanted, {
          x: { type: 'desired/changed', desired: { lease: null, mounted: mounts.a }, elapsedMs: 0 },
          y: { type: 'desired/changed', desired: { lease: leases['a'], mounted: mounts.a }, elapsedMs: 1 },
        });
        expectObservable(event$.pipe(ofType('certificate/concluded')), unsub).toBe(conclusions, {
          n: concluded(loads.unannounced(), 0),
          s: concluded(loads.served('a'), 4),
        });
        expectObservable(event$.pipe(ofType('readiness/changed')), unsub).toBe(readiness, {
          n: changed(waits('no-announcement')),
          r: changed(ready('a')),
        });
        expectObservable(event$.pipe(ofType('replica/acknowledged')), unsub).toBe(pod, {
          k: { type: 'replica/acknowledged', hash: 'a' },
        });
        expectSubscriptions(lease$.subscriptions).toBe(unsub);
        expectSubscriptions(verify$.subscriptions).toBe('   --^!');
        expectSubscriptions(serve$.subscriptions).toBe('    ---^!');
        expectSubscriptions(handshake$.subscriptions).toBe('----^!');
      });
    });

    it('each rotation, going on with the old certificate until the kubelet has delivered the new one', () => {
      marbles((helpers, scheduler) => {
        const { hot, expectObservable, expectSubscriptions } = helpers;
        const lease$ = hot('      a 9ms     b             ', leases);
        const mountMoved$ = hot(' 20ms                m   ');
        const unsub = '           ^ 99ms                 !';
        const conclusions = '     ----a----- m 13ms     b ';
        const readiness = '       ----a 19ms            b ';
        const acknowledged = '    -----a 19ms            b';
        const nudged = '          11ms       n            ';
        const readMount = mountAt(helpers, scheduler, { 0: mounts.a, 20: mounts.b });
        const { event$, certificate$ } = follow(helpers, scheduler, { lease$, ports: { mountMoved$, readMount } });
        expectObservable(event$.pipe(ofType('certificate/concluded')), unsub).toBe(conclusions, {
          a: concluded(loads.served('a'), 3),
          m: concluded(loads.mismatched('b', 'a'), 0),
          b: concluded(loads.served('b'), 14),
        });
        expectObservable(event$.pipe(ofType('readiness/changed')), unsub).toBe(readiness, {
          a: changed(ready('a')),
          b: changed(ready('b')),
        });
        expectObservable(certificate$, unsub).toBe(readiness, { a: pairOf('a'), b: pairOf('b') });
        expectObservable(event$.pipe(ofType('replica/acknowledged')), unsub).toBe(acknowledged, {
          a: { type: 'replica/acknowledged', hash: 'a' },
          b: { type: 'replica/acknowledged', hash: 'b' },
        });
        expectObservable(event$.pipe(ofType('kubelet/nudged')), unsub).toBe(nudged, {
          n: { type: 'kubelet/nudged', hash: 'b' },
        });
        expectSubscriptions(mountMoved$.subscriptions).toBe([unsub]);
      });
    });

    it('another key under the same certificate', () => {
      marbles((helpers, scheduler) => {
        const { hot, expectObservable } = helpers;
        const lease$ = hot('      a            ', leases);
        const mountMoved$ = hot(' ----------m  ');
        const unsub = '           ^ 30ms        !';
        const certificates = '    ----a 9ms   k';
        const other = readingOf('a', { generation: 'other-key' });
        const readMount = mountAt(helpers, scheduler, { 0: mounts.a, 10: other });
        const { certificate$ } = follow(helpers, scheduler, { lease$, ports: { mountMoved$, readMount } });
        expectObservable(certificate$, unsub).toBe(certificates, {
          a: pairOf('a'),
          k: pairOf('a', { generation: 'other-key' }),
        });
      });
    });

    it('once: neither renewals of the Lease nor readings of the same mount load again', () => {
      marbles((helpers, scheduler) => {
        const { hot, cold, expectObservable, expectSubscriptions } = helpers;
        const lease$ = hot('   a-----r---r---r---r', leases);
        const tick$ = hot('    ----t---t---t---t--');
        const verify$ = cold('  -(v|)', { v: { ok: true, pair: pairOf('a') } as PairCheck });
        const unsub = '        ^------------------!';
        const conclusions = '  ----a--------------';
        const { event$ } = follow(helpers, scheduler, { lease$, tick$, ports: { verify: () => verify$ } });
        expectObservable(event$.pipe(ofType('certificate/concluded')), unsub).toBe(conclusions, {
          a: concluded(loads.served('a'), 3),
        });
        expectSubscriptions(verify$.subscriptions).toBe('-^!');
      });
    });

    it('goes on serving when the announcement disappears or becomes unreadable', () => {
      marbles((helpers, scheduler) => {
        const { hot, expectObservable } = helpers;
        const lease$ = hot('   a--------x---m---', leases);
        const unsub = '        ^----------------!';
        const conclusions = '  ----a----x---m---';
        const readiness = '    ----a------------';
        const { event$, readiness$ } = follow(helpers, scheduler, { lease$ });
        expectObservable(event$.pipe(ofType('certificate/concluded')), unsub).toBe(conclusions, {
          a: concluded(loads.served('a'), 3),
          x: concluded(loads.unannounced(), 0),
          m: concluded(loads.unannounced('cert-hash is no SHA-256'), 0),
        });
        expectObservable(readiness$, unsub).toBe(readiness, { a: ready('a') });
      });
    });
  });

  describe('tells', () => {
    it('causes before effects, in one instant too', () => {
      marbles((helpers, scheduler) => {
        const { hot, flush } = helpers;
        const told: string[] = [];
        const { event$ } = follow(helpers, scheduler, { lease$: hot('a', leases) });
        const subscription = event$.subscribe(({ type }) => told.push(type));
        flush();
        subscription.unsubscribe();
        expect(told).to.deep.equal([
          'desired/changed',
          'certificate/concluded',
          'readiness/changed',
          'replica/acknowledged',
        ]);
      });
    });

    it('how long ago the hash was first seen: the announced one, else the mounted one, else none', () => {
      marbles((helpers, scheduler) => {
        const { hot, expectObservable } = helpers;
        const lease$ = hot('     x----b----x----', leases);
        const mountMoved$ = hot('------------m--m', leases);
        const unsub = '          ^-----------------!';
        const wanted = '         -s---b----x--e--a ';
        const readMount = mountAt(helpers, scheduler, { 0: mounts.a, 12: readingOf(null), 15: mounts.a });
        const { event$ } = follow(helpers, scheduler, { lease$, ports: { mountMoved$, readMount } });
        const told = (lease: LeaseSnapshot | null, mounted: VolumeSnapshot, elapsedMs: number): FollowerEvent => ({
          type: 'desired/changed',
          desired: { lease, mounted },
          elapsedMs,
        });
        expectObservable(event$.pipe(ofType('desired/changed')), unsub).toBe(wanted, {
          s: told(null, mounts.a, 0),
          b: told(leases['b'] ?? null, mounts.a, 0),
          x: told(null, mounts.a, 9),
          e: told(null, readingOf(null), 0),
          a: told(null, mounts.a, 15),
        });
      });
    });

    it('at each tick what it wants, once it has read the mount', () => {
      marbles((helpers, scheduler) => {
        const { hot, expectObservable, expectSubscriptions } = helpers;
        const lease$ = hot('  --a-----b----', leases);
        const tick$ = hot('   t----t----t--');
        const unsub = '       ^------------!';
        const checked = '     -----a----b--';
        const { event$ } = follow(helpers, scheduler, { lease$, tick$ });
        expectObservable(event$.pipe(ofType('tick/checked')), unsub).toBe(checked, {
          a: { type: 'tick/checked', desired: { lease: leases['a'], mounted: mounts.a } },
          b: { type: 'tick/checked', desired: { lease: leases['b'], mounted: mounts.a } },
        });
        expectSubscriptions(tick$.subscriptions).toBe([unsub, unsub, unsub]);
      });
    });

    it('that no certificate was served in time, and why', () => {
      marbles((helpers, scheduler) => {
        const { hot, expectObservable } = helpers;
        const lease$ = hot('  b              ', leases);
        const unsub = '       ^ 300ms        !';
        const timedOut = '    180ms T        ';
        const { event$ } = follow(helpers, scheduler, { lease$, policy: { certTimeoutMs: 180 } });
        expectObservable(event$.pipe(ofType('certificate/timed-out')), unsub).toBe(timedOut, {
          T: { type: 'certificate/timed-out', timeoutMs: 180, reason: 'hash-mismatch' },
        });
      });
    });

    it('nothing of a deadline that was met', () => {
      marbles((helpers, scheduler) => {
        const { hot, expectObservable } = helpers;
        const { event$ } = follow(helpers, scheduler, { lease$: hot('a', leases), policy: { certTimeoutMs: 180 } });
        expectObservable(event$.pipe(ofType('certificate/timed-out')), '^ 300ms !').toBe('');
      });
    });

    it('nothing of a deadline while only another server does not show what is there', () => {
      marbles((helpers, scheduler) => {
        const { hot, expectObservable } = helpers;
        const ports = loading(() => of({ ...shownInstead, kind: 'neighbour-unreachable', shown: null }));
        const policy = { certTimeoutMs: 5_000, reviewEveryMs: 1_000 };
        const { event$ } = follow(helpers, scheduler, { lease$: hot('a', leases), ports, policy });
        expectObservable(event$.pipe(ofType('certificate/timed-out')), '^ 9s !').toBe('');
      });
    });

    it('each time that callers would refuse what it serves, for the same reason too', () => {
      marbles((helpers, scheduler) => {
        const { hot, expectObservable } = helpers;
        const ports = loading(() => of('unknown CA'));
        const { event$ } = follow(helpers, scheduler, { lease$: hot('a', leases), ports });
        const told$ = event$.pipe(
          ofType('certificate/concluded'),
          filter(({ load }) => load.type === 'certificate/served'),
          map(({ load }) => load.type === 'certificate/served' && load.untrusted),
        );
        expectObservable(told$, '^ 3s !').toBe('-u 799ms u 1599ms u', { u: 'unknown CA' });
      });
    });

    it('whoever asks later what is served, from the same one pipeline', () => {
      marbles((helpers, scheduler) => {
        const { hot, expectObservable, expectSubscriptions } = helpers;
        const lease$ = hot('  a--------', leases);
        const unsub = '       ^--------!';
        const late = '        ------^--!';
        const { event$, readiness$, certificate$ } = follow(helpers, scheduler, { lease$ });
        expectObservable(event$.pipe(ofType('readiness/changed')), unsub).toBe('----a', { a: changed(ready('a')) });
        expectObservable(readiness$, late).toBe('------a', { a: ready('a') });
        expectObservable(certificate$, late).toBe('------a', { a: pairOf('a') });
        expectSubscriptions(lease$.subscriptions).toBe([unsub]);
      });
    });
  });

  describe('serves only what agrees (F1)', () => {
    it('never serves what is announced and not mounted, or mounted and not announced', () => {
      marbles((helpers, scheduler) => {
        const { hot, cold, expectObservable, expectSubscriptions } = helpers;
        const lease$ = hot('      b------c----', leases);
        const mountMoved$ = hot(' ----m-------');
        const serve$ = cold('     -(s|)', { s: undefined });
        const verify$ = cold('    -(n|)', { n: null });
        const unsub = '           ^-----------!';
        const conclusions = '     -x-----z----';
        const readMount = mountAt(helpers, scheduler, { 0: mounts.a, 4: mounts.b });
        const ports = { mountMoved$, readMount, verify: () => verify$, serve: () => serve$ };
        const { event$ } = follow(helpers, scheduler, { lease$, ports });
        expectObservable(event$.pipe(ofType('certificate/concluded')), unsub).toBe(conclusions, {
          x: concluded(loads.mismatched('b', 'a'), 0),
          z: concluded(loads.mismatched('c', 'b'), 0),
        });
        expectSubscriptions(verify$.subscriptions).toBe('-----^!');
        expectSubscriptions(serve$.subscriptions).toBe([]);
      });
    });
  });

  describe('keeps the last good pair (F4)', () => {
    const reject: PairCheck = { ok: false, reason: 'pair-mismatch', retryable: false };

    it('serves it while the next one is bad, and says so once', () => {
      marbles((helpers, scheduler) => {
        const { hot, cold, expectObservable, expectSubscriptions } = helpers;
        const lease$ = hot('      a 9ms     b              ', leases);
        const mountMoved$ = hot(' 20ms                m    ');
        const tick$ = hot('       ------t-------t----t---t-');
        const serve$ = cold('     -(s|)', { s: undefined });
        const unsub = '           ^ 99ms                  !';
        const conclusions = '     ----a-----m 11ms      r  ';
        const readMount = mountAt(helpers, scheduler, { 0: mounts.a, 20: mounts.b });
        const verify: FollowerPorts['verify'] = (_, { hash }) =>
          cold('-(v|)', { v: hash === 'b' ? reject : { ok: true, pair: pairOf(hash) } });
        const ports = { mountMoved$, readMount, verify, serve: () => serve$ };
        const { event$, readiness$ } = follow(helpers, scheduler, { lease$, tick$, ports });
        expectObservable(event$.pipe(ofType('certificate/concluded')), unsub).toBe(conclusions, {
          a: concluded(loads.served('a'), 3),
          m: concluded(loads.mismatched('b', 'a'), 0),
          r: concluded(loads.rejected('b', 'pair-mismatch'), 12),
        });
        expectObservable(readiness$, unsub).toBe('----a', { a: ready('a') });
        expectSubscriptions(serve$.subscriptions).toBe('--^!');
      });
    });

    it('serves it while the mount can no longer be read, and says so once', () => {
      marbles((helpers, scheduler) => {
        const { hot, expectObservable } = helpers;
        const lease$ = hot('    a                 ', leases);
        const tick$ = hot('     ------t---t---t---');
        const unsub = '         ^-----------------!';
        const conclusions = '   ----a------r------';
        const readiness = '     ----a-------------';
        const torn = readingOf(null, { generation: 'torn', problem: 'torn' });
        const readMount = mountAt(helpers, scheduler, { 0: mounts.a, 9: torn });
        const { event$, readiness$ } = follow(helpers, scheduler, { lease$, tick$, ports: { readMount } });
        expectObservable(event$.pipe(ofType('certificate/concluded')), unsub).toBe(conclusions, {
          a: concluded(loads.served('a'), 3),
          r: concluded(loads.rejected('a', 'torn'), 10),
        });
        expectObservable(readiness$, unsub).toBe(readiness, { a: ready('a') });
      });
    });

    it('until it expires, which a tick notices (F6)', () => {
      marbles((helpers, scheduler) => {
        const { hot, cold, expectObservable } = helpers;
        const short = pairOf('a', { leaf: factsOf('leaf', { notAfterMs: 10 }) });
        const lease$ = hot('    a             ', leases);
        const tick$ = hot('     ------t-----t-');
        const unsub = '         ^-------------!';
        const readiness = '     ----a-------x-';
        const verify = () => cold('-(v|)', { v: { ok: true, pair: short } as PairCheck });
        const { readiness$ } = follow(helpers, scheduler, { lease$, tick$, ports: { verify } });
        expectObservable(readiness$, unsub).toBe(readiness, {
          a: { ready: true, reasons: [], served: short },
          x: { ready: false, reasons: ['certificate-expired'], served: short },
        });
      });
    });
  });

  describe('tries again what time can mend (F8)', () => {
    const early: PairCheck = { ok: false, reason: 'not-yet-valid', retryable: true };
    const good: PairCheck = { ok: true, pair: pairOf('a') };

    it('after 800 ms, 1.6 s … as long as nothing newer is wanted', () => {
      marbles((helpers, scheduler) => {
        const { hot, cold, expectObservable } = helpers;
        const lease$ = hot('    a                      ', leases);
        const unsub = '         ^ 3s                   !';
        const conclusions = '   --r 800ms q 1602ms s   ';
        const verify$ = inTurn<PairCheck>(
          cold('-(v|)', { v: early }),
          cold('-(v|)', { v: early }),
          cold('-(v|)', { v: good }),
        );
        const { event$ } = follow(helpers, scheduler, { lease$, ports: { verify: () => verify$ } });
        expectObservable(event$.pipe(ofType('certificate/concluded')), unsub).toBe(conclusions, {
          r: concluded(loads.rejected('a', 'not-yet-valid', true), 1),
          q: concluded(loads.rejected('a', 'not-yet-valid', true), 802),
          s: concluded(loads.served('a'), 2_405),
        });
      });
    });

    it('turns to what is newer without waiting', () => {
      marbles((helpers, scheduler) => {
        const { hot, cold, expectObservable } = helpers;
        const lease$ = hot('      a  99ms b   ', leases);
        const mountMoved$ = hot(' 100ms   m   ');
        const unsub = '           ^ 3s        !';
        const conclusions = '     --r 97ms m---s ';
        const readMount = mountAt(helpers, scheduler, { 0: mounts.a, 100: mounts.b });
        const verify: FollowerPorts['verify'] = (_, { hash }) =>
          cold('-(v|)', { v: hash === 'a' ? early : { ok: true, pair: pairOf(hash) } });
        const { event$ } = follow(helpers, scheduler, { lease$, ports: { mountMoved$, readMount, verify } });
        expectObservable(event$.pipe(ofType('certificate/concluded')), unsub).toBe(conclusions, {
          r: concluded(loads.rejected('a', 'not-yet-valid', true), 1),
          m: concluded(loads.mismatched('b', 'a'), 0),
          s: concluded(loads.served('b'), 4),
        });
      });
    });

    it('serves again what the handshake found untrusted, until it is trusted', () => {
      marbles((helpers, scheduler) => {
        const { hot, cold, expectObservable, expectSubscriptions } = helpers;
        const lease$ = hot('    a                ', leases);
        const bad$ = cold('        -(h|)', { h: 'no chain' });
        const fine$ = cold('       -(h|)', { h: null });
        const unsub = '         ^ 3s             !';
        const readiness = '     ----u 802ms r    ';
        const handshake$ = inTurn(bad$, fine$);
        const { readiness$ } = follow(helpers, scheduler, { lease$, ports: { handshake: () => handshake$ } });
        expectObservable(readiness$, unsub).toBe(readiness, {
          u: { ready: false, reasons: ['untrusted'], served: pairOf('a') },
          r: { ready: true, reasons: [], served: pairOf('a') },
        });
        expectSubscriptions(fine$.subscriptions).toBe('806ms ^!');
      });
    });

    it('does not try again what only another certificate can mend', () => {
      marbles((helpers, scheduler) => {
        const { hot, cold, expectObservable, expectSubscriptions } = helpers;
        const verify$ = cold('-(v|)', { v: { ok: false, reason: 'expired', retryable: false } as PairCheck });
        const { event$ } = follow(helpers, scheduler, { lease$: hot('a', leases), ports: { verify: () => verify$ } });
        expectObservable(event$.pipe(ofType('certificate/concluded')), '^ 60s !').toBe('--r', {
          r: concluded(loads.rejected('a', 'expired'), 1),
        });
        expectSubscriptions(verify$.subscriptions).toBe('-^!');
      });
    });
  });

  describe('lets either side ask the other (F7)', () => {
    it('nudges the kubelet for an announcement that is not mounted, until it is', () => {
      marbles((helpers, scheduler) => {
        const { hot, cold, expectObservable, expectSubscriptions } = helpers;
        const lease$ = hot('      b                        ', leases);
        const mountMoved$ = hot(' 3s                   m   ');
        const expect$ = cold('    -|');
        const unsub = '           ^ 20s                    !';
        const nudged = '          --n 2s n                 ';
        const nudges = ['         -^!', '           2002ms ^!'];
        const readMount = mountAt(helpers, scheduler, { 0: mounts.a, 3_000: mounts.b });
        const ports = { mountMoved$, readMount, expectHash: () => expect$ };
        const { event$ } = follow(helpers, scheduler, { lease$, ports });
        expectObservable(event$.pipe(ofType('kubelet/nudged')), unsub).toBe(nudged, {
          n: { type: 'kubelet/nudged', hash: 'b' },
        });
        expectSubscriptions(expect$.subscriptions).toBe(nudges);
      });
    });

    it('asks for the Lease when something is mounted that nobody has announced, and does not nudge', () => {
      marbles((helpers, scheduler) => {
        const { hot, cold, expectObservable, expectSubscriptions } = helpers;
        const lease$ = hot('      a 4999ms            b    ', leases).pipe(
          shareReplay({ bufferSize: 1, refCount: true }),
        );
        const mountMoved$ = hot(' 10ms m                   ');
        const expect$ = cold('    -|');
        const unsub = '           ^ 20s                    !';
        const asked = '           11ms  q 1999ms q         ';
        const conclusions = '     ----a 6ms m 4991ms b     ';
        const readMount = mountAt(helpers, scheduler, { 0: mounts.a, 10: mounts.b });
        const ports = { mountMoved$, readMount, expectHash: () => expect$ };
        const { event$, unannounced$ } = follow(helpers, scheduler, { lease$, ports });
        expectObservable(event$.pipe(ofType('certificate/concluded')), unsub).toBe(conclusions, {
          a: concluded(loads.served('a'), 3),
          m: concluded(loads.mismatched('a', 'b'), 10),
          b: concluded(loads.served('b'), 4_992),
        });
        expectObservable(unannounced$, unsub).toBe(asked, { q: 'asked' });
        expectSubscriptions(expect$.subscriptions).toBe([]);
      });
    });
  });

  describe('without the right to annotate its Pod', () => {
    it('goes on as before, and says so once', () => {
      marbles((helpers, scheduler) => {
        const { hot, cold, expectObservable, expectSubscriptions } = helpers;
        const lease$ = hot('      b---------', leases);
        const tick$ = hot('       ----t-----');
        const expect$ = cold('    -#', undefined, new Problem('pods/status is forbidden', 403));
        const acknowledge$ = cold('-|');
        const unsub = '           ^---------!';
        const forbidden = '       --X-------';
        const readiness = '       -m------b-';
        const readMount = mountAt(helpers, scheduler, { 0: mounts.a, 4: mounts.b });
        const ports = { readMount, expectHash: () => expect$, acknowledgeHash: () => acknowledge$ };
        const { event$, readiness$ } = follow(helpers, scheduler, { lease$, tick$, ports });
        expectObservable(event$.pipe(ofType('pod/forbidden')), unsub).toBe(forbidden, {
          X: { type: 'pod/forbidden', error: 'pods/status is forbidden' },
        });
        expectObservable(readiness$, unsub).toBe(readiness, { m: waits('hash-mismatch'), b: ready('b') });
        expectSubscriptions(acknowledge$.subscriptions).toBe([]);
      });
    });

    it('does not even try when KUBELET_NUDGE is false', () => {
      marbles((helpers, scheduler) => {
        const { hot, cold, expectObservable, expectSubscriptions } = helpers;
        const write$ = cold('-|');
        const ports = { expectHash: () => write$, acknowledgeHash: () => write$ };
        const policy = { kubeletNudge: false };
        const { readiness$, event$ } = follow(helpers, scheduler, { lease$: hot('a----b--', leases), ports, policy });
        expectObservable(event$.pipe(ofType('readiness/changed')), '^-------!').toBe('----a', {
          a: changed(ready('a')),
        });
        expectObservable(readiness$, '^-------!').toBe('----a', { a: ready('a') });
        expectSubscriptions(write$.subscriptions).toBe([]);
      });
    });
  });

  it('needs no inotify: with the tick alone it serves every rotation within a tick (F9)', () => {
    marbles((helpers, scheduler) => {
      const { hot, expectObservable } = helpers;
      const lease$ = hot('       a----b--------c-----------', leases);
      const tick$ = hot('        --------t-------t-------t-');
      const unsub = '            ^-------------------------!';
      const certificates = '     ----a-------b-------c-----';
      const readMount = mountAt(helpers, scheduler, { 0: mounts.a, 6: mounts.b, 15: mounts.c });
      const { certificate$ } = follow(helpers, scheduler, { lease$, tick$, ports: { mountMoved$: NEVER, readMount } });
      expectObservable(certificate$, unsub).toBe(certificates, { a: pairOf('a'), b: pairOf('b'), c: pairOf('c') });
    });
  });

  it('lets everything go with its subscriber', () => {
    marbles((helpers, scheduler) => {
      const { hot, cold, expectObservable, expectSubscriptions } = helpers;
      const lease$ = hot('      a------', leases);
      const tick$ = hot('       ---t---');
      const mountMoved$ = hot(' ----m--');
      const read$ = cold('      -(r|)', { r: mounts.a });
      const verify$ = cold('    -------(v|)', { v: null });
      const unsub = '           ^-----!';
      const { event$ } = follow(helpers, scheduler, {
        lease$,
        tick$,
        ports: { mountMoved$, readMount: () => read$, verify: () => verify$ },
      });
      expectObservable(event$.pipe(ofType('certificate/concluded')), unsub).toBe('');
      expectSubscriptions(lease$.subscriptions).toBe(unsub);
      expectSubscriptions(tick$.subscriptions).toBe([unsub, unsub, unsub]);
      expectSubscriptions(mountMoved$.subscriptions).toBe(unsub);
      expectSubscriptions(read$.subscriptions).toBe(['^!', '---^!', '----^!']);
      expectSubscriptions(verify$.subscriptions).toBe('-^----!');
    });
  });
});
