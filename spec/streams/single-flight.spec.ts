import { expect } from 'chai';
import { array, assert, integer, property, record } from 'fast-check';
import { defer, finalize, from, map, mergeMap, type Observable, of, Subject, tap, timer } from 'rxjs';
import { singleFlight } from '../../streams/single-flight.ts';
import { inTurn } from '../support/in-turn.ts';
import { marbles } from '../support/marbles.ts';

/** Looks a flight up by the value flown, so that each has a picture of its own. */
const flights =
  (byValue: Readonly<Record<string, Observable<string>>>) =>
  (wanted: string): Observable<string> =>
    byValue[wanted]!;

describe('singleFlight', () => {
  describe('one flight at a time', () => {
    it('flies the newest value right after the one in the air, and skips those in between', () => {
      marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
        const source$ = hot(' --a--b-c---------------d--|  ');
        const a$ = cold('       ----A|                    ');
        const c$ = cold('            ----C|               ');
        const d$ = cold('                            ----D|');
        const subs = '        ^-------------------------!  ';
        const aSubs = '       --^----!                     ';
        const cSubs = '       -------^----!                ';
        const dSubs = '       -----------------------^----!';
        const expected = '    ------A----C---------------D|';
        expectObservable(source$.pipe(singleFlight(flights({ a: a$, c: c$, d: d$ })))).toBe(expected);
        expectSubscriptions(source$.subscriptions).toBe(subs);
        expectSubscriptions(a$.subscriptions).toBe(aSubs);
        expectSubscriptions(c$.subscriptions).toBe(cSubs);
        expectSubscriptions(d$.subscriptions).toBe(dSubs);
      });
    });

    it('flies at once what comes while nothing is in the air', () => {
      marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
        const source$ = hot('-a-----b----');
        const a$ = cold('     -A|        ');
        const b$ = cold('           -B|  ');
        const aSubs = '      -^-!        ';
        const bSubs = '      -------^-!  ';
        const expected = '   --A-----B---';
        expectObservable(source$.pipe(singleFlight(flights({ a: a$, b: b$ })))).toBe(expected);
        expectSubscriptions(a$.subscriptions).toBe(aSubs);
        expectSubscriptions(b$.subscriptions).toBe(bSubs);
      });
    });

    it('loses no value that comes at the very instant a flight ends', () => {
      marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
        const source$ = hot('a--b----');
        const a$ = cold('    --A|    ');
        const b$ = cold('       --B| ');
        const bSubs = '      ---^--! ';
        const expected = '   --A--B--';
        expectObservable(source$.pipe(singleFlight(flights({ a: a$, b: b$ })))).toBe(expected);
        expectSubscriptions(b$.subscriptions).toBe(bSubs);
      });
    });

    it('does not fly again for a value that came back during its own flight', () => {
      marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
        const source$ = hot('a-ba------');
        const a$ = cold('    -----A|   ');
        const aSubs = '      ^-----!   ';
        const expected = '   -----A----';
        expectObservable(source$.pipe(singleFlight(flights({ a: a$ })))).toBe(expected);
        expectSubscriptions(a$.subscriptions).toBe(aSubs);
      });
    });

    it('passes on everything that one flight tells', () => {
      marbles(({ hot, cold, expectObservable }) => {
        const source$ = hot('a-b-------|');
        const a$ = cold('    -1-2-|     ');
        const b$ = cold('         -3-4| ');
        const expected = '   -1-2--3-4-|';
        expectObservable(source$.pipe(singleFlight(flights({ a: a$, b: b$ })))).toBe(expected);
      });
    });

    it('flies synchronous flights one by one', () => {
      marbles(({ hot, expectObservable, expectSubscriptions }) => {
        const source$ = hot('a(bc)-d|');
        const subs = '       ^------!';
        const expected = '   A(BC)-D|';
        expectObservable(source$.pipe(singleFlight((wanted) => of(wanted.toUpperCase())))).toBe(expected);
        expectSubscriptions(source$.subscriptions).toBe(subs);
      });
    });

    it('flies a value that its own result gave rise to', () => {
      const wanted$ = new Subject<number>();
      const flown: number[] = [];
      const result$ = wanted$.pipe(
        singleFlight((wanted) => of(wanted)),
        tap((wanted) => {
          flown.push(wanted);
          if (wanted < 3) wanted$.next(wanted + 1);
        }),
      );
      const subscription = result$.subscribe();
      wanted$.next(1);
      subscription.unsubscribe();
      expect(flown).to.deep.equal([1, 2, 3]);
      expect(wanted$.observed).to.equal(false);
    });

    it('takes a flight that says nothing for settled', () => {
      marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
        const source$ = hot('a-----b---');
        const a$ = cold('    --|       ');
        const b$ = cold('          -B| ');
        const aSubs = '      ^-!       ';
        const bSubs = '      ------^-! ';
        const expected = '   -------B--';
        const retryInMs = (result: string): number | null => (result === 'B' ? null : 1);
        expectObservable(source$.pipe(singleFlight(flights({ a: a$, b: b$ }), { retryInMs }))).toBe(expected);
        expectSubscriptions(a$.subscriptions).toBe(aSubs);
        expectSubscriptions(b$.subscriptions).toBe(bSubs);
      });
    });
  });

  describe('a retry', () => {
    // x is a flight that failed; it is flown again after 10 ms, then 20 ms, 30 ms …
    const retryInMs = (result: string, failures: number): number | null => (result === 'x' ? 10 * failures : null);

    it('flies the same value again after the pause that its result asks for', () => {
      marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
        const source$ = hot('a           ');
        const a1$ = cold('   -x|         ');
        const a2$ = cold('            -A|');
        const a1Subs = '     ^-!         ';
        const a2Subs = '     12ms     ^-!';
        const expected = '   -x 11ms   A ';
        const again$ = inTurn<string>(a1$, a2$);
        expectObservable(source$.pipe(singleFlight(() => again$, { retryInMs }))).toBe(expected);
        expectSubscriptions(a1$.subscriptions).toBe(a1Subs);
        expectSubscriptions(a2$.subscriptions).toBe(a2Subs);
      });
    });

    it('counts how often the value has failed', () => {
      marbles(({ hot, cold, expectObservable }) => {
        const source$ = hot('a');
        const fails$ = cold('-x|');
        const lands$ = cold('-A|');
        const expected = '   -x 11ms x 21ms x 31ms A';
        const again$ = inTurn<string>(fails$, fails$, fails$, lands$);
        expectObservable(source$.pipe(singleFlight(() => again$, { retryInMs }))).toBe(expected);
      });
    });

    it('gives way to a newer value at once, and counts its failures from the start', () => {
      marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
        const source$ = hot('a 20ms b');
        const a$ = cold('    -x|');
        const b$ = inTurn<string>(cold('-x|'), cold('-B|'));
        const aSubs = ['^-!', '12ms ^-!'];
        const expected = '   -x 11ms x 8ms x 11ms B';
        const land$ = source$.pipe(singleFlight((wanted) => (wanted === 'a' ? a$ : b$), { retryInMs }));
        expectObservable(land$).toBe(expected);
        expectSubscriptions(a$.subscriptions).toBe(aSubs);
      });
    });

    it('does not wait at all when a newer value came during the flight that failed', () => {
      marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
        const source$ = hot('a-b-----');
        const a$ = cold('    ---x|   ');
        const b$ = cold('        -B| ');
        const bSubs = '      ----^-! ';
        const expected = '   ---x-B--';
        const land$ = source$.pipe(singleFlight(flights({ a: a$, b: b$ }), { retryInMs }));
        expectObservable(land$).toBe(expected);
        expectSubscriptions(b$.subscriptions).toBe(bSubs);
      });
    });

    it('starts the count again after a success', () => {
      marbles(({ hot, cold, expectObservable }) => {
        const source$ = hot('a 29ms b');
        const flight$ = inTurn<string>(cold('-x|'), cold('-A|'), cold('-x|'), cold('-B|'));
        const expected = '   -x 11ms A 17ms x 11ms B';
        expectObservable(source$.pipe(singleFlight(() => flight$, { retryInMs }))).toBe(expected);
      });
    });

    it('is decided by the last thing that the flight told', () => {
      marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
        const source$ = hot('a-------');
        const a$ = cold('    -x-A|   ');
        const expected = '   -x-A----';
        expectObservable(source$.pipe(singleFlight(() => a$, { retryInMs }))).toBe(expected);
        expectSubscriptions(a$.subscriptions).toBe('^---!');
      });
    });

    it('is given up with the subscription', () => {
      marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
        const source$ = hot('a 99ms -');
        const a$ = cold('    -x|     ');
        const unsub = '      ^ 10ms !';
        const expected = '   -x      ';
        expectObservable(source$.pipe(singleFlight(() => a$, { retryInMs })), unsub).toBe(expected);
        expectSubscriptions(source$.subscriptions).toBe(unsub);
        expectSubscriptions(a$.subscriptions).toBe('^-!');
      });
    });

    it('is given up when its source ends: nobody wants it any more', () => {
      marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
        const source$ = hot('a---|');
        const a$ = cold('    -x|  ');
        const expected = '   -x--|';
        expectObservable(source$.pipe(singleFlight(() => a$, { retryInMs }))).toBe(expected);
        expectSubscriptions(a$.subscriptions).toBe('^-!');
      });
    });

    it('does not begin when its source has ended during the flight', () => {
      marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
        const source$ = hot('a-|   ');
        const a$ = cold('    ---x|');
        const expected = '   ---x|';
        expectObservable(source$.pipe(singleFlight(() => a$, { retryInMs }))).toBe(expected);
        expectSubscriptions(a$.subscriptions).toBe('^---!');
      });
    });

    it('goes on ten thousand times without piling up', () => {
      marbles(
        ({ cold, flush }) => {
          let flown = 0;
          const fly = (): Observable<string> => defer(() => of(++flown > 10_000 ? 'A' : 'x'));
          const told: string[] = [];
          const options = { retryInMs: (result: string) => (result === 'x' ? 30_000 : null) };
          cold('a')
            .pipe(singleFlight(fly, options))
            .subscribe((result) => told.push(result));
          flush();
          expect(told).to.have.length(10_001);
          expect(told.at(-1)).to.equal('A');
        },
        { untilMs: 5 * 86_400_000 },
      );
    });
  });

  describe('what supersedes', () => {
    interface Order {
      readonly id: string;
      readonly copy: number;
    }
    const values = { a: { id: 'a', copy: 1 }, b: { id: 'a', copy: 2 }, c: { id: 'c', copy: 1 } } satisfies Record<
      string,
      Order
    >;
    const supersedes = (next: Order, flown: Order): boolean => next.id !== flown.id;

    it('is any other value unless said otherwise', () => {
      marbles(({ hot, cold, expectObservable }) => {
        const source$ = hot<Order>('a-b-----', values);
        const flight$ = cold('      ---x|   ');
        const expected = '          ---x---x';
        expectObservable(source$.pipe(singleFlight(() => flight$))).toBe(expected);
      });
    });

    it('may be told apart from what merely is another object', () => {
      marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
        const source$ = hot<Order>('a-b---c-b-----', values);
        const flight$ = cold('      ---x|         ');
        const subs = ['             ^---!         ', '------^---!', '----------^---!'];
        const expected = '          ---x-----x---x';
        expectObservable(source$.pipe(singleFlight(() => flight$, { supersedes }))).toBe(expected);
        expectSubscriptions(flight$.subscriptions).toBe(subs);
      });
    });

    it('flies again for an equal value that comes while nothing is in the air', () => {
      marbles(({ hot, cold, expectObservable }) => {
        const source$ = hot<Order>('a-----b---', values);
        const flight$ = cold('      ---x|     ');
        const expected = '          ---x-----x';
        expectObservable(source$.pipe(singleFlight(() => flight$, { supersedes }))).toBe(expected);
      });
    });

    it('cuts no pause short that it does not supersede, yet is what the retry flies', () => {
      marbles(({ hot, cold, expectObservable }) => {
        const source$ = hot<Order>('a--b', values);
        const expected = '          -1 10ms 2';
        const fly = ({ copy }: Order): Observable<string> => cold('-r|', { r: `${copy}` });
        const retryInMs = (result: string): number | null => (result === '1' ? 9 : null);
        expectObservable(source$.pipe(singleFlight(fly, { supersedes, retryInMs }))).toBe(expected);
      });
    });
  });

  describe('how it ends', () => {
    it('completes with its source when nothing is in the air', () => {
      marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
        const source$ = hot('a----|');
        const a$ = cold('    -A|   ');
        const subs = '       ^----!';
        const expected = '   -A---|';
        expectObservable(source$.pipe(singleFlight(() => a$))).toBe(expected);
        expectSubscriptions(source$.subscriptions).toBe(subs);
      });
    });

    it('flies what still waits when its source has completed', () => {
      marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
        const source$ = hot('a-b|     ');
        const a$ = cold('    -----A|  ');
        const b$ = cold('          -B|');
        const bSubs = '      ------^-!';
        const expected = '   -----A-B|';
        expectObservable(source$.pipe(singleFlight(flights({ a: a$, b: b$ })))).toBe(expected);
        expectSubscriptions(b$.subscriptions).toBe(bSubs);
      });
    });

    it('errs with its source and drops the flight in the air', () => {
      marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
        const source$ = hot('a--#   ');
        const a$ = cold('    -----A|');
        const subs = '       ^--!   ';
        const expected = '   ---#   ';
        expectObservable(source$.pipe(singleFlight(() => a$))).toBe(expected);
        expectSubscriptions(a$.subscriptions).toBe(subs);
      });
    });

    it('errs with a flight and lets its source go', () => {
      marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
        const source$ = hot('a--b---');
        const a$ = cold('    -#     ');
        const subs = '       ^!     ';
        const expected = '   -#     ';
        expectObservable(source$.pipe(singleFlight(() => a$))).toBe(expected);
        expectSubscriptions(source$.subscriptions).toBe(subs);
      });
    });

    it('drops the flight in the air with its subscriber, and flies no more', () => {
      marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
        const source$ = hot('a-b------');
        const a$ = cold('    -----A|  ');
        const unsub = '      ^---!    ';
        expectObservable(source$.pipe(singleFlight(flights({ a: a$ }))), unsub).toBe('');
        expectSubscriptions(source$.subscriptions).toBe(unsub);
        expectSubscriptions(a$.subscriptions).toBe(unsub);
      });
    });

    it('keeps no state between subscribers', () => {
      marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
        const source$ = hot('a----b----');
        const a$ = cold('    -A|       ');
        const b$ = cold('         -B|  ');
        const late = '       ---^------';
        const land$ = source$.pipe(singleFlight(flights({ a: a$, b: b$ })));
        expectObservable(land$).toBe('      -A----B---');
        expectObservable(land$, late).toBe('------B---');
        expectSubscriptions(b$.subscriptions).toBe(['-----^-!', '-----^-!']);
      });
    });
  });

  it('flies one at a time, in order, without idling, and the newest last: whatever the timing', () => {
    const anySchedule = array(
      record({ pauseMs: integer({ min: 0, max: 12 }), flightMs: integer({ min: 0, max: 30 }) }),
      {
        minLength: 1,
        maxLength: 20,
      },
    );
    assert(
      property(anySchedule, (schedule) => {
        marbles(({ flush }, scheduler) => {
          let [inAir, most, wantedAtMs, landedAtMs, atMs] = [0, 0, 0, 0, 0];
          const flown: number[] = [];
          const wanted = schedule.map(({ pauseMs }, index) => ({ index, atMs: (atMs += pauseMs) }));
          const fly = (index: number): Observable<number> =>
            defer(() => {
              flown.push(index);
              most = Math.max(most, ++inAir);
              expect(scheduler.now()).to.equal(Math.max(wantedAtMs, landedAtMs));
              return timer(schedule[index]!.flightMs).pipe(
                map(() => index),
                finalize(() => {
                  inAir -= 1;
                  landedAtMs = scheduler.now();
                }),
              );
            });
          from(wanted)
            .pipe(
              mergeMap((order) => timer(order.atMs).pipe(map(() => order.index))),
              tap(() => (wantedAtMs = inAir === 0 ? scheduler.now() : wantedAtMs)),
              singleFlight(fly),
            )
            .subscribe();
          flush();
          expect(most).to.equal(1);
          expect(inAir).to.equal(0);
          expect(flown).to.deep.equal([...flown].sort((left, right) => left - right));
          expect(flown.at(-1)).to.equal(schedule.length - 1);
        });
      }),
    );
  });
});
