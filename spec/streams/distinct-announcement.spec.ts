import { distinctAnnouncement } from '../../streams/distinct-announcement.ts';
import type { LeaseSnapshot } from '../../streams/model.ts';
import { leaseOf } from '../support/lease-of.ts';
import { marbles } from '../support/marbles.ts';

describe('distinctAnnouncement', () => {
  const a = leaseOf('a', { resourceVersion: '1' });
  const b = leaseOf('b', { resourceVersion: '3' });

  it('lets through only what announces something new', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const values: Record<string, LeaseSnapshot | null> = {
        a,
        r: { ...a, resourceVersion: '2' },
        b,
        s: { ...b, resourceVersion: '4' },
        x: null,
      };
      const lease$ = hot<LeaseSnapshot | null>('--a--r--b--s--x--b--|', values);
      const subs = '                            ^-------------------!';
      const expected = '                        --a-----b-----x--b--|';
      expectObservable(lease$.pipe(distinctAnnouncement())).toBe(expected, values);
      expectSubscriptions(lease$.subscriptions).toBe(subs);
    });
  });

  it('does not look at renewals, holders, requests and marks', () => {
    marbles(({ hot, expectObservable }) => {
      const values: Record<string, LeaseSnapshot> = {
        a,
        b: { ...a, renewTime: '2026-11-23T05:32:00.000000Z' },
        c: { ...a, holder: 'pod-2' },
        d: { ...a, transitions: 4 },
        e: { ...a, durationMs: 15_000 },
        f: { ...a, rotate: 'leaf' },
        g: { ...a, servedSinceMs: 12 },
        h: { ...a, resourceVersion: '99' },
      };
      const lease$ = hot<LeaseSnapshot | null>('abcdefgh', values);
      const expected = '                        a-------';
      expectObservable(lease$.pipe(distinctAnnouncement())).toBe(expected, values);
    });
  });

  it('looks at everything that is announced', () => {
    marbles(({ hot, expectObservable }) => {
      const values: Record<string, LeaseSnapshot> = {
        a,
        v: { ...a, announcement: { hash: 'a', validUntil: '2027-01-01T00:00:00Z' } },
        m: leaseOf(null, { malformed: 'cert-hash is no SHA-256' }),
        n: leaseOf(null, { malformed: 'cert-valid-until is no date' }),
        0: leaseOf(null),
      };
      const lease$ = hot<LeaseSnapshot | null>('-a-v-m-n-0-a-', values);
      const expected = '                        -a-v-m-n-0-a-';
      expectObservable(lease$.pipe(distinctAnnouncement())).toBe(expected, values);
    });
  });

  it('looks again at a Lease that was deleted and made again', () => {
    marbles(({ hot, expectObservable }) => {
      const values: Record<string, LeaseSnapshot | null> = { a, c: { ...a, uid: 'uid-2' } };
      const lease$ = hot<LeaseSnapshot | null>('-a-a-c-c-', values);
      const expected = '                        -a---c---';
      expectObservable(lease$.pipe(distinctAnnouncement())).toBe(expected, values);
    });
  });

  it('tells that there is no Lease, once', () => {
    marbles(({ hot, expectObservable }) => {
      const values: Record<string, LeaseSnapshot | null> = { a, x: null };
      const lease$ = hot<LeaseSnapshot | null>('-x-x-a-x-x', values);
      const expected = '                        -x---a-x--';
      expectObservable(lease$.pipe(distinctAnnouncement())).toBe(expected, values);
    });
  });

  it('tells a Lease that announces nothing from no Lease', () => {
    marbles(({ hot, expectObservable }) => {
      const values: Record<string, LeaseSnapshot | null> = { 0: leaseOf(null), x: null };
      const lease$ = hot<LeaseSnapshot | null>('-x-0-x', values);
      const expected = '                        -x-0-x';
      expectObservable(lease$.pipe(distinctAnnouncement())).toBe(expected, values);
    });
  });

  it('passes errors on and lets its source go', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const lease$ = hot<LeaseSnapshot | null>('-a-#', { a });
      const unsub = '                           ^-!';
      expectObservable(lease$.pipe(distinctAnnouncement())).toBe('-a-#', { a });
      expectObservable(lease$.pipe(distinctAnnouncement()), unsub).toBe('-a', { a });
      expectSubscriptions(lease$.subscriptions).toBe(['^--!', unsub]);
    });
  });
});
