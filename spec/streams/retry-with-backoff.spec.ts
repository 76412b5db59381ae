import { expect } from 'chai';
import { defer, of, throwError } from 'rxjs';
import { Problem } from '../../streams/problem.ts';
import { retryWithBackoff } from '../../streams/retry-with-backoff.ts';
import { inTurn } from '../support/in-turn.ts';
import { marbles } from '../support/marbles.ts';
import { noJitter } from '../support/no-jitter.ts';

interface Failure {
  readonly status: number | null;
  readonly retryInMs: number;
}

describe('retryWithBackoff', () => {
  const refused = new Problem('refused', 500);
  const failed = ({ status }: Problem, retryInMs: number): Failure => ({ status, retryInMs });
  const after = (retryInMs: number): Failure => ({ status: 500, retryInMs });
  const retrying = retryWithBackoff<string, Failure>(noJitter, failed);

  it('lets a source that does not fail through as it is', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source$ = cold('-a-b|');
      const subs = '        ^---!';
      const expected = '    -a-b|';
      expectObservable(source$.pipe(retrying)).toBe(expected);
      expectSubscriptions(source$.subscriptions).toBe(subs);
    });
  });

  it('tells a failure as an item and subscribes again after 800 ms', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const first$ = cold(' a-#        ', undefined, refused);
      const second$ = cold('             -b|');
      const subs1 = '       ^-!         ';
      const subs2 = '       802ms       ^-!';
      const expected = '    a-f 800ms   b|';
      expectObservable(inTurn<string>(first$, second$).pipe(retrying)).toBe(expected, {
        a: 'a',
        b: 'b',
        f: after(800),
      });
      expectSubscriptions(first$.subscriptions).toBe(subs1);
      expectSubscriptions(second$.subscriptions).toBe(subs2);
    });
  });

  it('doubles the delay from failure to failure, up to 30 s, for ever', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source$ = cold('#', undefined, refused);
      const unsub = '   ^ 119s !';
      const expected = 'a 799ms b 1599ms c 3199ms d 6399ms e 12799ms f 25599ms g 29999ms h 29999ms i';
      expectObservable(source$.pipe(retrying), unsub).toBe(expected, {
        a: after(800),
        b: after(1_600),
        c: after(3_200),
        d: after(6_400),
        e: after(12_800),
        f: after(25_600),
        g: after(30_000),
        h: after(30_000),
        i: after(30_000),
      });
      expectSubscriptions(source$.subscriptions).toBe([
        '(^!)',
        '800ms (^!)',
        '2400ms (^!)',
        '5600ms (^!)',
        '12s (^!)',
        '24800ms (^!)',
        '50400ms (^!)',
        '80400ms (^!)',
        '110400ms (^!)',
      ]);
    });
  });

  it('starts the delays again once a value has come', () => {
    marbles(({ cold, expectObservable }) => {
      const source$ = inTurn<string>(
        cold('#', undefined, refused),
        cold('#', undefined, refused),
        cold('v#', undefined, refused),
        cold('w|'),
      );
      const expected = 'a 799ms b 1599ms va 799ms w|';
      expectObservable(source$.pipe(retrying)).toBe(expected, { a: after(800), b: after(1_600), v: 'v', w: 'w' });
    });
  });

  it('completes with the source, also after failures', () => {
    marbles(({ cold, expectObservable }) => {
      const source$ = inTurn<string>(cold('#', undefined, refused), cold('---|'));
      const expected = 'a 799ms ---|';
      expectObservable(source$.pipe(retrying)).toBe(expected, { a: after(800) });
    });
  });

  it('passes the status on, null when no answer came', () => {
    marbles(({ cold, expectObservable }) => {
      const source$ = inTurn<string>(cold('#', undefined, new Problem('lost')), cold('|'));
      const expected = 'f 799ms |';
      expectObservable(source$.pipe(retrying)).toBe(expected, { f: { status: null, retryInMs: 800 } });
    });
  });

  it('lets a bug through at once: only problems are retried', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const bug = new TypeError('a bug');
      const first$ = cold('#', undefined, refused);
      const second$ = cold('       a#', undefined, bug);
      const expected = '  f 799ms  a#';
      expectObservable(inTurn<string>(first$, second$).pipe(retrying)).toBe(expected, { a: 'a', f: after(800) }, bug);
      expectSubscriptions(second$.subscriptions).toBe('800ms ^!');
    });
  });

  it('subscribes no more when it is unsubscribed while it waits', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source$ = cold('-#       ', undefined, refused);
      const unsub = '       ^ 799ms !';
      const expected = '    -f       ';
      const subs = '        ^!       ';
      expectObservable(source$.pipe(retrying), unsub).toBe(expected, { f: after(800) });
      expectSubscriptions(source$.subscriptions).toBe(subs);
    });
  });

  it('unsubscribes the source with its subscriber', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source$ = cold('-a----');
      const unsub = '       ^--!  ';
      expectObservable(source$.pipe(retrying), unsub).toBe('-a');
      expectSubscriptions(source$.subscriptions).toBe('^--!');
    });
  });

  it('counts for each subscriber alone', () => {
    marbles(({ cold, expectObservable }) => {
      const result$ = cold('#', undefined, refused).pipe(retrying);
      const values = { a: after(800), b: after(1_600) };
      expectObservable(result$, '^ 1s !').toBe('      a 799ms b', values);
      expectObservable(result$, '500ms ^ 1s !').toBe('500ms a 799ms b', values);
    });
  });

  it('spreads its delays by the number it is given', () => {
    marbles(({ cold, expectObservable }) => {
      const source$ = inTurn<string>(cold('#', undefined, refused), cold('|'));
      const result$ = source$.pipe(retryWithBackoff(() => 0.5, failed));
      expectObservable(result$).toBe('f 599ms |', { f: after(600) });
    });
  });

  describe('a sign of life', () => {
    const silence = new Problem('connect ECONNREFUSED');
    const told = {
      a: { status: null, retryInMs: 800 },
      b: { status: null, retryInMs: 1_600 },
      c: { status: null, retryInMs: 3_200 },
      d: { status: null, retryInMs: 6_400 },
      e: { status: null, retryInMs: 12_800 },
      r: after(800),
      s: after(1_600),
      v: 'v',
    };

    it('ends a pause of 3.2 s or more that began because nobody answered', () => {
      marbles(({ cold, hot, expectObservable }) => {
        const apiReachable$ = hot('  --w 998ms w 1997ms w');
        const source$ = inTurn<string>(
          cold('#', undefined, silence),
          cold('#', undefined, silence),
          cold('#', undefined, silence),
          cold('v|'),
        );
        const expected = 'a 799ms b 1599ms c 598ms v|';
        expectObservable(source$.pipe(retryWithBackoff(noJitter, failed, apiReachable$))).toBe(expected, told);
      });
    });

    it('does not end the pause after the try that it brought about: that server answers some calls and is overrun', () => {
      marbles(({ cold, hot, expectObservable }) => {
        const apiReachable$ = hot('  2900ms w 99ms w 1s w 5398ms w');
        const source$ = cold('#', undefined, silence);
        const unsub = '      ^ 10s !';
        const expected = '   a 799ms b 1599ms c 499ms d 6399ms e 99ms f';
        expectObservable(source$.pipe(retryWithBackoff(noJitter, failed, apiReachable$)), unsub).toBe(expected, {
          ...told,
          f: { status: null, retryInMs: 25_600 },
        });
      });
    });

    it('ends no pause that began with a refusal', () => {
      marbles(({ cold, hot, expectObservable }) => {
        const apiReachable$ = hot('  2900ms w');
        const source$ = cold('#', undefined, refused);
        const unsub = '      ^ 5s !';
        const expected = '   r 799ms s 1599ms t';
        expectObservable(source$.pipe(retryWithBackoff(noJitter, failed, apiReachable$)), unsub).toBe(expected, {
          ...told,
          t: after(3_200),
        });
      });
    });
  });

  it('starts the delays again with the first refusal after silence, and only with that', () => {
    marbles(({ cold, expectObservable }) => {
      const silence = new Problem('connect ECONNREFUSED');
      const source$ = inTurn<string>(
        cold('#', undefined, silence),
        cold('#', undefined, silence),
        cold('#', undefined, refused),
        cold('#', undefined, refused),
        cold('|'),
      );
      const expected = 'a 799ms b 1599ms c 799ms d 1599ms |';
      expectObservable(source$.pipe(retrying)).toBe(expected, {
        a: { status: null, retryInMs: 800 },
        b: { status: null, retryInMs: 1_600 },
        c: after(800),
        d: after(1_600),
      });
    });
  });

  it('outlives four thousand failures in a row, which is an outage of a day and a half', () => {
    marbles(
      ({ flush }) => {
        let tries = 0;
        const told: (string | Failure)[] = [];
        const source$ = defer(() => (++tries > 4_000 ? of('back') : throwError(() => refused)));
        source$.pipe(retrying).subscribe((item) => told.push(item));
        flush();
        expect(told).to.have.length(4_001);
        expect(told.at(-1)).to.equal('back');
      },
      { untilMs: 2 * 86_400_000 },
    );
  });
});
