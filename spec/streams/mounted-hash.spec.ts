import { expect } from 'chai';
import { map, NEVER, type Observable } from 'rxjs';
import type { VolumeSnapshot } from '../../streams/model.ts';
import { mountedHash, type MountPorts } from '../../streams/mounted-hash.ts';
import { inTurn } from '../support/in-turn.ts';
import { marbles } from '../support/marbles.ts';
import { readingOf } from '../support/reading-of.ts';

describe('mountedHash', () => {
  const values: Record<string, VolumeSnapshot> = { a: readingOf('a'), b: readingOf('b'), 0: readingOf(null) };
  const ports = (mountMoved$: Observable<unknown>, ...readings: readonly Observable<VolumeSnapshot>[]): MountPorts => {
    // Every reading is an object of its own.
    const reading$ = inTurn(...readings).pipe(map((reading) => ({ ...reading })));
    return { mountMoved$, isMountUnmoved: () => false, readMount: () => reading$ };
  };

  it('reads at the start, without any occasion', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const read$ = cold('  --(a|)', values);
      const readSubs = '    ^-!   ';
      const expected = '    --a   ';
      expectObservable(mountedHash(NEVER, ports(NEVER, read$))).toBe(expected, values);
      expectSubscriptions(read$.subscriptions).toBe(readSubs);
    });
  });

  it('tells an empty mount like any other', () => {
    marbles(({ cold, hot, expectObservable }) => {
      const tick$ = hot('    ---t---t--');
      const expected = '     -0------a-';
      const empty$ = cold('  -(0|)', values);
      const full$ = cold('   -(a|)', values);
      expectObservable(mountedHash(tick$, ports(NEVER, empty$, empty$, full$))).toBe(expected, values);
    });
  });

  it('reads at once when the directory moved', () => {
    marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const moved$ = hot('   -----m-----');
      const read1$ = cold('  -(a|)      ', values);
      const read2$ = cold('       -(b|) ', values);
      const moveSubs = '     ^---------!';
      const read2Subs = '    -----^!    ';
      const expected = '     -a----b----';
      expectObservable(mountedHash(NEVER, ports(moved$, read1$, read2$)), moveSubs).toBe(expected, values);
      expectSubscriptions(moved$.subscriptions).toBe(moveSubs);
      expectSubscriptions(read2$.subscriptions).toBe(read2Subs);
    });
  });

  it('reads at each tick when there is no inotify, and tells only what is new (F9)', () => {
    marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const tick$ = hot('    t---t---t---t---');
      const same$ = cold('   -(a|)', values);
      const next$ = cold('   -(b|)', values);
      const readSubs = ['    ^!', '-^!', '----^!'];
      const nextSubs = ['    --------^!', '------------^!'];
      const expected = '     -a-------b------';
      expectObservable(mountedHash(tick$, ports(NEVER, same$, same$, same$, next$))).toBe(expected, values);
      expectSubscriptions(same$.subscriptions).toBe(readSubs);
      expectSubscriptions(next$.subscriptions).toBe(nextSubs);
    });
  });

  it('reads at no tick at which a glance sees nothing moved, and asks for one at each', () => {
    marbles(({ cold, hot, expectObservable, expectSubscriptions, flush }) => {
      const glances = [true, true, false, true];
      const tick$ = hot('    --t---t---t---t-');
      const moved$ = hot('   -m--------------');
      const first$ = cold('  (a|)', values);
      const next$ = cold('   -(b|)', values);
      const nextSubs = ['    -^!', '----------^!'];
      const expected = '     a-b-------------';
      const isMountUnmoved = () => glances.shift()!;
      const mounted$ = mountedHash(tick$, { ...ports(moved$, first$, next$), isMountUnmoved });
      expectObservable(mounted$).toBe(expected, values);
      expectSubscriptions(next$.subscriptions).toBe(nextSubs);
      flush();
      expect(glances).to.deep.equal([]);
    });
  });

  it('never reads twice at a time, and reads once more for all that moved during a reading', () => {
    marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const moved$ = hot('  -m-mm------------');
      const read1$ = cold(' ------(a|)       ', values);
      const read2$ = cold('       ------(b|) ', values);
      const read1Subs = '   ^-----!          ';
      const read2Subs = '   ------^-----!    ';
      const expected = '    ------a-----b----';
      expectObservable(mountedHash(NEVER, ports(moved$, read1$, read2$))).toBe(expected, values);
      expectSubscriptions(read1$.subscriptions).toBe(read1Subs);
      expectSubscriptions(read2$.subscriptions).toBe(read2Subs);
    });
  });

  it('loses no swap that lands while the older generation is being read', () => {
    marbles(({ cold, hot, expectObservable }) => {
      const moved$ = hot('  ---------m-------');
      const tick$ = hot('   -------t---------');
      const read$ = cold('  -(a|)            ', values);
      const slow$ = cold('         ----(a|)  ', values);
      const next$ = cold('             -(b|) ', values);
      const expected = '    -a----------b----';
      expectObservable(mountedHash(tick$, ports(moved$, read$, slow$, next$))).toBe(expected, values);
    });
  });

  it('reads for a tick and an event of the same instant one after the other', () => {
    marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const tick$ = hot('   -----t------');
      const moved$ = hot('  -----m------');
      const read$ = cold('  --(a|)      ', values);
      const readSubs = ['   ^-!', '-----^-!', '-------^-!'];
      const expected = '    --a---------';
      expectObservable(mountedHash(tick$, ports(moved$, read$))).toBe(expected, values);
      expectSubscriptions(read$.subscriptions).toBe(readSubs);
    });
  });

  it('tells another key or bundle under the same certificate', () => {
    marbles(({ cold, hot, expectObservable }) => {
      const readings = { a: readingOf('a'), k: readingOf('a', { generation: 'other-key' }) };
      const tick$ = hot('  ---t---t---');
      const expected = '   -a--k------';
      const first$ = cold('-(a|)', readings);
      const other$ = cold('-(k|)', readings);
      expectObservable(mountedHash(tick$, ports(NEVER, first$, other$))).toBe(expected, readings);
    });
  });

  it('tells a problem, another problem, and its end', () => {
    marbles(({ cold, hot, expectObservable }) => {
      const torn = { generation: 'g', hash: null, problem: 'torn' };
      const readings = { p: torn, q: { ...torn, problem: 'too-large: tls.crt' }, o: { ...torn, problem: null } };
      const tick$ = hot('   -t-t-t-t-');
      const expected = '    p--q-o---';
      const read$ = inTurn(
        cold('(p|)', readings),
        cold('(p|)', readings),
        cold('(q|)', readings),
        cold('(o|)', readings),
      );
      expectObservable(mountedHash(tick$, ports(NEVER, read$))).toBe(expected, readings);
    });
  });

  it('goes on at the tick when the directory can be watched no longer', () => {
    marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const moved$ = hot('  --|          ');
      const tick$ = hot('   -----t------|');
      const read1$ = cold(' -(a|)        ', values);
      const read2$ = cold(' -(b|)        ', values);
      const expected = '    -a----b-----|';
      expectObservable(mountedHash(tick$, ports(moved$, read1$, read2$))).toBe(expected, values);
      expectSubscriptions(moved$.subscriptions).toBe('^-!');
      expectSubscriptions(tick$.subscriptions).toBe('^-----------!');
    });
  });

  it('lets a bug of the reader through', () => {
    marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const tick$ = hot('  ---t---');
      const read$ = cold(' -#     ', values, new TypeError('a bug'));
      const subs = '       ^!     ';
      const expected = '   -#     ';
      expectObservable(mountedHash(tick$, ports(NEVER, read$))).toBe(expected, values, new TypeError('a bug'));
      expectSubscriptions(tick$.subscriptions).toBe(subs);
    });
  });

  it('aborts the reading and leaves its occasions with its subscriber', () => {
    marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const moved$ = hot('  -m-------');
      const tick$ = hot('   ---t-----');
      const read$ = cold('  -----(a|)', values);
      const unsub = '       ^---!    ';
      expectObservable(mountedHash(tick$, ports(moved$, read$)), unsub).toBe('');
      expectSubscriptions(read$.subscriptions).toBe(unsub);
      expectSubscriptions(tick$.subscriptions).toBe(unsub);
      expectSubscriptions(moved$.subscriptions).toBe(unsub);
    });
  });
});
