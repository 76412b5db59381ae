import type { TestScheduler } from 'rxjs/testing';
import type { Clock } from '../../streams/clock.ts';
import type { LoadEvent, Swapped } from '../../streams/load-certificate.ts';
import type { VerifiedPair } from '../../streams/model.ts';
import { type Readiness, readiness, type UnreadyReason } from '../../streams/readiness.ts';
import { factsOf } from '../support/facts-of.ts';
import { loads } from '../support/loads.ts';
import { marbles } from '../support/marbles.ts';
import { pairOf } from '../support/pair-of.ts';
import { virtualClock } from '../support/virtual-clock.ts';

type Occasion = LoadEvent | Swapped | { readonly type: 'tick' };

describe('readiness', () => {
  const tick = { type: 'tick' } as const;
  const waitsFor = (reason: UnreadyReason): Readiness => ({ ready: false, reasons: [reason], served: null });
  const ready = (served: VerifiedPair): Readiness => ({ ready: true, reasons: [], served });
  const unready = (served: VerifiedPair, ...reasons: UnreadyReason[]): Readiness => ({ ready: false, reasons, served });
  const served = (pair: VerifiedPair, untrusted: string | null = null): LoadEvent => ({
    type: 'certificate/served',
    pair,
    untrusted,
  });
  const a = pairOf('a');
  const b = pairOf('b');

  describe('beside a server that terminates TLS itself', () => {
    const ELSEWHERE = 'served-elsewhere: neighbour shows z';
    const z = pairOf('z');
    const unreachable = { kind: 'neighbour-unreachable', detail: 'nothing listens', shown: null } as const;

    it('is what that one shows: ready with an earlier certificate, not ready once callers refuse it or it has ended', () => {
      marbles(({ hot, expectObservable }, scheduler) => {
        const occasion$ = hot<Occasion>('-x-y-z-s 3599992ms t', {
          x: loads.notShown('a', { shown: z }),
          y: loads.notShown('a', { shown: z, refused: 'unknown CA' }),
          z: loads.notShown('a', { shown: z }),
          s: loads.notShown('b', { shown: z }),
          t: tick,
        });
        const expected = '               -r-n-r 3599994ms e';
        expectObservable(occasion$.pipe(readiness(virtualClock(scheduler)))).toBe(expected, {
          r: ready(z),
          n: unready(z, ELSEWHERE),
          e: unready(z, 'certificate-expired'),
        });
      });
    });

    it('says why nothing could be seen, and is ready again once the announced certificate is shown', () => {
      marbles(({ hot, expectObservable }, scheduler) => {
        const occasion$ = hot<Occasion>('-u-a-v', {
          u: loads.notShown('a', unreachable),
          a: served(a),
          v: served(a, 'x'),
        });
        const expected = '               -n-r-v';
        expectObservable(occasion$.pipe(readiness(virtualClock(scheduler)))).toBe(expected, {
          n: waitsFor('neighbour-unreachable: nothing listens'),
          r: ready(a),
          v: unready(a, 'untrusted'),
        });
      });
    });
  });

  describe('before anything is served', () => {
    it('says what it waits for', () => {
      marbles(({ hot, expectObservable, expectSubscriptions }, scheduler) => {
        const occasion$ = hot<Occasion>('-t-u-m-r-x-|', {
          t: tick,
          u: loads.unmounted('a'),
          m: loads.mismatched('a', 'b'),
          r: loads.rejected('a', 'expired: since yesterday'),
          x: loads.unannounced(),
        });
        const subs = '                   ^----------!';
        const expected = '               -n-f-m-r-n-|';
        expectObservable(occasion$.pipe(readiness(virtualClock(scheduler)))).toBe(expected, {
          n: waitsFor('no-announcement'),
          f: waitsFor('no-certificate-file'),
          m: waitsFor('hash-mismatch'),
          r: waitsFor('certificate-rejected: expired: since yesterday'),
        });
        expectSubscriptions(occasion$.subscriptions).toBe(subs);
      });
    });

    it('says it once for as long as it stays the same, through ticks and other hashes', () => {
      marbles(({ hot, expectObservable }, scheduler) => {
        const occasion$ = hot<Occasion>('-m-t-n-t-m-', {
          t: tick,
          m: loads.mismatched('a', 'b'),
          n: loads.mismatched('c', 'b'),
        });
        const expected = '               -m---------';
        expectObservable(occasion$.pipe(readiness(virtualClock(scheduler)))).toBe(expected, {
          m: waitsFor('hash-mismatch'),
        });
      });
    });

    it('does not forget at a tick why it waits', () => {
      marbles(({ hot, expectObservable }, scheduler) => {
        const occasion$ = hot<Occasion>('-r-t-s-', {
          t: tick,
          r: loads.rejected('a', 'torn'),
          s: loads.rejected('a', 'junk'),
        });
        const expected = '               -r---s-';
        expectObservable(occasion$.pipe(readiness(virtualClock(scheduler)))).toBe(expected, {
          r: waitsFor('certificate-rejected: torn'),
          s: waitsFor('certificate-rejected: junk'),
        });
      });
    });
  });

  describe('once something is served', () => {
    it('is ready, and says which pair it serves', () => {
      marbles(({ hot, expectObservable }, scheduler) => {
        const occasion$ = hot<Occasion>('-m-a-b-', { m: loads.mismatched('a', 'b'), a: served(a), b: served(b) });
        const expected = '               -m-a-b-';
        expectObservable(occasion$.pipe(readiness(virtualClock(scheduler)))).toBe(expected, {
          m: waitsFor('hash-mismatch'),
          a: ready(a),
          b: ready(b),
        });
      });
    });

    it('stays ready whatever fails later (F4)', () => {
      marbles(({ hot, expectObservable }, scheduler) => {
        const occasion$ = hot<Occasion>('-a-u-m-r-x-t-', {
          t: tick,
          a: served(a),
          u: loads.unmounted('b'),
          m: loads.mismatched('b', 'a'),
          r: loads.rejected('b', 'pair-mismatch'),
          x: loads.unannounced('no SHA-256'),
        });
        const expected = '               -a-----------';
        expectObservable(occasion$.pipe(readiness(virtualClock(scheduler)))).toBe(expected, { a: ready(a) });
      });
    });

    it('is told once however often the same pair is served', () => {
      marbles(({ hot, expectObservable }, scheduler) => {
        const occasion$ = hot<Occasion>('-(ata)t-a-', { t: tick, a: served(a) });
        const expected = '               -a--------';
        expectObservable(occasion$.pipe(readiness(virtualClock(scheduler)))).toBe(expected, { a: ready(a) });
      });
    });
  });

  describe('on the wall clock (F6)', () => {
    const short = pairOf('a', { leaf: factsOf('leaf', { notBeforeMs: 0, notAfterMs: 10 }) });
    const early = pairOf('a', { leaf: factsOf('leaf', { notBeforeMs: 6, notAfterMs: 100 }) });

    it('is not ready from the very instant at which the served certificate expires', () => {
      marbles(({ hot, expectObservable }, scheduler) => {
        const occasion$ = hot<Occasion>('-a-t-----tt-t-', { t: tick, a: served(short) });
        const expected = '               -a--------x---';
        expectObservable(occasion$.pipe(readiness(virtualClock(scheduler)))).toBe(expected, {
          a: ready(short),
          x: unready(short, 'certificate-expired'),
        });
      });
    });

    it('notices at a load as well as at a tick', () => {
      marbles(({ hot, expectObservable }, scheduler) => {
        const occasion$ = hot<Occasion>('-a----------r-', { a: served(short), r: loads.rejected('b', 'torn') });
        const expected = '               -a----------x-';
        expectObservable(occasion$.pipe(readiness(virtualClock(scheduler)))).toBe(expected, {
          a: ready(short),
          x: unready(short, 'certificate-expired'),
        });
      });
    });

    it('is ready again with the next certificate', () => {
      marbles(({ hot, expectObservable }, scheduler) => {
        const occasion$ = hot<Occasion>('-a----------t-b-t-', { t: tick, a: served(short), b: served(b) });
        const expected = '               -a----------x-b---';
        expectObservable(occasion$.pipe(readiness(virtualClock(scheduler)))).toBe(expected, {
          a: ready(short),
          x: unready(short, 'certificate-expired'),
          b: ready(b),
        });
      });
    });

    it('waits for a certificate that is not valid yet, to the instant', () => {
      marbles(({ hot, expectObservable }, scheduler) => {
        const occasion$ = hot<Occasion>('-a-t-tt-t-', { t: tick, a: served(early) });
        const expected = '               -x----a---';
        expectObservable(occasion$.pipe(readiness(virtualClock(scheduler)))).toBe(expected, {
          a: ready(early),
          x: unready(early, 'certificate-expired'),
        });
      });
    });

    it('goes by the wall clock, not by the time that passed', () => {
      marbles(({ hot, expectObservable }, scheduler) => {
        const occasion$ = hot<Occasion>('-a-t-', { t: tick, a: served(short) });
        const ahead$ = occasion$.pipe(readiness(virtualClock(scheduler, 8)));
        const behind$ = occasion$.pipe(readiness(virtualClock(scheduler, -2)));
        const values = { a: ready(short), x: unready(short, 'certificate-expired') };
        expectObservable(ahead$).toBe(' -a-x-', values);
        expectObservable(behind$).toBe('-x-a-', values);
      });
    });
  });

  describe('between taking up a pair and shaking hands with it (F6)', () => {
    const short = pairOf('a', { leaf: factsOf('leaf', { notBeforeMs: 0, notAfterMs: 6 }) });
    /** The clock is set back by this much after the ninth frame. */
    const setBack = (scheduler: TestScheduler): Clock => {
      const clock = virtualClock(scheduler);
      return { ...clock, wallMs: () => (clock.wallMs() < 9 ? clock.wallMs() : clock.wallMs() - 9) };
    };
    const values = {
      t: tick,
      a: served(short),
      s: loads.swapped(),
      b: served(b),
      r: loads.rejected('b', 'no answer'),
    };

    it('does not call itself ready with the older one, which is no longer served', () => {
      marbles(({ hot, expectObservable }, scheduler) => {
        const occasion$ = hot<Occasion>('-a-----t-s-t-b-t-', values);
        const expected = '               -a-----x-----b---';
        expectObservable(occasion$.pipe(readiness(setBack(scheduler)))).toBe(expected, {
          a: ready(short),
          x: unready(short, 'certificate-expired'),
          b: ready(b),
        });
      });
    });

    it('does not lose readiness by the expiry of the older one', () => {
      marbles(({ hot, expectObservable }, scheduler) => {
        const occasion$ = hot<Occasion>('-a-s---t-b-t-', values);
        const expected = '               -a-------b---';
        expectObservable(occasion$.pipe(readiness(virtualClock(scheduler)))).toBe(expected, {
          a: ready(short),
          b: ready(b),
        });
      });
    });

    it('goes by the older one again when the handshake could not be tried', () => {
      marbles(({ hot, expectObservable }, scheduler) => {
        const occasion$ = hot<Occasion>('-a-s---t-r-t-', values);
        const expected = '               -a-------x---';
        expectObservable(occasion$.pipe(readiness(virtualClock(scheduler)))).toBe(expected, {
          a: ready(short),
          x: unready(short, 'certificate-expired'),
        });
      });
    });
  });

  describe('with a handshake that failed (F6)', () => {
    it('serves, but is not ready', () => {
      marbles(({ hot, expectObservable }, scheduler) => {
        const occasion$ = hot<Occasion>('-u-t-m-', {
          t: tick,
          u: served(a, 'no chain'),
          m: loads.mismatched('b', 'a'),
        });
        const expected = '               -u-----';
        expectObservable(occasion$.pipe(readiness(virtualClock(scheduler)))).toBe(expected, {
          u: unready(a, 'untrusted'),
        });
      });
    });

    it('is ready as soon as a handshake verifies', () => {
      marbles(({ hot, expectObservable }, scheduler) => {
        const occasion$ = hot<Occasion>('-u-a-v-', {
          u: served(a, 'no chain'),
          a: served(a),
          v: served(b, 'no chain'),
        });
        const expected = '               -u-a-v-';
        expectObservable(occasion$.pipe(readiness(virtualClock(scheduler)))).toBe(expected, {
          u: unready(a, 'untrusted'),
          a: ready(a),
          v: unready(b, 'untrusted'),
        });
      });
    });

    it('says every reason, expiry first', () => {
      marbles(({ hot, expectObservable }, scheduler) => {
        const occasion$ = hot<Occasion>('-u', { u: served(a, 'no chain') });
        const clock = virtualClock(scheduler, 3_600_000);
        expectObservable(occasion$.pipe(readiness(clock))).toBe('-x', {
          x: unready(a, 'certificate-expired', 'untrusted'),
        });
      });
    });
  });

  describe('is shared', () => {
    it('tells who comes later the newest, from one subscription to its source', () => {
      marbles(({ hot, expectObservable, expectSubscriptions }, scheduler) => {
        const occasion$ = hot<Occasion>('-m-a---b--', { m: loads.mismatched('a', 'b'), a: served(a), b: served(b) });
        const values = { m: waitsFor('hash-mismatch'), a: ready(a), b: ready(b) };
        const first = '                  ^-------!';
        const second = '                 -----^---!';
        const readiness$ = occasion$.pipe(readiness(virtualClock(scheduler)));
        expectObservable(readiness$, first).toBe('  -m-a---b--', values);
        expectObservable(readiness$, second).toBe(' -----a-b--', values);
        expectSubscriptions(occasion$.subscriptions).toBe('^--------!');
      });
    });

    it('lets its source go with its last subscriber, and then starts afresh', () => {
      marbles(({ hot, expectObservable, expectSubscriptions }, scheduler) => {
        const occasion$ = hot<Occasion>('-a-----t--', { t: tick, a: served(a) });
        const readiness$ = occasion$.pipe(readiness(virtualClock(scheduler)));
        const values = { a: ready(a), n: waitsFor('no-announcement') };
        const first = '                  ^---!     ';
        const second = '                 -----^---!';
        expectObservable(readiness$, first).toBe('  -a--      ', values);
        expectObservable(readiness$, second).toBe(' -------n--', values);
        expectSubscriptions(occasion$.subscriptions).toBe([first, second]);
      });
    });
  });
});
