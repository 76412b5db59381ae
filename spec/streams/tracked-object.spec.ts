import type { WatchItem } from '../../streams/events.ts';
import type { TargetState } from '../../streams/planner-input.ts';
import { trackedObject, trackedTarget } from '../../streams/tracked-object.ts';
import { marbles } from '../support/marbles.ts';

interface Thing {
  readonly resourceVersion: string;
  readonly colour?: string;
}

const thing = (resourceVersion: string, colour = 'red'): Thing => ({ resourceVersion, colour });

const listed = (resourceVersion: string, ...items: readonly Thing[]): WatchItem<Thing> => ({
  type: 'watch/listed',
  items,
  resourceVersion,
});
const applied = (object: Thing): WatchItem<Thing> => ({ type: 'watch/applied', object });
const deleted = (object: Thing): WatchItem<Thing> => ({ type: 'watch/deleted', object });
const established: WatchItem<Thing> = { type: 'watch/established', resourceVersion: '1' };
const closed: WatchItem<Thing> = { type: 'watch/closed', reason: 'ended' };
const failed: WatchItem<Thing> = { type: 'watch/failed', status: 403, error: 'forbidden', retryInMs: 800 };

/** What it says, in words: u unknown, n forbidden, x unreadable, 0 absent. */
const WORDS = { u: 'pending', n: 'forbidden', x: 'unreadable', 0: 'absent' } as const;

describe('trackedObject', () => {
  it('is unknown until it is listed, then what was listed', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const watch$ = hot('  --L-e-|', { L: listed('9', thing('5')), e: established });
      const written$ = hot<Thing>('------|');
      const subs = '        ^-----!';
      const expected = '    u-5---|';
      expectObservable(trackedObject(watch$, written$)).toBe(expected, { ...WORDS, 5: thing('5') });
      expectSubscriptions(watch$.subscriptions).toBe(subs);
      expectSubscriptions(written$.subscriptions).toBe(subs);
    });
  });

  it('is absent when the list is empty', () => {
    marbles(({ hot, cold, expectObservable }) => {
      const watch$ = hot('--L-', { L: listed('9') });
      expectObservable(trackedObject(watch$, cold('-'))).toBe('u-0-', WORDS);
    });
  });

  it('is forbidden when the first list is refused, and says so once', () => {
    marbles(({ hot, cold, expectObservable }) => {
      const watch$ = hot(' -F-F-L--', { F: failed, L: listed('9', thing('5')) });
      const expected = '   un---5--';
      expectObservable(trackedObject(watch$, cold<Thing>('-'))).toBe(expected, { ...WORDS, 5: thing('5') });
    });
  });

  it('stays unknown when the first list is lost: a decision goes on waiting for it', () => {
    for (const status of [null, 500, 429]) {
      marbles(({ hot, cold, expectObservable }) => {
        const lost: WatchItem<Thing> = { type: 'watch/failed', status, error: 'lost', retryInMs: 800 };
        const watch$ = hot(' -F-L--', { F: lost, L: listed('9', thing('5')) });
        const expected = '   u--5--';
        expectObservable(trackedObject(watch$, cold<Thing>('-'))).toBe(expected, { ...WORDS, 5: thing('5') });
      });
    }
  });

  it('stays what it was when the watch fails or closes later', () => {
    marbles(({ hot, cold, expectObservable }) => {
      const watch$ = hot('-L-F-c-e-l', {
        L: listed('5', thing('5')),
        F: failed,
        c: closed,
        e: established,
        l: listed('9'),
      });
      const expected = '  u5-------0';
      expectObservable(trackedObject(watch$, cold<Thing>('-'))).toBe(expected, { ...WORDS, 5: thing('5') });
    });
  });

  it('follows changes, deletion and return', () => {
    marbles(({ hot, cold, expectObservable }) => {
      const watch$ = hot('-L-6-d-8', {
        L: listed('5', thing('5')),
        6: applied(thing('6')),
        d: deleted(thing('7')),
        8: applied(thing('8')),
      });
      const expected = '  u5-6-0-8';
      expectObservable(trackedObject(watch$, cold<Thing>('-'))).toBe(expected, {
        ...WORDS,
        5: thing('5'),
        6: thing('6'),
        8: thing('8'),
      });
    });
  });

  it('takes the answer to our own write at once, and its echo as no news', () => {
    marbles(({ hot, expectObservable }) => {
      const watch$ = hot('  -L-----6-7', {
        L: listed('5', thing('5')),
        6: applied(thing('6')),
        7: applied(thing('7')),
      });
      const written$ = hot('---6------', { 6: thing('6') });
      const expected = '    u5-6-----7';
      expectObservable(trackedObject(watch$, written$)).toBe(expected, {
        ...WORDS,
        5: thing('5'),
        6: thing('6'),
        7: thing('7'),
      });
    });
  });

  it('takes what was read again as it stands as no news, so that a conflict without a cause is not retried at once', () => {
    marbles(({ hot, expectObservable }) => {
      const watch$ = hot('  -L----', { L: listed('5', thing('5')) });
      const written$ = hot('---5---', { 5: thing('5', 'parsed once more') });
      const expected = '    u5-----';
      expectObservable(trackedObject(watch$, written$)).toBe(expected, { ...WORDS, 5: thing('5') });
    });
  });

  it('drops what is older than what it knows', () => {
    marbles(({ hot, expectObservable }) => {
      const watch$ = hot('  -L---9---8-d', {
        L: listed('5', thing('5')),
        9: applied(thing('9')),
        8: applied(thing('8')),
        d: deleted(thing('8')),
      });
      const written$ = hot('---1--------', { 1: thing('10') });
      const expected = '    u5-1--------';
      expectObservable(trackedObject(watch$, written$)).toBe(expected, { ...WORDS, 5: thing('5'), 1: thing('10') });
    });
  });

  it('is not brought back by the late answer to a write from before its deletion', () => {
    marbles(({ hot, expectObservable }) => {
      const watch$ = hot('  -L-d----', { L: listed('5', thing('5')), d: deleted(thing('7')) });
      const written$ = hot('-----6-8-', { 6: thing('6'), 8: thing('8') });
      const expected = '    u5-0---8-';
      expectObservable(trackedObject(watch$, written$)).toBe(expected, { ...WORDS, 5: thing('5'), 8: thing('8') });
    });
  });

  it('is not brought back by the late answer to a write from before an empty list', () => {
    marbles(({ hot, expectObservable }) => {
      const watch$ = hot('  -L---', { L: listed('7') });
      const written$ = hot('---6--', { 6: thing('6') });
      const expected = '    u0----';
      expectObservable(trackedObject(watch$, written$)).toBe(expected, WORDS);
    });
  });

  it('is gone when its deletion carries the version that it had, and when the deletion is all that is known', () => {
    marbles(({ hot, cold, expectObservable }) => {
      const same$ = hot(' -L-d', { L: listed('9', thing('5')), d: deleted(thing('5')) });
      expectObservable(trackedObject(same$, cold<Thing>('-'))).toBe('u5-0', { ...WORDS, 5: thing('5') });
      const alone$ = hot('-d', { d: deleted(thing('5')) });
      expectObservable(trackedObject(alone$, cold<Thing>('-'))).toBe('u0', WORDS);
    });
  });

  it('takes a list as it is, even an older one, since the cluster may have been put back', () => {
    marbles(({ hot, cold, expectObservable }) => {
      const watch$ = hot('-L-l-4', { L: listed('9', thing('9')), l: listed('3', thing('3')), 4: applied(thing('4')) });
      const expected = '  u9-3-4';
      expectObservable(trackedObject(watch$, cold<Thing>('-'))).toBe(expected, {
        ...WORDS,
        9: thing('9'),
        3: thing('3'),
        4: thing('4'),
      });
    });
  });

  it('takes a version that is no number as newer', () => {
    marbles(({ hot, cold, expectObservable }) => {
      const watch$ = hot('-L-a-b', { L: listed('x', thing('x')), a: applied(thing('a')), b: applied(thing('1')) });
      const expected = '  ux-a-b';
      expectObservable(trackedObject(watch$, cold<Thing>('-'))).toBe(expected, {
        ...WORDS,
        x: thing('x'),
        a: thing('a'),
        b: thing('1'),
      });
    });
  });

  it('lets go of both sources when nobody looks any more, and passes a bug on', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const watch$ = hot('  -L---', { L: listed('5', thing('5')) });
      const written$ = hot<Thing>('------');
      expectObservable(trackedObject<Thing>(watch$, written$), '^--!').toBe('u5', { ...WORDS, 5: thing('5') });
      expectSubscriptions(watch$.subscriptions).toBe('^--!');
      expectSubscriptions(written$.subscriptions).toBe('^--!');
      expectObservable(trackedObject(hot<WatchItem<Thing>>('--#'), hot<Thing>('-'))).toBe('u-#', WORDS);
    });
  });
});

describe('trackedTarget', () => {
  const target: TargetState = { resourceVersion: '5', bundles: [], otherManager: null };
  const items: Record<string, WatchItem<TargetState>> = {
    L: { type: 'watch/listed', items: [target], resourceVersion: '9' },
    R: { type: 'watch/failed', status: 403, error: 'forbidden', retryInMs: 800 },
  };

  for (const status of [null, 500, 429]) {
    it(`is unreadable after a first list that ends with ${status ?? 'no answer'}, until one succeeds (L9)`, () => {
      marbles(({ hot, cold, expectObservable }) => {
        const lost: WatchItem<TargetState> = { type: 'watch/failed', status, error: 'lost', retryInMs: 800 };
        const watch$ = hot(' -F-F-L-F', { ...items, F: lost });
        const expected = '   ux---5--';
        expectObservable(trackedTarget(watch$, cold('-'))).toBe(expected, { ...WORDS, 5: target });
      });
    });
  }

  it('is forbidden as soon as a list says so, whatever comes later', () => {
    marbles(({ hot, cold, expectObservable }) => {
      const lost: WatchItem<TargetState> = { type: 'watch/failed', status: 500, error: 'lost', retryInMs: 800 };
      const watch$ = hot(' -F-R-F-L', { ...items, F: lost });
      const expected = '   ux-n---5';
      expectObservable(trackedTarget(watch$, cold('-'))).toBe(expected, { ...WORDS, 5: target });
    });
  });
});
