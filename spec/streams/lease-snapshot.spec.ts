import { NEVER, type Observable } from 'rxjs';
import type { LeaseEvent } from '../../streams/events.ts';
import { type LeasePorts, leaseSnapshot, type LeaseSources } from '../../streams/lease-snapshot.ts';
import type { LeaseSnapshot } from '../../streams/model.ts';
import { Problem } from '../../streams/problem.ts';
import type { Listing, WatchFrame } from '../../streams/watch-port.ts';
import { inTurn } from '../support/in-turn.ts';
import { leaseOf } from '../support/lease-of.ts';
import { marbles } from '../support/marbles.ts';
import { noJitter } from '../support/no-jitter.ts';
import { watchPortOf } from '../support/watch-port-of.ts';

type Observed = Extract<LeaseEvent, { type: 'lease/observed' }>;

describe('leaseSnapshot', () => {
  const policy = { staleAfterMs: 60_000, random: noJitter };
  const refused = new Problem('server error', 500);

  const at = (resourceVersion: string, hash: string | null): LeaseSnapshot => leaseOf(hash, { resourceVersion });
  const observed = (lease: LeaseSnapshot | null, via: Observed['via'], announces: boolean): Observed => ({
    type: 'lease/observed',
    lease,
    via,
    announces,
  });

  const listings: Record<string, Listing<LeaseSnapshot>> = {
    l: { resourceVersion: '5', items: [at('5', 'a')] },
    s: { resourceVersion: '3', items: [at('3', 'z')] },
    0: { resourceVersion: '5', items: [] },
  };
  const frames: Record<string, WatchFrame<LeaseSnapshot>> = {
    o: { type: 'opened' },
    b: { type: 'applied', resourceVersion: '6', object: at('6', 'b') },
    r: { type: 'applied', resourceVersion: '7', object: at('7', 'b') },
    c: { type: 'applied', resourceVersion: '20', object: at('20', 'c') },
    d: { type: 'deleted', resourceVersion: '8', object: at('8', 'b') },
    n: { type: 'deleted', resourceVersion: '20', object: at('20', 'b') },
  };
  /** Answers to a GET, and to our own writes. */
  const leases: Record<string, LeaseSnapshot | null> = {
    a: at('5', 'a'),
    b: at('6', 'b'),
    c: at('20', 'c'),
    z: at('3', 'z'),
    0: null,
  };
  const written = { b: at('6', 'b'), c: at('20', 'c'), z: at('3', 'z') };

  const failed = { type: 'watch/failed', status: 500, error: 'server error', retryInMs: 800 } as const;
  const told: Record<string, LeaseEvent> = {
    L: observed(at('5', 'a'), 'watch', true),
    e: { type: 'watch/established', resourceVersion: '5' },
    C: { type: 'watch/closed', reason: 'ended' },
    F: failed,
    U: { type: 'lease/unread', status: 500, error: 'server error' },
  };

  interface Given extends Partial<LeaseSources> {
    readonly lists: readonly Observable<Listing<LeaseSnapshot>>[];
    readonly connections?: readonly Observable<WatchFrame<LeaseSnapshot>>[];
    readonly get$?: Observable<LeaseSnapshot | null>;
  }
  const snapshots = (given: Given): Observable<LeaseEvent> => {
    const { lists, connections = [NEVER], get$ = NEVER } = given;
    const { tick$ = NEVER, asked$ = NEVER, written$ = NEVER } = given;
    const ports: LeasePorts = { leaseWatch: watchPortOf(lists, connections), getLease: () => get$ };
    return leaseSnapshot({ tick$, asked$, written$ }, ports, policy);
  };

  describe('from the watch', () => {
    it('tells every state of the Lease, and whether it announces something else than before', () => {
      marbles(({ cold, expectObservable, expectSubscriptions }) => {
        const list$ = cold('      -(l|)     ', listings);
        const connection$ = cold(' -o-b-r-d-', frames);
        const unsub = '           ^---------!';
        const expected = '        -Le-b-r-d--';
        const watchSubs = '       -^--------!';
        expectObservable(snapshots({ lists: [list$], connections: [connection$] }), unsub).toBe(expected, {
          ...told,
          b: observed(at('6', 'b'), 'watch', true),
          r: observed(at('7', 'b'), 'watch', false),
          d: observed(null, 'watch', true),
        });
        expectSubscriptions(connection$.subscriptions).toBe(watchSubs);
      });
    });

    it('tells that there is no Lease', () => {
      marbles(({ cold, expectObservable }) => {
        const list$ = cold('      -(0|)   ', listings);
        const connection$ = cold(' -o-b--', frames);
        const unsub = '           ^------!';
        const expected = '        -0e-b---';
        expectObservable(snapshots({ lists: [list$], connections: [connection$] }), unsub).toBe(expected, {
          ...told,
          0: observed(null, 'watch', false),
          b: observed(at('6', 'b'), 'watch', true),
        });
      });
    });

    it('passes on how the watch itself fares', () => {
      marbles(({ cold, expectObservable }) => {
        const bad$ = cold('      -#                   ', listings, refused);
        const good$ = cold('              -(l|)       ', listings);
        const connection$ = cold('           -o|      ', frames);
        const unsub = '          ^ 803ms            --!';
        const expected = '       -F 800ms  LeC         ';
        const lease$ = snapshots({ lists: [bad$, good$], connections: [connection$, NEVER] });
        expectObservable(lease$, unsub).toBe(expected, told);
      });
    });

    it('drops what is older than what was seen, yet tells the same version again', () => {
      marbles(({ cold, expectObservable }) => {
        const list$ = cold('      -(l|)       ', listings);
        const connection$ = cold(' -o-c-b-d-c-', frames);
        const unsub = '           ^----------!';
        const expected = '        -Le-c-----x-';
        expectObservable(snapshots({ lists: [list$], connections: [connection$] }), unsub).toBe(expected, {
          ...told,
          c: observed(at('20', 'c'), 'watch', true),
          x: observed(at('20', 'c'), 'watch', false),
        });
      });
    });

    it('believes a list although it is older: the cluster may have been restored', () => {
      marbles(({ cold, expectObservable }) => {
        const list1$ = cold('     -(l|)         ', listings);
        const lost$ = cold('       -o-x         ', { ...frames, x: { type: 'expired' } as const });
        const list2$ = cold('         -(s|)     ', listings);
        const connection$ = cold('     -o-b--   ', frames);
        const unsub = '           ^---------!   ';
        const expected = '        -Le-XSf-b-     ';
        const lease$ = snapshots({ lists: [list1$, list2$], connections: [lost$, connection$] });
        expectObservable(lease$, unsub).toBe(expected, {
          ...told,
          X: { type: 'watch/closed', reason: 'expired' },
          S: observed(at('3', 'z'), 'watch', true),
          f: { type: 'watch/established', resourceVersion: '3' },
          b: observed(at('6', 'b'), 'watch', true),
        });
      });
    });

    for (const list of ['s', '0']) {
      it(`does not believe the list "${list}" when something newer was seen while it was under way`, () => {
        marbles(({ cold, hot, expectObservable }) => {
          const list$ = cold(`       ---(${list}|)`, listings);
          const connection$ = cold('    -o-c--', frames);
          const written$ = hot('     -b--------', written);
          const unsub = '            ^---------!';
          const expected = '         -w--e-c---';
          expectObservable(snapshots({ lists: [list$], connections: [connection$], written$ }), unsub).toBe(expected, {
            ...told,
            w: observed(at('6', 'b'), 'write', true),
            e: { type: 'watch/established', resourceVersion: list === 's' ? '3' : '5' },
            c: observed(at('20', 'c'), 'watch', true),
          });
        });
      });
    }

    it('believes a list after a GET found no Lease while it was under way', () => {
      marbles(({ cold, hot, expectObservable }) => {
        const list1$ = cold('     -(l|)          ', listings);
        const lost$ = cold('       -x           ', { x: { type: 'expired' } as const });
        const list2$ = cold('        -----(s|)  ', listings);
        const tick$ = hot('       ----t----------');
        const get$ = cold('           -(0|)     ', leases);
        const unsub = '           ^-------------!';
        const expected = '        -LX--0-S-------';
        const lease$ = snapshots({ lists: [list1$, list2$], connections: [lost$, NEVER], tick$, get$ });
        expectObservable(lease$, unsub).toBe(expected, {
          ...told,
          X: { type: 'watch/closed', reason: 'expired' },
          0: observed(null, 'get', true),
          S: observed(at('3', 'z'), 'watch', true),
        });
      });
    });

    it('drops the deletion of a Lease that has been made again', () => {
      marbles(({ cold, hot, expectObservable }) => {
        const list$ = cold('      -(l|)      ', listings);
        const connection$ = cold(' -o---d-n-', frames);
        const written$ = hot('    ----c----- ', written);
        const unsub = '           ^---------!';
        const expected = '        -Le-c---n-';
        expectObservable(snapshots({ lists: [list$], connections: [connection$], written$ }), unsub).toBe(expected, {
          ...told,
          c: observed(at('20', 'c'), 'write', true),
          n: observed(null, 'watch', true),
        });
      });
    });
  });

  describe('at the tick (F8, F9)', () => {
    it('GETs the Lease for as long as there has been no watch', () => {
      marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
        const list$ = cold(' -----------------', listings);
        const tick$ = hot('  ----t----t----t--');
        const get$ = cold('      -(a|)        ', leases);
        const unsub = '      ^----------------!';
        const expected = '   -----a----x----x--';
        const getSubs = ['   ----^!', '---------^!', '--------------^!'];
        expectObservable(snapshots({ lists: [list$], tick$, get$ }), unsub).toBe(expected, {
          a: observed(at('5', 'a'), 'get', true),
          x: observed(at('5', 'a'), 'get', false),
        });
        expectSubscriptions(get$.subscriptions).toBe(getSubs);
        expectSubscriptions(tick$.subscriptions).toBe(unsub);
      });
    });

    it('GETs nothing while the watch is established', () => {
      marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
        const list$ = cold('      -(l|)    ', listings);
        const connection$ = cold(' -o------', frames);
        const tick$ = hot('       ---t---t-');
        const get$ = cold('       -(a|)    ', leases);
        const unsub = '           ^--------!';
        const expected = '        -Le------';
        const tickSubs = '        ^-!      ';
        expectObservable(snapshots({ lists: [list$], connections: [connection$], tick$, get$ }), unsub).toBe(
          expected,
          told,
        );
        expectSubscriptions(get$.subscriptions).toBe([]);
        expectSubscriptions(tick$.subscriptions).toBe(tickSubs);
      });
    });

    it('GETs nothing whatever an established watch carries', () => {
      marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
        const list$ = cold('      -(l|)       ', listings);
        const connection$ = cold(' -o-b---d-- ', frames);
        const tick$ = hot('       -----t---t--');
        const get$ = cold('       -(a|)       ', leases);
        const unsub = '           ^----------!';
        const expected = '        -Le-b---d---';
        expectObservable(snapshots({ lists: [list$], connections: [connection$], tick$, get$ }), unsub).toBe(expected, {
          ...told,
          b: observed(at('6', 'b'), 'watch', true),
          d: observed(null, 'watch', true),
        });
        expectSubscriptions(get$.subscriptions).toBe([]);
        expectSubscriptions(tick$.subscriptions).toBe('^-!');
      });
    });

    it('GETs after the watch has ended and until it is established again', () => {
      marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
        const list$ = cold('   -(l|)            ', listings);
        const ends$ = cold('    -o-|            ', frames);
        const slow$ = cold('       ------o      ', frames);
        const tick$ = hot('    ------t------t--');
        const get$ = cold('          -(b|)      ', leases);
        const unsub = '        ^--------------!';
        const expected = '     -Le-C--b--e-----';
        const lease$ = snapshots({ lists: [list$], connections: [ends$, slow$], tick$, get$ });
        expectObservable(lease$, unsub).toBe(expected, { ...told, b: observed(at('6', 'b'), 'get', true) });
        expectSubscriptions(get$.subscriptions).toBe('------^!');
        expectSubscriptions(tick$.subscriptions).toBe(['^-!', '----^-----!']);
      });
    });

    it('ends the pause of a watch that got no answer as soon as a GET gets one', () => {
      marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
        const lost = new Problem('connection refused');
        const lost$ = cold<Listing<LeaseSnapshot>>('-#', listings, lost);
        const list$ = cold('                    -(l|)', listings);
        const connection$ = cold('               -o', frames);
        const tick$ = hot('     2900ms              t');
        const get$ = cold('                         -(a|)', leases);
        const unsub = '         ^ 2909ms            ---!';
        const expected = '      -F 800ms G 1600ms H 497ms ALe';
        const unanswered = { type: 'watch/failed', status: null, error: 'connection refused' } as const;
        const again = { ...unanswered, repeated: true } as const;
        const lease$ = snapshots({ lists: [lost$, lost$, lost$, list$], connections: [connection$], tick$, get$ });
        expectObservable(lease$, unsub).toBe(expected, {
          ...told,
          F: { ...unanswered, retryInMs: 800 },
          G: { ...again, retryInMs: 1_600 },
          H: { ...again, retryInMs: 3_200 },
          A: observed(at('5', 'a'), 'get', true),
          L: observed(at('5', 'a'), 'watch', false),
        });
        expectSubscriptions(list$.subscriptions).toBe('2901ms ^!');
      });
    });

    it('sends no GET before the time that Retry-After asks for, neither at a tick nor on request', () => {
      marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
        const busy = new Problem('too many requests', 429, 5_000);
        const list$ = cold<Listing<LeaseSnapshot>>('-#', listings, new Problem('too many requests', 429, 20_000));
        const busy$ = cold<LeaseSnapshot | null>('-#', leases, busy);
        const get$ = cold('-(a|)', leases);
        const tick$ = hot('  1s t 999ms t 999ms t 999ms t 2999ms t');
        const asked$ = hot(' 3s ?');
        const unsub = '      ^ 7100ms !';
        const expected = '   -F 999ms U 5s A 998ms B';
        const lease$ = snapshots({ lists: [list$], connections: [NEVER], tick$, asked$, get$: inTurn(busy$, get$) });
        expectObservable(lease$, unsub).toBe(expected, {
          F: { type: 'watch/failed', status: 429, error: 'too many requests', retryInMs: 20_000 },
          U: { type: 'lease/unread', status: 429, error: 'too many requests' },
          A: observed(at('5', 'a'), 'get', true),
          B: observed(at('5', 'a'), 'get', false),
        });
        expectSubscriptions(busy$.subscriptions).toBe('1s ^!');
        expectSubscriptions(get$.subscriptions).toBe(['6001ms ^!', '7000ms ^!']);
      });
    });

    it('GETs while the watch pauses, until it is established again', () => {
      marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
        const list$ = cold('    -(l|)                     ', listings);
        const breaks$ = cold('   -o-#                     ', frames, refused);
        const holds$ = cold('                 -o          ', frames);
        const tick$ = hot('     --- 400ms t 402ms -t--t  ');
        const get$ = cold('               -(b|)           ', leases);
        const unsub = '         ^ 812ms                  !';
        const expected = '      -Le-F 399ms b 400ms e    ';
        const tickSubs = ['     ^-!', '----^ 800ms !'];
        const lease$ = snapshots({ lists: [list$], connections: [breaks$, holds$], tick$, get$ });
        expectObservable(lease$, unsub).toBe(expected, { ...told, b: observed(at('6', 'b'), 'get', true) });
        expectSubscriptions(get$.subscriptions).toBe('403ms ^!');
        expectSubscriptions(tick$.subscriptions).toBe(tickSubs);
      });
    });

    it('does not let one slow GET queue others behind it', () => {
      marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
        const list$ = cold(' ------------', listings);
        const tick$ = hot('  -t-t-t-t----');
        const get$ = cold('   ----(a|)   ', leases);
        const unsub = '      ^-----------!';
        const expected = '   -----a-----x-';
        const getSubs = ['   -^---!', '-------^---!'];
        expectObservable(snapshots({ lists: [list$], tick$, get$ }), unsub).toBe(expected, {
          a: observed(at('5', 'a'), 'get', true),
          x: observed(at('5', 'a'), 'get', false),
        });
        expectSubscriptions(get$.subscriptions).toBe(getSubs);
      });
    });

    it('tells a GET that was under way when the watch came up, if it is no older', () => {
      marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
        const list$ = cold('      --(l|)    ', listings);
        const connection$ = cold('  -o-----', frames);
        const tick$ = hot('       -t--------');
        const newer$ = cold('      ---(b|)  ', leases);
        const older$ = cold('      ---(z|)  ', leases);
        const unsub = '           ^--------!';
        const tick = { lists: [list$], connections: [connection$], tick$ };
        const values = { ...told, b: observed(at('6', 'b'), 'get', true) };
        expectObservable(snapshots({ ...tick, get$: newer$ }), unsub).toBe('--Leb----', values);
        expectObservable(snapshots({ ...tick, get$: older$ }), unsub).toBe('--Le-----', values);
        expectSubscriptions(newer$.subscriptions).toBe('-^--!');
      });
    });

    it('tells that the Lease could not be read, and goes on', () => {
      marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
        const list$ = cold('----------', listings);
        const tick$ = hot(' -t---t----');
        const bad$ = cold('  -#       ', leases, refused);
        const good$ = cold('     -(a|) ', leases);
        const unsub = '     ^---------!';
        const expected = '  --U---a----';
        const values = { ...told, a: observed(at('5', 'a'), 'get', true) };
        expectObservable(snapshots({ lists: [list$], tick$, get$: inTurn(bad$, good$) }), unsub).toBe(expected, values);
        expectSubscriptions(bad$.subscriptions).toBe('-^!');
      });
    });

    it('rethrows an error that is no Problem, since it is a bug', () => {
      marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
        const bug = new TypeError('a bug');
        const list$ = cold('----------', listings);
        const tick$ = hot(' -t---t----');
        const get$ = cold('  -#       ', leases, bug);
        expectObservable(snapshots({ lists: [list$], tick$, get$ })).toBe('--#', told, bug);
        expectSubscriptions(list$.subscriptions).toBe('^-!');
        expectSubscriptions(tick$.subscriptions).toBe('^-!');
      });
    });
  });

  describe('by a GET that finds no Lease', () => {
    it('tells so', () => {
      marbles(({ cold, hot, expectObservable }) => {
        const list$ = cold('----------', listings);
        const tick$ = hot(' -t---t----');
        const some$ = cold(' -(a|)    ', leases);
        const none$ = cold('     -(0|)', leases);
        const unsub = '     ^---------!';
        const expected = '  --a---0---';
        expectObservable(snapshots({ lists: [list$], tick$, get$: inTurn(some$, none$) }), unsub).toBe(expected, {
          a: observed(at('5', 'a'), 'get', true),
          0: observed(null, 'get', true),
        });
      });
    });

    it('does not when the Lease was seen while the GET was under way: there it is', () => {
      marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
        const list$ = cold(' ----------', listings);
        const tick$ = hot('  -t--------');
        const get$ = cold('   ----(0|) ', leases);
        const written$ = hot('---b------', written);
        const unsub = '      ^--------!';
        const expected = '   ---b------';
        expectObservable(snapshots({ lists: [list$], tick$, get$, written$ }), unsub).toBe(expected, {
          b: observed(at('6', 'b'), 'write', true),
        });
        expectSubscriptions(get$.subscriptions).toBe('-^---!');
      });
    });
  });

  describe('when somebody asks (F7)', () => {
    it('GETs the Lease, also while the watch is established', () => {
      marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
        const list$ = cold('      -(l|)     ', listings);
        const connection$ = cold(' -o-------', frames);
        const asked$ = hot('      -----q----');
        const get$ = cold('            -(b|)', leases);
        const unsub = '           ^---------!';
        const expected = '        -Le---b---';
        const getSubs = '         -----^!   ';
        const lease$ = snapshots({ lists: [list$], connections: [connection$], asked$, get$ });
        expectObservable(lease$, unsub).toBe(expected, { ...told, b: observed(at('6', 'b'), 'get', true) });
        expectSubscriptions(get$.subscriptions).toBe(getSubs);
        expectSubscriptions(asked$.subscriptions).toBe(unsub);
      });
    });

    it('GETs once more for all who ask during a GET: its answer may be older than their question', () => {
      marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
        const list$ = cold('      -(l|)         ', listings);
        const connection$ = cold(' -o-----------', frames);
        const asked$ = hot('      ---q-qq-------');
        const early$ = cold('        ----(a|)   ', leases);
        const later$ = cold('            ----(b|)', leases);
        const unsub = '           ^-------------!';
        const expected = '        -Le----a---b---';
        const get$ = inTurn(early$, later$);
        expectObservable(snapshots({ lists: [list$], connections: [connection$], asked$, get$ }), unsub).toBe(
          expected,
          {
            ...told,
            a: observed(at('5', 'a'), 'get', false),
            b: observed(at('6', 'b'), 'get', true),
          },
        );
        expectSubscriptions(early$.subscriptions).toBe('---^---!');
        expectSubscriptions(later$.subscriptions).toBe('-------^---!');
      });
    });

    it('does not ask again and again when the answer is a failure', () => {
      marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
        const list$ = cold('      -(l|)         ', listings);
        const connection$ = cold(' -o-----------', frames);
        const asked$ = hot('      ---q----------');
        const get$ = cold('          -#         ', leases, refused);
        const unsub = '           ^ 10s         !';
        const expected = '        -Le-U         ';
        const lease$ = snapshots({ lists: [list$], connections: [connection$], asked$, get$ });
        expectObservable(lease$, unsub).toBe(expected, told);
        expectSubscriptions(get$.subscriptions).toBe('---^!');
      });
    });
  });

  describe('from our own writes', () => {
    it('tells the answer at once, before the watch repeats it', () => {
      marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
        const list$ = cold('      -(l|)      ', listings);
        const connection$ = cold(' -o---b----', frames);
        const written$ = hot('    ----b------', written);
        const unsub = '           ^----------!';
        const expected = '        -Le-w-b----';
        expectObservable(snapshots({ lists: [list$], connections: [connection$], written$ }), unsub).toBe(expected, {
          ...told,
          w: observed(at('6', 'b'), 'write', true),
          b: observed(at('6', 'b'), 'watch', false),
        });
        expectSubscriptions(written$.subscriptions).toBe(unsub);
      });
    });

    it('drops an answer that the watch has overtaken', () => {
      marbles(({ cold, hot, expectObservable }) => {
        const list$ = cold('      -(l|)      ', listings);
        const connection$ = cold(' -o-c------', frames);
        const written$ = hot('    ------b----', written);
        const unsub = '           ^----------!';
        const expected = '        -Le-c------';
        expectObservable(snapshots({ lists: [list$], connections: [connection$], written$ }), unsub).toBe(expected, {
          ...told,
          c: observed(at('20', 'c'), 'watch', true),
        });
      });
    });
  });

  it('remembers what it saw for each subscriber alone', () => {
    marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const list$ = cold('--(l|)---', listings);
      const written$ = hot('-----b-----', written);
      const lease$ = snapshots({ lists: [list$], written$ });
      const values = { ...told, w: observed(at('6', 'b'), 'write', true) };
      expectObservable(lease$, '^------!').toBe('   --L--w', values);
      expectObservable(lease$, '------^---!').toBe('--------L', values);
      expectSubscriptions(list$.subscriptions).toBe(['^-!', '------^-!']);
    });
  });

  it('drops watch, GET and sources with its subscriber', () => {
    marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const list$ = cold('      --------(l|)', listings);
      const tick$ = hot('       -t----------');
      const asked$ = hot('      --q---------');
      const written$ = hot('    ------------', written);
      const get$ = cold('        -----(a|)  ', leases);
      const unsub = '           ^---!       ';
      expectObservable(snapshots({ lists: [list$], tick$, asked$, written$, get$ }), unsub).toBe('');
      expectSubscriptions(list$.subscriptions).toBe(unsub);
      expectSubscriptions(tick$.subscriptions).toBe(unsub);
      expectSubscriptions(asked$.subscriptions).toBe(unsub);
      expectSubscriptions(written$.subscriptions).toBe(unsub);
      expectSubscriptions(get$.subscriptions).toBe(['-^--!', '--^-!']);
    });
  });
});
