import { expect } from 'chai';
import { defer, ignoreElements, NEVER, type Observable, of, throwError } from 'rxjs';
import type { RunHelpers } from 'rxjs/testing';
import type { WatchItem } from '../../streams/events.ts';
import { Problem } from '../../streams/problem.ts';
import { resumingWatch } from '../../streams/resuming-watch.ts';
import type { Listing, WatchFrame } from '../../streams/watch-port.ts';
import { marbles } from '../support/marbles.ts';
import { noJitter } from '../support/no-jitter.ts';
import { watchPortOf } from '../support/watch-port-of.ts';

type Item = WatchItem<string>;

describe('resumingWatch', () => {
  const policy = { staleAfterMs: 60_000, random: noJitter };
  const refused = new Problem('refused', 500);
  const gone = new Problem('too old resource version', 410);

  const listings: Readonly<Record<string, Listing<string>>> = {
    l: { resourceVersion: '5', items: ['one'] },
    m: { resourceVersion: '50', items: ['one', 'two'] },
    n: { resourceVersion: '5', items: [] },
  };
  const frames: Readonly<Record<string, WatchFrame<string>>> = {
    o: { type: 'opened' },
    a: { type: 'applied', resourceVersion: '6', object: 'six' },
    d: { type: 'deleted', resourceVersion: '7', object: 'six' },
    k: { type: 'bookmark', resourceVersion: '9' },
    x: { type: 'expired' },
  };
  const failed = (retryInMs: number, { status, message }: Problem = refused): Item => ({
    type: 'watch/failed',
    status,
    error: message,
    retryInMs,
  });
  const again = (retryInMs: number, problem?: Problem): Item =>
    ({ ...failed(retryInMs, problem), repeated: true }) as Item;
  const established = (resourceVersion: string): Item => ({ type: 'watch/established', resourceVersion });
  /** C, X and S: closed because it ended, expired, fell silent. F, G and H: failed for the first, second, third time. */
  const told: Readonly<Record<string, Item>> = {
    L: { type: 'watch/listed', items: ['one'], resourceVersion: '5' },
    M: { type: 'watch/listed', items: ['one', 'two'], resourceVersion: '50' },
    N: { type: 'watch/listed', items: [], resourceVersion: '5' },
    e: established('5'),
    f: established('9'),
    g: established('50'),
    a: { type: 'watch/applied', object: 'six' },
    d: { type: 'watch/deleted', object: 'six' },
    C: { type: 'watch/closed', reason: 'ended' },
    X: { type: 'watch/closed', reason: 'expired' },
    S: { type: 'watch/closed', reason: 'silent' },
    F: failed(800),
    G: again(1_600),
    H: again(3_200),
  };

  describe('while all goes well', () => {
    it('lists once, then watches from the version of the list', () => {
      marbles(({ cold, expectObservable, expectSubscriptions, flush }) => {
        const list$ = cold('      -(l|)     ', listings);
        const connection$ = cold(' -o-a-d--', frames);
        const unsub = '           ^--------!';
        const expected = '        -Le-a-d---';
        const listSubs = '        ^!        ';
        const watchSubs = '       -^-------!';
        const port = watchPortOf([list$], [connection$]);
        expectObservable(resumingWatch(port, policy), unsub).toBe(expected, told);
        expectSubscriptions(list$.subscriptions).toBe(listSubs);
        expectSubscriptions(connection$.subscriptions).toBe(watchSubs);
        flush();
        expect(port.versions).to.deep.equal(['5']);
      });
    });

    it('watches an empty collection as well', () => {
      marbles(({ cold, expectObservable, expectSubscriptions }) => {
        const list$ = cold('      -(n|)  ', listings);
        const connection$ = cold(' -o-a--', frames);
        const unsub = '           ^------!';
        const expected = '        -Ne-a---';
        const watchSubs = '       -^-----!';
        expectObservable(resumingWatch(watchPortOf([list$], [connection$]), policy), unsub).toBe(expected, told);
        expectSubscriptions(connection$.subscriptions).toBe(watchSubs);
      });
    });

    it('tells nothing of a bookmark, but resumes from there', () => {
      marbles(({ cold, expectObservable, expectSubscriptions, flush }) => {
        const list$ = cold('  -(l|)      ', listings);
        const first$ = cold('  -o-a-k-|  ', frames);
        const second$ = cold('        -o-', frames);
        const unsub = '       ^---------!';
        const expected = '    -Le-a---Cf-';
        const firstSubs = '   -^------!  ';
        const secondSubs = '  --------^-!';
        const port = watchPortOf([list$], [first$, second$]);
        expectObservable(resumingWatch(port, policy), unsub).toBe(expected, told);
        expectSubscriptions(first$.subscriptions).toBe(firstSubs);
        expectSubscriptions(second$.subscriptions).toBe(secondSubs);
        flush();
        expect(port.versions).to.deep.equal(['5', '9']);
      });
    });
  });

  describe('when the server ends the connection', () => {
    it('resumes at once from the newest version, without a list', () => {
      marbles(({ cold, expectObservable, expectSubscriptions, flush }) => {
        const list$ = cold('  -(l|)     ', listings);
        const first$ = cold('  -o-a-d|  ', frames);
        const second$ = cold('       -a-', frames);
        const unsub = '       ^--------!';
        const expected = '    -Le-a-dCa-';
        const listSubs = '    ^!        ';
        const secondSubs = '  -------^-!';
        const port = watchPortOf([list$], [first$, second$]);
        expectObservable(resumingWatch(port, policy), unsub).toBe(expected, told);
        expectSubscriptions(list$.subscriptions).toBe(listSubs);
        expectSubscriptions(second$.subscriptions).toBe(secondSubs);
        flush();
        expect(port.versions).to.deep.equal(['5', '7']);
      });
    });

    it('backs off when it is ended again and again', () => {
      marbles(({ cold, expectObservable, expectSubscriptions }) => {
        const list$ = cold('      -(l|)                 ', listings);
        const connection$ = cold(' -|                   ', frames);
        const unsub = '           ^ 5s                 !';
        const expected = '        -LCC 1600ms C 3200ms LC';
        expectObservable(resumingWatch(watchPortOf([list$], [connection$]), policy), unsub).toBe(expected, told);
        expectSubscriptions(connection$.subscriptions).toBe(['-^!', '--^!', '1603ms ^!', '4805ms ^!']);
      });
    });

    it('takes an opening for no reason to hurry: a server that accepts and ends is backed off from', () => {
      marbles(({ cold, expectObservable }) => {
        const list$ = cold('      -(l|)            ', listings);
        const connection$ = cold(' -o|             ', frames);
        const unsub = '           ^ 2s            !';
        const expected = '        -LeCeC 1600ms eC ';
        expectObservable(resumingWatch(watchPortOf([list$], [connection$]), policy), unsub).toBe(expected, told);
      });
    });

    for (const [frame, name] of [
      ['a', 'a change'],
      ['d', 'a deletion'],
      ['k', 'a bookmark'],
    ] as const) {
      it(`resumes at once again after a connection that carried ${name}`, () => {
        marbles(({ cold, expectObservable }) => {
          const list$ = cold('    -(l|)', listings);
          const ends$ = cold('     -|', frames);
          const carries$ = cold(`  -${frame}|`, frames);
          const unsub = '         ^ 3s                !';
          const item = frame === 'k' ? '-' : frame;
          const expected = `      -LCC 1600ms ${item}CC`;
          const port = watchPortOf([list$], [ends$, ends$, carries$, ends$, NEVER]);
          expectObservable(resumingWatch(port, policy), unsub).toBe(expected, told);
        });
      });
    }
  });

  describe('when something breaks', () => {
    it('resumes a broken connection after 800 ms, without a list', () => {
      marbles(({ cold, expectObservable, expectSubscriptions, flush }) => {
        const list$ = cold('  -(l|)             ', listings);
        const first$ = cold('  -o-#             ', frames, refused);
        const second$ = cold('            -o---', frames);
        const unsub = '       ^ 900ms          !';
        const expected = '    -Le-F 800ms e    ';
        const listSubs = '    ^!               ';
        const firstSubs = '   -^--!            ';
        const secondSubs = '  804ms      ^ 96ms !';
        const port = watchPortOf([list$], [first$, second$]);
        expectObservable(resumingWatch(port, policy), unsub).toBe(expected, told);
        expectSubscriptions(list$.subscriptions).toBe(listSubs);
        expectSubscriptions(first$.subscriptions).toBe(firstSubs);
        expectSubscriptions(second$.subscriptions).toBe(secondSubs);
        flush();
        expect(port.versions).to.deep.equal(['5', '5']);
      });
    });

    it('waits 800 ms doubling to 30 s while the list fails, and tells each time (F8)', () => {
      marbles(({ cold, expectObservable, expectSubscriptions }) => {
        const list$ = cold('#', listings, refused);
        const unsub = '   ^ 100s !';
        const expected = 'a 799ms b 1599ms c 3199ms d 6399ms e 12799ms f 25599ms g 29999ms h';
        expectObservable(resumingWatch(watchPortOf([list$], [NEVER]), policy), unsub).toBe(expected, {
          a: failed(800),
          b: again(1_600),
          c: again(3_200),
          d: again(6_400),
          e: again(12_800),
          f: again(25_600),
          g: again(30_000),
          h: again(30_000),
        });
        expectSubscriptions(list$.subscriptions).toBe([
          '(^!)',
          '800ms (^!)',
          '2400ms (^!)',
          '5600ms (^!)',
          '12s (^!)',
          '24800ms (^!)',
          '50400ms (^!)',
          '80400ms (^!)',
        ]);
      });
    });

    const silent = new Problem('connect ECONNREFUSED');

    it('tries at once when a server that did not answer is heard of again, from the third pause on', () => {
      marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
        const list$ = cold('#', listings, silent);
        const unsub = '   ^ 4s !';
        const apiReachable$ = hot(' 100ms w 2399ms w');
        const expected = 'a 799ms b 1599ms c 99ms (d)';
        expectObservable(resumingWatch(watchPortOf([list$], [NEVER]), { ...policy, apiReachable$ }), unsub).toBe(
          expected,
          {
            a: failed(800, silent),
            b: again(1_600, silent),
            c: again(3_200, silent),
            d: again(6_400, silent),
          },
        );
        expectSubscriptions(list$.subscriptions).toBe(['(^!)', '800ms (^!)', '2400ms (^!)', '2500ms (^!)']);
      });
    });

    it('keeps its pause after an answer that refuses, whatever is heard of the server', () => {
      marbles(({ cold, hot, expectObservable }) => {
        const list$ = cold('#', listings, refused);
        const apiReachable$ = hot(' 2500ms w');
        const expected = 'F 799ms G 1599ms H';
        expectObservable(resumingWatch(watchPortOf([list$], [NEVER]), { ...policy, apiReachable$ }), '^ 4s !').toBe(
          expected,
          told,
        );
      });
    });

    it('lists at once when a server that is back after an outage knows the version no more', () => {
      marbles(({ cold, expectObservable }) => {
        const port = watchPortOf(
          [cold('(l|)', listings), cold('(m|)', listings)],
          [
            cold('(oa#)', frames, silent),
            cold('#', frames, silent),
            cold('#', frames, silent),
            cold('(ox|)', frames),
            cold('(o#)', frames, gone),
            cold('(o)', frames),
          ],
        );
        const expected = '(Leap) 794ms q 1599ms r 3199ms (MgXMgt) 1592ms (Mg)';
        expectObservable(resumingWatch(port, policy), '^ 9s !').toBe(expected, {
          ...told,
          p: failed(800, silent),
          q: again(1_600, silent),
          r: again(3_200, silent),
          t: failed(1_600, gone),
        });
      });
    });

    it('counts on when a server that is back after an outage ends the watch, or refuses it', () => {
      const outage = (cold: RunHelpers['cold']): readonly Observable<WatchFrame<string>>[] => [
        cold('(oa#)', frames, silent),
        cold('#', frames, silent),
        cold('#', frames, silent),
      ];
      marbles(({ cold, expectObservable }) => {
        const expected = '(Leap) 794ms q 1599ms r 3199ms ';
        const values = {
          ...told,
          p: failed(800, silent),
          q: again(1_600, silent),
          r: again(3_200, silent),
          t: failed(6_400),
        };
        const list$ = cold('(l|)', listings);
        const ended = watchPortOf([list$], [...outage(cold), cold('(o|)', frames)]);
        expectObservable(resumingWatch(ended, policy), '^ 13s !').toBe(`${expected} (LeC) 6395ms (LeC)`, values);
        const refusing = watchPortOf([list$], [...outage(cold), cold('#', frames, refused), NEVER]);
        expectObservable(resumingWatch(refusing, policy), '^ 13s !').toBe(`${expected} (Lt) 6396ms L`, values);
      });
    });

    it('counts on when the list works but the watch does not', () => {
      marbles(({ cold, expectObservable, expectSubscriptions }) => {
        const list$ = cold('      -(l|)                   ', listings);
        const connection$ = cold(' -#                     ', frames, refused);
        const unsub = '           ^ 5s                   !';
        const expected = '        -LF 800ms G 1600ms H    ';
        expectObservable(resumingWatch(watchPortOf([list$], [connection$]), policy), unsub).toBe(expected, told);
        expectSubscriptions(list$.subscriptions).toBe('^!');
      });
    });

    it('does not hurry after a clean end that follows a failure', () => {
      marbles(({ cold, expectObservable }) => {
        const list$ = cold('  -(l|)              ', listings);
        const breaks$ = cold(' -#                ', frames, refused);
        const ends$ = cold('   -|                ', frames);
        const unsub = '       ^ 5s              !';
        const expected = '    -LF 800ms C 1600ms a';
        const port = watchPortOf([list$], [breaks$, ends$, cold('-a', frames)]);
        expectObservable(resumingWatch(port, policy), unsub).toBe(expected, told);
      });
    });

    it('starts its delays again once a connection has carried something', () => {
      marbles(({ cold, expectObservable }) => {
        const list$ = cold('   -(l|)                    ', listings);
        const breaks$ = cold('  -#                      ', frames, refused);
        const carries$ = cold(' -a#                     ', frames, refused);
        const unsub = '        ^ 3300ms                !';
        const expected = '     -LF 800ms G 1600ms aF 800ms a';
        const port = watchPortOf([list$], [breaks$, breaks$, carries$, cold('-a', frames)]);
        expectObservable(resumingWatch(port, policy), unsub).toBe(expected, told);
      });
    });

    it('spreads its delays by the dice', () => {
      marbles(({ cold, expectObservable }) => {
        const list$ = cold('#', listings, refused);
        const port = watchPortOf([list$, list$, NEVER], [NEVER]);
        const unsub = '   ^ 2s            !';
        const expected = 'a 399ms b        ';
        const values = { a: failed(400), b: again(800) };
        expectObservable(resumingWatch(port, { ...policy, random: () => 0 }), unsub).toBe(expected, values);
      });
    });

    it('lets a bug through, whether it shows in the list or in the watch', () => {
      marbles(({ cold, expectObservable, expectSubscriptions }) => {
        const bug = new TypeError('a bug');
        const list$ = cold('   -(l|)', listings);
        const badList$ = cold('-#   ', listings, bug);
        const badWatch$ = cold(' -# ', frames, bug);
        const inList$ = resumingWatch(watchPortOf([badList$], [NEVER]), policy);
        const inWatch$ = resumingWatch(watchPortOf([list$], [badWatch$]), policy);
        expectObservable(inList$).toBe(' -# ', told, bug);
        expectObservable(inWatch$).toBe('-L#', told, bug);
        expectSubscriptions(badList$.subscriptions).toBe('^!');
        expectSubscriptions(badWatch$.subscriptions).toBe('-^!');
      });
    });
  });

  describe('when the version has become too old', () => {
    it('drops the connection and lists afresh at once', () => {
      marbles(({ cold, expectObservable, expectSubscriptions, flush }) => {
        const list1$ = cold('  -(l|)     ', listings);
        const first$ = cold('   -o-xa--  ', frames);
        const list2$ = cold('      -(m|)', listings);
        const second$ = cold('       -o-', frames);
        const unsub = '        ^-------!';
        const expected = '     -Le-XMg--';
        const firstSubs = '    -^--!    ';
        const list2Subs = '    ----^!   ';
        const secondSubs = '   -----^--!';
        const port = watchPortOf([list1$, list2$], [first$, second$]);
        expectObservable(resumingWatch(port, policy), unsub).toBe(expected, told);
        expectSubscriptions(first$.subscriptions).toBe(firstSubs);
        expectSubscriptions(list2$.subscriptions).toBe(list2Subs);
        expectSubscriptions(second$.subscriptions).toBe(secondSubs);
        flush();
        expect(port.versions).to.deep.equal(['5', '50']);
      });
    });

    it('takes a 410 answer to the watch for the same, after the first delay', () => {
      marbles(({ cold, expectObservable, expectSubscriptions, flush }) => {
        const list$ = cold('      -(l|)           ', listings);
        const refusal$ = cold('    -#            ', frames, gone);
        const again$ = cold('                 -(m|)', listings);
        const unsub = '           ^ 850ms       !';
        const expected = '        -LF 800ms Mg  ';
        const againSubs = '       802ms ^!      ';
        const port = watchPortOf([list$, again$], [refusal$, cold('-o', frames)]);
        expectObservable(resumingWatch(port, policy), unsub).toBe(expected, { ...told, F: failed(800, gone) });
        expectSubscriptions(again$.subscriptions).toBe(againSubs);
        flush();
        expect(port.versions).to.deep.equal(['5', '50']);
      });
    });

    it('takes a 410 answer to the list for a failure like any other', () => {
      marbles(({ cold, expectObservable }) => {
        const refusal$ = cold('-#            ', listings, gone);
        const list$ = cold('          -(l|)  ', listings);
        const unsub = '        ^ 850ms      !';
        const expected = '     -F 800ms Le   ';
        const port = watchPortOf([refusal$, list$], [cold('-o', frames)]);
        expectObservable(resumingWatch(port, policy), unsub).toBe(expected, { ...told, F: failed(800, gone) });
      });
    });

    it('backs off when every fresh version is too old again', () => {
      marbles(({ cold, expectObservable, expectSubscriptions }) => {
        const list$ = cold('      -(l|)                ', listings);
        const connection$ = cold(' -x                  ', frames);
        const unsub = '           ^ 4s                !';
        const expected = '        -LXLX 1600ms LX       ';
        expectObservable(resumingWatch(watchPortOf([list$], [connection$]), policy), unsub).toBe(expected, told);
        expectSubscriptions(list$.subscriptions).toBe(['^!', '--^!', '1604ms ^!']);
      });
    });
  });

  describe('when the server reports an error in the watch', () => {
    const errorFrame = (status: number | null, retryAfterMs: number | null = null): WatchFrame<string> => ({
      type: 'failed',
      status,
      error: 'storage is (re)initializing',
      retryAfterMs,
    });
    const reported = (status: number | null, retryInMs: number): Item =>
      failed(retryInMs, new Problem('storage is (re)initializing', status));

    for (const status of [null, 200, 500]) {
      it(`lists afresh after an ERROR event, also one with code ${status}`, () => {
        marbles(({ cold, expectObservable, flush }) => {
          const list1$ = cold(' -(l|)            ', listings);
          const first$ = cold('  -o-z            ', { ...frames, z: errorFrame(status) });
          const list2$ = cold('               -(m|)', listings);
          const unsub = '       ^ 900ms          !';
          const expected = '    -Le-F 799ms -M   ';
          const port = watchPortOf([list1$, list2$], [first$, NEVER]);
          expectObservable(resumingWatch(port, policy), unsub).toBe(expected, { ...told, F: reported(status, 800) });
          flush();
          expect(port.versions).to.deep.equal(['5', '50']);
        });
      });
    }

    it('counts an ERROR event as an answer: what is heard of the server does not cut its pauses short', () => {
      marbles(({ cold, hot, expectObservable }) => {
        const list$ = cold('(l|)', listings);
        const connection$ = cold('z', { z: errorFrame(null) });
        const apiReachable$ = hot(' 2500ms w');
        const values = {
          ...told,
          F: reported(null, 800),
          G: { ...reported(null, 1_600), repeated: true } as Item,
          H: { ...reported(null, 3_200), repeated: true } as Item,
        };
        const port = watchPortOf([list$], [connection$]);
        expectObservable(resumingWatch(port, { ...policy, apiReachable$ }), '^ 4s !').toBe(
          '(LF) 796ms (LG) 1596ms (LH)',
          values,
        );
      });
    });

    it('waits as long as the server asks for', () => {
      marbles(({ cold, expectObservable }) => {
        const list1$ = cold('#', listings, new Problem('slow down', 429, 20_000));
        const port = watchPortOf([list1$, cold('(l|)', listings)], [cold('z', { z: errorFrame(429, 5_000) }), NEVER]);
        expectObservable(resumingWatch(port, policy), '^ 26s !').toBe('F 19999ms (LG) 4996ms L', {
          ...told,
          F: failed(20_000, new Problem('slow down', 429)),
          G: reported(429, 5_000),
        });
      });
    });

    it('lists afresh when the version is unknown to the server, as after a restore of etcd', () => {
      marbles(({ cold, expectObservable, flush }) => {
        const unknown = new Problem('invalid resource version: 5', 400);
        const port = watchPortOf(
          [cold('-(l|)', listings), cold('-(m|)', listings)],
          [cold('-#', frames, unknown), NEVER],
        );
        expectObservable(resumingWatch(port, policy), '^ 900ms !').toBe('-LF 800ms M', {
          ...told,
          F: failed(800, unknown),
        });
        flush();
        expect(port.versions).to.deep.equal(['5', '50']);
      });
    });
  });

  describe('when no watch lasts', () => {
    const cut = new Problem('socket hang up');

    it('lists at each attempt from the third failure in a row on', () => {
      marbles(({ cold, expectObservable, expectSubscriptions }) => {
        const list$ = cold('(l|)', listings);
        const connection$ = cold('(o#)', frames, cut);
        const port = watchPortOf([list$], [connection$]);
        expectObservable(resumingWatch(port, policy), '^ 20s !').toBe(
          '(LeF) 795ms (eG) 1596ms (eH) 3196ms (LeI) 6395ms (LeJ)',
          {
            ...told,
            F: failed(800, cut),
            G: again(1_600, cut),
            H: again(3_200, cut),
            I: again(6_400, cut),
            J: again(12_800, cut),
          },
        );
        expectSubscriptions(list$.subscriptions).toBe(['(^!)', '5600ms (^!)', '12s (^!)']);
      });
    });

    it('is not hurried by a server that answers everything but watches: fewer than ten watches in 30 s', () => {
      marbles(({ cold, hot, expectSubscriptions, expectObservable }) => {
        const connection$ = cold('#', frames, cut);
        const apiReachable$ = hot('2s w '.repeat(15));
        const watch$ = resumingWatch(watchPortOf([cold('(l|)', listings)], [connection$]), {
          ...policy,
          apiReachable$,
        });
        expectObservable(watch$.pipe(ignoreElements()), '^ 30s !').toBe('');
        expectSubscriptions(connection$.subscriptions).toBe([
          '(^!)',
          '800ms (^!)',
          '2400ms (^!)',
          '4001ms (^!)',
          '10401ms (^!)',
          '12005ms (^!)',
        ]);
      });
    });
  });

  describe('when it falls silent', () => {
    it('gives the connection up and lists afresh', () => {
      marbles(({ cold, expectObservable, expectSubscriptions, flush }) => {
        const list1$ = cold(' -(l|)              ', listings);
        const first$ = cold('  -o                ', frames);
        const list2$ = cold('                -(m|)', listings);
        const second$ = cold('                 -o', frames);
        const unsub = '       ^  60100ms         !';
        const expected = '    -Le 59999ms SMg     ';
        const firstSubs = '   -^ 60s      !       ';
        const list2Subs = '   60002ms     ^!      ';
        const secondSubs = '  60003ms     ^ 97ms !';
        const port = watchPortOf([list1$, list2$], [first$, second$]);
        expectObservable(resumingWatch(port, policy), unsub).toBe(expected, told);
        expectSubscriptions(first$.subscriptions).toBe(firstSubs);
        expectSubscriptions(list2$.subscriptions).toBe(list2Subs);
        expectSubscriptions(second$.subscriptions).toBe(secondSubs);
        flush();
        expect(port.versions).to.deep.equal(['5', '50']);
      });
    });

    it('does not wait for ever for a connection to open', () => {
      marbles(({ cold, expectObservable, expectSubscriptions }) => {
        const list$ = cold(' -(l|)             ', listings);
        const dead$ = cold('  -                ', frames);
        const unsub = '      ^ 60001ms        !';
        const expected = '   -L 59999ms S      ';
        const deadSubs = '   -^ 59999ms !      ';
        expectObservable(resumingWatch(watchPortOf([list$], [dead$]), policy), unsub).toBe(expected, told);
        expectSubscriptions(dead$.subscriptions).toBe(deadSubs);
      });
    });

    it('counts silence from the last frame, bookmarks included', () => {
      marbles(({ cold, expectObservable, expectSubscriptions }) => {
        const list$ = cold(' -(l|)                                ', listings);
        const first$ = cold(' -o 39999ms k 39999ms a              ', frames);
        const unsub = '      ^ 140003ms                          !';
        const expected = '   -Le 79999ms a 59999ms SL            ';
        const firstSubs = '  -^ 140s !                           ';
        const port = watchPortOf([list$], [first$, NEVER]);
        expectObservable(resumingWatch(port, policy), unsub).toBe(expected, told);
        expectSubscriptions(first$.subscriptions).toBe(firstSubs);
      });
    });

    it('backs off when it is silent again and again', () => {
      marbles(({ cold, expectObservable }) => {
        const list$ = cold('   -(l|)', listings);
        const silent$ = cold('  -o', frames);
        const unsub = '        ^ 122s                               !';
        const expected = '     -Le 59999ms SLe 59999ms S 1600ms Le  ';
        expectObservable(resumingWatch(watchPortOf([list$], [silent$]), policy), unsub).toBe(expected, told);
      });
    });
  });

  describe('when it is unsubscribed', () => {
    it('aborts the list that is under way', () => {
      marbles(({ cold, expectObservable, expectSubscriptions }) => {
        const list$ = cold('-----(l|)', listings);
        const unsub = '     ^--!     ';
        expectObservable(resumingWatch(watchPortOf([list$], [NEVER]), policy), unsub).toBe('');
        expectSubscriptions(list$.subscriptions).toBe(unsub);
      });
    });

    it('closes the connection', () => {
      marbles(({ cold, expectObservable, expectSubscriptions }) => {
        const list$ = cold('      -(l|)', listings);
        const connection$ = cold(' -o-a--a', frames);
        const unsub = '           ^----!';
        const watchSubs = '       -^---!';
        expectObservable(resumingWatch(watchPortOf([list$], [connection$]), policy), unsub).toBe('-Le-a', told);
        expectSubscriptions(connection$.subscriptions).toBe(watchSubs);
      });
    });

    it('does not come back from its pause', () => {
      marbles(({ cold, expectObservable, expectSubscriptions }) => {
        const list$ = cold('-#', listings, refused);
        const unsub = '     ^ 799ms !';
        expectObservable(resumingWatch(watchPortOf([list$], [NEVER]), policy), unsub).toBe('-F', told);
        expectSubscriptions(list$.subscriptions).toBe('^!');
      });
    });
  });

  it('keeps versions and delays for each subscriber alone', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const list$ = cold('#', listings, refused);
      const watch$ = resumingWatch(watchPortOf([list$], [NEVER]), policy);
      expectObservable(watch$, '^ 1s !').toBe('F 799ms G', told);
      expectObservable(watch$, '500ms ^ 1s !').toBe('500ms F 799ms G', told);
      expectSubscriptions(list$.subscriptions).toBe(['(^!)', '500ms (^!)', '800ms (^!)', '1300ms (^!)']);
    });
  });

  it('outlives ten thousand failures in a row', () => {
    marbles(
      ({ flush }) => {
        let tries = 0;
        const list$ = defer(() => (++tries > 10_000 ? of(listings['l']!) : throwError(() => refused)));
        const items: Item[] = [];
        const subscription = resumingWatch(watchPortOf([list$], [NEVER]), policy).subscribe((item) => {
          items.push(item);
          if (item.type === 'watch/listed') subscription.unsubscribe();
        });
        flush();
        expect(items).to.have.length(10_001);
        expect(items.at(-1)).to.deep.equal(told['L']);
      },
      { untilMs: 5 * 86_400_000 },
    );
  });
});
