import { expect } from 'chai';
import { concat, interval, map, of, take } from 'rxjs';
import type { WatchItem } from '../../streams/events.ts';
import type { Replica } from '../../streams/model.ts';
import { REPLICAS_WINDOW_MS, trackedReplicas } from '../../streams/tracked-object.ts';
import { marbles } from '../support/marbles.ts';

const pod = (name: string, servingHash: string | null = null): Replica => ({
  name,
  servingHash,
  goneAtMs: null,
});

const listed = (...items: readonly Replica[]): WatchItem<Replica> => ({
  type: 'watch/listed',
  items,
  resourceVersion: '1',
});
const applied = (object: Replica): WatchItem<Replica> => ({ type: 'watch/applied', object });
const deleted = (object: Replica): WatchItem<Replica> => ({ type: 'watch/deleted', object });
const failed: WatchItem<Replica> = { type: 'watch/failed', status: 403, error: 'forbidden', retryInMs: 800 };
const closed: WatchItem<Replica> = { type: 'watch/closed', reason: 'ended' };

const WORDS = { u: 'pending', n: 'forbidden' } as const;

describe('trackedReplicas', () => {
  it('are unknown until they are listed', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const watch$ = hot(' --L|', { L: listed(pod('a'), pod('b')) });
      const subs = '       ^--!';
      const expected = '   u-l|';
      expectObservable(trackedReplicas(watch$)).toBe(expected, { ...WORDS, l: [pod('a'), pod('b')] });
      expectSubscriptions(watch$.subscriptions).toBe(subs);
    });
  });

  it('are none when the list is empty, which is not the same as unknown', () => {
    marbles(({ hot, expectObservable }) => {
      expectObservable(trackedReplicas(hot('-L', { L: listed() }))).toBe('ul', { ...WORDS, l: [] });
    });
  });

  it('come, change in their place, and go', () => {
    marbles(({ hot, expectObservable }) => {
      const watch$ = hot(' -L 999ms c 999ms d 999ms g-', {
        L: listed(pod('a'), pod('b')),
        c: applied(pod('c')),
        d: applied(pod('a', 'hash')),
        g: deleted(pod('b', 'as it was at the end')),
      });
      const expected = '   ul 999ms c 999ms d 999ms g-';
      expectObservable(trackedReplicas(watch$)).toBe(expected, {
        ...WORDS,
        l: [pod('a'), pod('b')],
        c: [pod('a'), pod('b'), pod('c')],
        d: [pod('a', 'hash'), pod('b'), pod('c')],
        g: [pod('a', 'hash'), pod('c')],
      });
    });
  });

  it('are what a new list says, whoever was there before', () => {
    marbles(({ hot, expectObservable }) => {
      const watch$ = hot('-L 999ms l', { L: listed(pod('a'), pod('b')), l: listed(pod('b')) });
      const expected = '  ul 999ms m';
      expectObservable(trackedReplicas(watch$)).toBe(expected, { ...WORDS, l: [pod('a'), pod('b')], m: [pod('b')] });
    });
  });

  it('are no news when a Pod changes in nothing that counts, or goes unseen', () => {
    marbles(({ hot, expectObservable }) => {
      const watch$ = hot('-L 999ms s 999ms g 999ms t', {
        L: listed(pod('a', 'hash')),
        s: applied(pod('a', 'hash')),
        g: deleted(pod('b')),
        t: applied({ ...pod('a', 'hash'), goneAtMs: 7 }),
      });
      const expected = '  ul 2999ms              t';
      expectObservable(trackedReplicas(watch$)).toBe(expected, {
        ...WORDS,
        l: [pod('a', 'hash')],
        t: [{ ...pod('a', 'hash'), goneAtMs: 7 }],
      });
    });
  });

  it('are seen at once when they change, and then once in a window, the last state of it last', () => {
    marbles(({ hot, expectObservable }) => {
      const watch$ = hot('-L 999ms ab 198ms c', {
        L: listed(),
        a: applied(pod('a')),
        b: applied(pod('b')),
        c: applied(pod('c')),
      });
      const expected = '  ul 999ms a 99ms b 99ms c';
      expectObservable(trackedReplicas(watch$)).toBe(expected, {
        ...WORDS,
        l: [],
        a: [pod('a')],
        b: [pod('a'), pod('b')],
        c: [pod('a'), pod('b'), pod('c')],
      });
    });
  });

  it('are seen a few times, not a thousand, when a thousand acknowledge within a second', () => {
    const names = Array.from({ length: 1_000 }, (_, number) => `pod-${number}`);
    const everyMs = (hash: string) =>
      interval(1).pipe(
        take(1_000),
        map((at) => applied(pod(names[at]!, hash))),
      );
    marbles((_, scheduler) => {
      const seen: { readonly atMs: number; readonly acknowledged: number }[] = [];
      const watch$ = concat(of(listed(...names.map((name) => pod(name, 'old')))), everyMs('new'));
      trackedReplicas(watch$).subscribe((replicas) => {
        if (typeof replicas === 'string') return;
        const acknowledged = replicas.filter(({ servingHash }) => servingHash === 'new').length;
        seen.push({ atMs: scheduler.now(), acknowledged });
      });
      scheduler.schedule(() => {
        expect(seen).to.have.length.within(10, 12);
        expect(seen.at(-1)).to.deep.equal({ atMs: 1_000, acknowledged: 1_000 });
        for (const { atMs, acknowledged } of seen) expect(acknowledged).to.be.at.least(atMs - REPLICAS_WINDOW_MS);
      }, 2_000);
    });
  });

  it('are unreadable when they may not be listed, until they may', () => {
    marbles(({ hot, expectObservable }) => {
      const watch$ = hot('-F 999ms L-', { F: failed, L: listed(pod('a')) });
      expectObservable(trackedReplicas(watch$)).toBe('un 999ms l-', { ...WORDS, l: [pod('a')] });
    });
  });

  it('stay unknown when the first list is lost', () => {
    for (const status of [null, 503]) {
      marbles(({ hot, expectObservable }) => {
        const lost: WatchItem<Replica> = { type: 'watch/failed', status, error: 'lost', retryInMs: 800 };
        expectObservable(trackedReplicas(hot('-F-L-', { F: lost, L: listed() }))).toBe('u--l-', { ...WORDS, l: [] });
      });
    }
  });

  it('stay what they were when the watch breaks or closes', () => {
    marbles(({ hot, expectObservable }) => {
      const watch$ = hot('-L-F-c-', { L: listed(pod('a')), F: failed, c: closed });
      expectObservable(trackedReplicas(watch$)).toBe('ul-----', { ...WORDS, l: [pod('a')] });
    });
  });

  it('start with the one that is heard of first when no list came before it', () => {
    marbles(({ hot, expectObservable }) => {
      const watch$ = hot('-a', { a: applied(pod('a')) });
      expectObservable(trackedReplicas(watch$)).toBe('ua', { ...WORDS, a: [pod('a')] });
    });
  });

  it('does not change a list it has given', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const watch$ = hot('-L 999ms d', { L: listed(pod('a')), d: deleted(pod('a')) });
      const replicas$ = trackedReplicas(watch$);
      expectObservable(replicas$).toBe('ul 999ms e', { ...WORDS, l: [pod('a')], e: [] });
      expectObservable(replicas$, '^-!').toBe('ul', { ...WORDS, l: [pod('a')] });
      expectSubscriptions(watch$.subscriptions).toBe(['^', '^-!']);
    });
  });
});
