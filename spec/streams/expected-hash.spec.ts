import { expectedHash } from '../../streams/expected-hash.ts';
import type { LoadEvent } from '../../streams/load-certificate.ts';
import { loads } from '../support/loads.ts';
import { marbles } from '../support/marbles.ts';

describe('expectedHash', () => {
  /** Results: a hash, or 0 for "nothing to wait for". */
  const results = { a: 'a', b: 'b', c: 'c', 0: null };

  it('waits for what is announced and not mounted, until it is served', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const values = { u: loads.unmounted('a'), m: loads.mismatched('a', 'old'), s: loads.served('a') };
      const load$ = hot<LoadEvent>('--u--m--s--|', values);
      const subs = '                ^----------!';
      const expected = '            --a-----0--|';
      expectObservable(load$.pipe(expectedHash())).toBe(expected, results);
      expectSubscriptions(load$.subscriptions).toBe(subs);
    });
  });

  it('does not take a mount that is ahead of its announcement for a slow kubelet', () => {
    marbles(({ hot, expectObservable }) => {
      const values = { s: loads.served('a'), m: loads.mismatched('a', 'b'), n: loads.mismatched('b', 'a') };
      const load$ = hot<LoadEvent>('--s--m--n--s', values);
      const expected = '            --0-----b--0';
      expectObservable(load$.pipe(expectedHash())).toBe(expected, results);
    });
  });

  it('waits for an older hash when that is announced again', () => {
    marbles(({ hot, expectObservable }) => {
      const values = { s: loads.served('b'), m: loads.mismatched('a', 'b') };
      const load$ = hot<LoadEvent>('-s-m', values);
      const expected = '            -0-a';
      expectObservable(load$.pipe(expectedHash())).toBe(expected, results);
    });
  });

  it('waits for nothing once it is mounted and only another server does not show it', () => {
    marbles(({ hot, expectObservable }) => {
      const values = { m: loads.mismatched('a', 'old'), x: loads.notShown('a') };
      const load$ = hot<LoadEvent>('-m-x-m', values);
      const expected = '            -a-0--';
      expectObservable(load$.pipe(expectedHash())).toBe(expected, results);
    });
  });

  it('waits for the newest announcement only', () => {
    marbles(({ hot, expectObservable }) => {
      const values = { m: loads.mismatched('a', 'old'), n: loads.mismatched('b', 'old'), o: loads.unmounted('c') };
      const load$ = hot<LoadEvent>('-m-n-o', values);
      const expected = '            -a-b-c';
      expectObservable(load$.pipe(expectedHash())).toBe(expected, results);
    });
  });

  it('waits for nothing once it is there but rejected: the kubelet has done its part', () => {
    marbles(({ hot, expectObservable }) => {
      const values = { m: loads.mismatched('a', 'old'), r: loads.rejected('a', 'pair-mismatch') };
      const load$ = hot<LoadEvent>('-m-r-m', values);
      const expected = '            -a-0-a';
      expectObservable(load$.pipe(expectedHash())).toBe(expected, results);
    });
  });

  it('waits for nothing when nothing is announced any more', () => {
    marbles(({ hot, expectObservable }) => {
      const values = { m: loads.mismatched('a', 'old'), x: loads.unannounced() };
      const load$ = hot<LoadEvent>('-x-m-x', values);
      const expected = '            -0-a-0';
      expectObservable(load$.pipe(expectedHash())).toBe(expected, results);
    });
  });

  it('takes a pair for served although its handshake failed', () => {
    marbles(({ hot, expectObservable }) => {
      const values = { u: loads.unmounted('a'), s: loads.untrusted('a', 'no chain'), m: loads.mismatched('a', 'b') };
      const load$ = hot<LoadEvent>('-u-s-m', values);
      const expected = '            -a-0--';
      expectObservable(load$.pipe(expectedHash())).toBe(expected, results);
    });
  });

  it('remembers what is served while nothing is announced', () => {
    marbles(({ hot, expectObservable }) => {
      const values = { s: loads.served('a'), x: loads.unannounced(), m: loads.mismatched('a', 'b') };
      const load$ = hot<LoadEvent>('-s-x-m', values);
      const expected = '            -0----';
      expectObservable(load$.pipe(expectedHash())).toBe(expected, results);
    });
  });

  it('waits for what is served when that is announced again over a mount that never was', () => {
    marbles(({ hot, expectObservable }) => {
      const values = {
        s: loads.served('a'),
        n: loads.mismatched('b', 'a'),
        r: loads.rejected('b', 'expired'),
        m: loads.mismatched('a', 'b'),
      };
      const load$ = hot<LoadEvent>('-s-n-m-s-r-m', values);
      const expected = '            -0-b-a-0---a';
      expectObservable(load$.pipe(expectedHash())).toBe(expected, results);
    });
  });

  it('keeps no memory between subscribers, and lets its source go', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const values = { s: loads.served('a'), m: loads.mismatched('a', 'b') };
      const load$ = hot<LoadEvent>('-s-m--', values);
      const early = '               ^---! ';
      const late = '                --^--!';
      const expected$ = load$.pipe(expectedHash());
      expectObservable(expected$, early).toBe('-0--', results);
      expectObservable(expected$, late).toBe(' ---a', results);
      expectSubscriptions(load$.subscriptions).toBe([early, late]);
    });
  });
});
