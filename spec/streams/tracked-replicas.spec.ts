import type { WatchItem } from '../../streams/events.ts';
import type { Replica } from '../../streams/model.ts';
import { trackedReplicas } from '../../streams/tracked-object.ts';
import { marbles } from '../support/marbles.ts';

const pod = (name: string, servingHash: string | null = null): Replica => ({
  name,
  servingHash,
  ready: true,
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
      const watch$ = hot(' -L-c-d-g-', {
        L: listed(pod('a'), pod('b')),
        c: applied(pod('c')),
        d: applied(pod('a', 'hash')),
        g: deleted(pod('b', 'as it was at the end')),
      });
      const expected = '   ul-c-d-g-';
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
      const watch$ = hot('-L-l', { L: listed(pod('a'), pod('b')), l: listed(pod('b')) });
      expectObservable(trackedReplicas(watch$)).toBe('ul-m', { ...WORDS, l: [pod('a'), pod('b')], m: [pod('b')] });
    });
  });

  it('are unreadable when they may not be listed, until they may', () => {
    marbles(({ hot, expectObservable }) => {
      const watch$ = hot('-F-L-', { F: failed, L: listed(pod('a')) });
      expectObservable(trackedReplicas(watch$)).toBe('un-l-', { ...WORDS, l: [pod('a')] });
    });
  });

  it('stay unknown when the first list is lost', () => {
    for (const status of [null, 503]) {
      marbles(({ hot, expectObservable }) => {
        const lost: WatchItem<Replica> = { type: 'watch/failed', status, error: 'lost', retryInMs: 800 };
        expectObservable(trackedReplicas(hot('-F-L-', { F: lost, L: listed() }))).toBe('uu-l-', { ...WORDS, l: [] });
      });
    }
  });

  it('stay what they were when the watch breaks or closes', () => {
    marbles(({ hot, expectObservable }) => {
      const watch$ = hot('-L-F-c-', { L: listed(pod('a')), F: failed, c: closed });
      expectObservable(trackedReplicas(watch$)).toBe('ul-l-l-', { ...WORDS, l: [pod('a')] });
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
      const watch$ = hot('-L-d', { L: listed(pod('a')), d: deleted(pod('a')) });
      const replicas$ = trackedReplicas(watch$);
      expectObservable(replicas$).toBe('ul-e', { ...WORDS, l: [pod('a')], e: [] });
      expectObservable(replicas$, '^-!').toBe('ul', { ...WORDS, l: [pod('a')] });
      expectSubscriptions(watch$.subscriptions).toBe(['^---', '^-!']);
    });
  });
});
