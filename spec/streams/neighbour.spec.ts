import { expect } from 'chai';
import type { LoadEvent, Swapped } from '../../streams/load-certificate.ts';
import { reviewDelayMs, settledConclusions } from '../../streams/neighbour.ts';
import { loads } from '../support/loads.ts';
import { marbles } from '../support/marbles.ts';
import { virtualClock } from '../support/virtual-clock.ts';

const UNREACHABLE = { kind: 'neighbour-unreachable', detail: 'nothing listens', shown: null } as const;

describe('the conclusions about a server that terminates TLS itself', () => {
  /** x, y: a and b are not shown; u: unreachable; s, t: a and b served; m: another mount; w: swapped. */
  const values = {
    x: loads.notShown('a'),
    y: loads.notShown('b'),
    u: loads.notShown('a', UNREACHABLE),
    s: loads.served('a'),
    t: loads.served('b'),
    f: loads.untrusted('a', 'the chain is incomplete'),
    e: loads.untrusted('a', 'it has expired'),
    r: loads.notShown('a', { refused: 'unknown CA' }),
    q: loads.notShown('a', { refused: 'it has expired' }),
    m: loads.mismatched('b', 'a'),
    w: loads.swapped(),
  };
  const expectSettled = (source: string, expected: string): void =>
    marbles(({ hot, expectObservable }, scheduler) => {
      const flight$ = hot<LoadEvent | Swapped>(source, values);
      expectObservable(flight$.pipe(settledConclusions(virtualClock(scheduler)))).toBe(expected, values);
    });

  it('say that a pair is not shown only after three seconds, and say it once', () => {
    expectSettled('x 99ms x 199ms x 2699ms x 1999ms x', '3s    x');
  });

  it('say nothing of a server that reads a new certificate within that time', () => {
    expectSettled('x 99ms x 899ms s', '1s     s');
  });

  it('say once what each look confirms', () => {
    expectSettled('s 1s s 1s s 1s t 1s t', 's 3002ms       t');
  });

  it('say at once that the pair is shown again, and count the three seconds afresh', () => {
    expectSettled('x 2999ms x 9ms s 1s x 1s x 2s x', '3s       x 9ms s 4002ms      x');
  });

  it('say at once what else happens in between, and count afresh', () => {
    expectSettled('y 1999ms m 1999ms y 2999ms y', '2s       m 4999ms            y');
  });

  it('say that the reason is another one', () => {
    expectSettled('x 2999ms x 9ms u', '3s       x 9ms u');
  });

  it('do not mention a swap, since nothing was swapped here', () => {
    expectSettled('wxw 2997ms wx', '------ 2995ms x');
  });

  it('say that callers refuse what is shown as announced', () => {
    expectSettled('sffs', 'sf-s');
  });

  it('say that callers refuse it for another reason', () => {
    expectSettled('sfeef', 'sfe-f');
    expectSettled('r 2999ms r 9ms q 9ms q', '3s       r 9ms q');
  });

  it('repeat what is no answer of that server', () => {
    expectSettled('mm-m', 'mm-m');
  });
});

describe('the next handshake with a server that terminates TLS itself', () => {
  it('comes after 100 ms doubling to 2 s while it does not show the pair, or callers refuse it', () => {
    for (const load of [loads.notShown('a'), loads.untrusted('a', 'expired')])
      expect([1, 2, 3, 4, 5, 6, 7, 99_999].map((failures) => reviewDelayMs(load, failures, 5_000))).to.deep.equal([
        100, 200, 400, 800, 1_600, 2_000, 2_000, 2_000,
      ]);
  });

  it('comes at each tick once it does', () => {
    expect([1, 9].map((failures) => reviewDelayMs(loads.served('a'), failures, 5_000))).to.deep.equal([5_000, 5_000]);
  });

  it('is none where there is no pair to look for', () => {
    for (const load of [
      loads.unannounced(),
      loads.unmounted('a'),
      loads.mismatched('a', 'b'),
      loads.rejected('a', 'x'),
    ])
      expect(reviewDelayMs(load, 1, 5_000)).to.equal(null);
  });
});
