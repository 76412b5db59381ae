import { NEVER, of } from 'rxjs';
import type { Desired } from '../../streams/load-certificate.ts';
import type { LeaseSnapshot } from '../../streams/model.ts';
import { resyncRequests } from '../../streams/resync-requests.ts';
import { marbles } from '../support/marbles.ts';

const lease = (hash: string): LeaseSnapshot => ({
  uid: 'uid',
  resourceVersion: '1',
  holder: null,
  durationMs: 60_000,
  renewTime: null,
  transitions: 0,
  announcement: { hash, validUntil: '2027-01-01T00:00:00Z' },
  malformed: null,
  rotate: null,
  servedSinceMs: null,
  trusted: null,
  otherManager: null,
});

const wanted = (announced: string | null, mounted: string | null): Desired => ({
  lease: announced === null ? null : lease(announced),
  mounted: { generation: `generation of ${mounted}`, hash: mounted, problem: null },
});

const WANTED = {
  /** Announced is what is mounted. */
  a: wanted('a', 'a'),
  b: wanted('b', 'b'),
  /** Mounted is something else. */
  x: wanted('a', 'b'),
  y: wanted('c', 'b'),
  z: wanted('a', 'c'),
  /** Nothing is announced, nothing is mounted. */
  n: wanted(null, 'a'),
  m: wanted('a', null),
};

/** The Lease was seen long ago, and is told to whoever asks. */
const seen$ = of('a Lease');

describe('unannounced', () => {
  it('waits for the Lease to be seen for the first time, and does not ask for one that announces what is mounted', () => {
    marbles(({ hot, expectObservable }) => {
      const wanted$ = hot('n 99ms a', WANTED);
      const lease$ = hot(' - 99ms l');
      expectObservable(wanted$.pipe(resyncRequests(lease$)), '^ 3s !').toBe('');
      const early$ = hot(' - 49ms l');
      expectObservable(wanted$.pipe(resyncRequests(early$)), '^ 3s !').toBe('50ms a', { a: 'asked' });
    });
  });

  it('asks after half a second for a Lease that is not seen', () => {
    marbles(({ hot, expectObservable }) => {
      const wanted$ = hot('n', WANTED);
      const expected = '   500ms a 1999ms a';
      expectObservable(wanted$.pipe(resyncRequests(NEVER)), '^ 3s !').toBe(expected, { a: 'asked' });
    });
  });

  it('asks at once, then ever less often, up to every 30 s', () => {
    marbles(({ hot, expectObservable }) => {
      const wanted$ = hot('x', WANTED);
      const expected = '   a 1999ms a 3999ms a 7999ms a 15999ms a 29999ms a 29999ms a';
      expectObservable(wanted$.pipe(resyncRequests(seen$)), '^ 91s !').toBe(expected, { a: 'asked' });
    });
  });

  it('stops asking, and lets the pause go, once it is announced', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const wanted$ = hot('x 2999ms b 4999ms |', WANTED);
      const expected = '   a 1999ms a 5999ms |';
      expectObservable(wanted$.pipe(resyncRequests(seen$))).toBe(expected, { a: 'asked' });
      expectSubscriptions(wanted$.subscriptions).toBe('^ 7999ms !');
    });
  });

  it('begins again with another mount, not with another announcement', () => {
    marbles(({ hot, expectObservable }) => {
      const wanted$ = hot('x 999ms y 1499ms z', WANTED);
      const expected = '   a 1999ms a 499ms a 1999ms a';
      expectObservable(wanted$.pipe(resyncRequests(seen$)), '^ 5s !').toBe(expected, { a: 'asked' });
    });
  });

  it('asks when nothing at all is announced, and not when nothing is mounted', () => {
    marbles(({ hot, expectObservable }) => {
      const wanted$ = hot('m-n-a-m', WANTED);
      expectObservable(wanted$.pipe(resyncRequests(seen$))).toBe('--a', { a: 'asked' });
    });
  });

  it('does not ask because an announcement left the mount behind: that is for the kubelet to mend', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const wanted$ = hot('a-w-b-|', { ...WANTED, w: wanted('b', 'a') });
      const expected = '   ------|';
      expectObservable(wanted$.pipe(resyncRequests(seen$))).toBe(expected, { a: 'asked' });
      expectSubscriptions(wanted$.subscriptions).toBe('^-----!');
    });
  });

  it('asks about what is mounted after that, and not when the older one is mounted again', () => {
    marbles(({ hot, expectObservable }) => {
      const wanted$ = hot('a-z-a-w-', { ...WANTED, w: wanted('b', 'a') });
      const expected = '   --a-----';
      expectObservable(wanted$.pipe(resyncRequests(seen$)), '^ 10s !').toBe(expected, { a: 'asked' });
    });
  });
});
