import { expect } from 'chai';
import { NEVER, type Observable } from 'rxjs';
import { podAnnotations, type PodEvent, type PodPorts } from '../../streams/pod-annotations.ts';
import { Problem } from '../../streams/problem.ts';
import { inTurn } from '../support/in-turn.ts';
import { marbles } from '../support/marbles.ts';
import { noJitter } from '../support/no-jitter.ts';

describe('podAnnotations', () => {
  const refused = new Problem('server error', 500);
  const forbidden = new Problem('pods/status is forbidden: patch', 403);
  const nudged = (hash: string): PodEvent => ({ type: 'kubelet/nudged', hash });
  const acknowledged = (hash: string): PodEvent => ({ type: 'replica/acknowledged', hash });
  const failed = (hash: string, retryInMs: number, { status, message }: Problem = refused): PodEvent => ({
    type: 'pod/failed',
    hash,
    status,
    error: message,
    retryInMs,
  });
  /** n, m: nudged for a, b; k, l: acknowledged a, b; F, G: failed for a the first, second time; X forbidden. */
  const told: Record<string, PodEvent> = {
    n: nudged('a'),
    m: nudged('b'),
    k: acknowledged('a'),
    l: acknowledged('b'),
    F: failed('a', 800),
    G: failed('a', 1_600),
    w: { type: 'replica/withdrawn' },
    X: { type: 'pod/forbidden', error: forbidden.message },
  };
  /** What is expected: a hash, or 0 for nothing. */
  const hashes: Record<string, string | null> = { a: 'a', b: 'b', 0: null };

  const ports = (expect$: Observable<unknown>, acknowledge$: Observable<unknown> = NEVER): PodPorts => ({
    random: noJitter,
    expectHash: () => expect$,
    acknowledgeHash: () => acknowledge$,
  });

  describe('the nudge', () => {
    it('is written at once for a hash that is expected, and again after 2 s, 4 s … 30 s', () => {
      marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
        const expected$ = hot('-a                        ', hashes);
        const write$ = cold('   -|                       ');
        const unsub = '        ^ 100s                    !';
        const expected = '     --n 2s n 4s n 8s n 16s n 30s n 30s n';
        expectObservable(podAnnotations({ expected$, serving$: NEVER }, ports(write$)), unsub).toBe(expected, told);
        expectSubscriptions(write$.subscriptions).toBe([
          '-^!',
          '2002ms ^!',
          '6003ms ^!',
          '14004ms ^!',
          '30005ms ^!',
          '60006ms ^!',
          '90007ms ^!',
        ]);
      });
    });

    it('ends as soon as nothing is expected any more', () => {
      marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
        const expected$ = hot('-a 1s 0    ', hashes);
        const write$ = cold('   -|         ');
        const expected = '     --n        ';
        expectObservable(podAnnotations({ expected$, serving$: NEVER }, ports(write$))).toBe(expected, told);
        expectSubscriptions(write$.subscriptions).toBe('-^!');
      });
    });

    it('turns to the newest hash at once, in the middle of a write, and counts its pauses afresh', () => {
      marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
        const expected$ = hot('-a-b         ', hashes);
        const slow$ = cold('    ---|         ');
        const next$ = cold('      -|         ');
        const unsub = '        ^ 3s         !';
        const expected = '     ----m 2s m   ';
        const slowSubs = '     -^-!         ';
        const nextSubs = ['    ---^!', '2004ms ^!'];
        const write$ = inTurn<unknown>(slow$, next$);
        expectObservable(podAnnotations({ expected$, serving$: NEVER }, ports(write$)), unsub).toBe(expected, told);
        expectSubscriptions(slow$.subscriptions).toBe(slowSubs);
        expectSubscriptions(next$.subscriptions).toBe(nextSubs);
      });
    });

    it('is not begun again because the same hash is still expected', () => {
      marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
        const expected$ = hot('-a-a-a', hashes);
        const write$ = cold('   -|   ');
        const unsub = '        ^ 1s !';
        const expected = '     --n---';
        expectObservable(podAnnotations({ expected$, serving$: NEVER }, ports(write$)), unsub).toBe(expected, told);
        expectSubscriptions(write$.subscriptions).toBe('-^!');
      });
    });

    it('names the hash that is expected', () => {
      marbles(({ hot, cold, expectObservable, flush }) => {
        const written: string[] = [];
        const expected$ = hot('-a-b-0-', hashes);
        const expectHash = (hash: string): Observable<unknown> => {
          written.push(hash);
          return cold('|');
        };
        const pod$ = podAnnotations({ expected$, serving$: NEVER }, { ...ports(NEVER), expectHash });
        expectObservable(pod$).toBe('-n-m---', told);
        flush();
        expect(written).to.deep.equal(['a', 'b']);
      });
    });
  });

  describe('the acknowledgement', () => {
    it('is written once for each hash that is served', () => {
      marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
        const serving$ = hot(' -a-a-b-b-');
        const write$ = cold('   -|       ');
        const subs = ['        -^!', '-----^!'];
        const expected = '     --k---l---';
        const pod$ = podAnnotations({ expected$: NEVER, serving$ }, ports(NEVER, write$));
        expectObservable(pod$).toBe(expected, told);
        expectSubscriptions(write$.subscriptions).toBe(subs);
      });
    });

    it('is withdrawn when nothing that may be acknowledged is served any more', () => {
      marbles(({ hot, cold, expectObservable }) => {
        const serving$ = hot(' -a-0-0-a', hashes);
        const expected = '     --k-w---k';
        const pod$ = podAnnotations({ expected$: NEVER, serving$ }, ports(NEVER, cold('-|')));
        expectObservable(pod$).toBe(expected, told);
      });
    });

    it('is told when it has been written, not before', () => {
      marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
        const serving$ = hot(' -a---------');
        const write$ = cold('   --x--y---| ', { x: 'answer', y: 'answer' });
        const subs = '         -^--------!';
        const expected = '     ----------k';
        const pod$ = podAnnotations({ expected$: NEVER, serving$ }, ports(NEVER, write$));
        expectObservable(pod$).toBe(expected, told);
        expectSubscriptions(write$.subscriptions).toBe(subs);
      });
    });

    it('of an older hash is broken off when a newer one is served', () => {
      marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
        const serving$ = hot(' -a--b-----');
        const slow$ = cold('    -----|   ');
        const next$ = cold('       -|    ');
        const expected = '     -----l----';
        const write$ = inTurn<unknown>(slow$, next$);
        const pod$ = podAnnotations({ expected$: NEVER, serving$ }, ports(NEVER, write$));
        expectObservable(pod$).toBe(expected, told);
        expectSubscriptions(slow$.subscriptions).toBe('-^--!');
        expectSubscriptions(next$.subscriptions).toBe('----^!');
      });
    });

    it('goes beside a nudge: neither waits for the other', () => {
      marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
        const expected$ = hot('-b-----', hashes);
        const serving$ = hot(' -a-----');
        const nudge$ = cold('   ----| ');
        const write$ = cold('   --|   ');
        const unsub = '        ^------!';
        const expected = '     ---k-m-';
        const pod$ = podAnnotations({ expected$, serving$ }, ports(nudge$, write$));
        expectObservable(pod$, unsub).toBe(expected, told);
        expectSubscriptions(nudge$.subscriptions).toBe('-^---!');
        expectSubscriptions(write$.subscriptions).toBe('-^-!');
      });
    });
  });

  describe('when a write fails', () => {
    it('is tried again after 800 ms, 1.6 s … and told each time', () => {
      marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
        const serving$ = hot(' -a                     ');
        const bad$ = cold('     -#                    ', undefined, refused);
        const good$ = cold('                        -|');
        const expected = '     --F 800ms G 1600ms     k';
        const write$ = inTurn<unknown>(bad$, bad$, good$);
        const pod$ = podAnnotations({ expected$: NEVER, serving$ }, ports(NEVER, write$));
        expectObservable(pod$).toBe(expected, told);
        expectSubscriptions(bad$.subscriptions).toBe(['-^!', '802ms ^!']);
        expectSubscriptions(good$.subscriptions).toBe('2403ms ^!');
      });
    });

    it('repeats a nudge after its retries as if none had failed', () => {
      marbles(({ hot, cold, expectObservable }) => {
        const expected$ = hot('-a                        ', hashes);
        const bad$ = cold('     -#                       ', undefined, refused);
        const good$ = cold('    -|                       ');
        const unsub = '        ^ 8s                      !';
        const expected = '     --F 800ms n 2s n 4s n';
        const write$ = inTurn<unknown>(bad$, good$);
        expectObservable(podAnnotations({ expected$, serving$: NEVER }, ports(write$)), unsub).toBe(expected, told);
      });
    });

    it('gives a retry up when its hash is no longer the one', () => {
      marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
        const serving$ = hot(' -a 98ms b     ');
        const bad$ = cold('     -#           ', undefined, refused);
        const good$ = cold('           -|    ');
        const expected = '     --F 98ms l    ';
        const write$ = inTurn<unknown>(bad$, good$);
        const pod$ = podAnnotations({ expected$: NEVER, serving$ }, ports(NEVER, write$));
        expectObservable(pod$).toBe(expected, told);
        expectSubscriptions(bad$.subscriptions).toBe('-^!');
        expectSubscriptions(good$.subscriptions).toBe('100ms ^!');
      });
    });

    it('rethrows an error that is no Problem, since it is a bug', () => {
      marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
        const bug = new TypeError('a bug');
        const expected$ = hot('-a----', hashes);
        const serving$ = hot(' ------');
        const write$ = cold('   -#   ', undefined, bug);
        expectObservable(podAnnotations({ expected$, serving$ }, ports(write$))).toBe('--#', told, bug);
        expectSubscriptions(expected$.subscriptions).toBe('^-!');
        expectSubscriptions(serving$.subscriptions).toBe('^-!');
      });
    });
  });

  describe('when a write is forbidden', () => {
    it('says so once and writes nothing any more', () => {
      marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
        const expected$ = hot('-a---b-----', hashes);
        const serving$ = hot(' -----a-----');
        const nudge$ = cold('   --#       ', undefined, forbidden);
        const write$ = cold('   -|        ');
        const subs = '         ^--!       ';
        const expected = '     ---(X|)    ';
        expectObservable(podAnnotations({ expected$, serving$ }, ports(nudge$, write$))).toBe(expected, told);
        expectSubscriptions(expected$.subscriptions).toBe(subs);
        expectSubscriptions(serving$.subscriptions).toBe(subs);
        expectSubscriptions(write$.subscriptions).toBe([]);
      });
    });

    it('says so once although both were under way', () => {
      marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
        const expected$ = hot('-a-------', hashes);
        const serving$ = hot(' -b-------');
        const nudge$ = cold('   -----#  ', undefined, forbidden);
        const write$ = cold('   --#     ', undefined, forbidden);
        const expected = '     ---(X|)  ';
        expectObservable(podAnnotations({ expected$, serving$ }, ports(nudge$, write$))).toBe(expected, told);
        expectSubscriptions(nudge$.subscriptions).toBe('-^-!');
        expectSubscriptions(write$.subscriptions).toBe('-^-!');
      });
    });

    it('says so also when other failures came first', () => {
      marbles(({ hot, cold, expectObservable }) => {
        const serving$ = hot(' -a               ');
        const bad$ = cold('     -#              ', undefined, refused);
        const no$ = cold('                -#    ', undefined, forbidden);
        const expected = '     --F 800ms   (X|) ';
        const pod$ = podAnnotations({ expected$: NEVER, serving$ }, ports(NEVER, inTurn<unknown>(bad$, no$)));
        expectObservable(pod$).toBe(expected, told);
      });
    });
  });

  it('drops the write under way and every pause with its subscriber', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const expected$ = hot('-a-----', hashes);
      const serving$ = hot(' -a-----');
      const nudge$ = cold('   -|    ');
      const write$ = cold('   -----|');
      const unsub = '        ^---!  ';
      expectObservable(podAnnotations({ expected$, serving$ }, ports(nudge$, write$)), unsub).toBe('--n', told);
      expectSubscriptions(expected$.subscriptions).toBe(unsub);
      expectSubscriptions(serving$.subscriptions).toBe(unsub);
      expectSubscriptions(nudge$.subscriptions).toBe('-^!');
      expectSubscriptions(write$.subscriptions).toBe('-^--!');
    });
  });
});
