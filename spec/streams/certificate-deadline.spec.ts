import { certificateDeadline, type DeadlineEvent } from '../../streams/certificate-deadline.ts';
import type { Readiness } from '../../streams/readiness.ts';
import { marbles } from '../support/marbles.ts';
import { pairOf } from '../support/pair-of.ts';

describe('certificateDeadline', () => {
  const values: Record<string, Readiness> = {
    n: { ready: false, reasons: ['no-announcement'], served: null },
    m: { ready: false, reasons: ['hash-mismatch'], served: null },
    r: { ready: false, reasons: ['certificate-rejected: torn'], served: null },
    a: { ready: true, reasons: [], served: pairOf('a') },
    u: { ready: false, reasons: ['certificate-expired', 'untrusted'], served: pairOf('a') },
  };
  const timedOut = (reason: string): Record<string, DeadlineEvent> => ({
    T: { type: 'certificate/timed-out', timeoutMs: 180_000, reason },
  });

  it('says once that no certificate was served in time, and what was still missing', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const readiness$ = hot('-n---m 300s ', values);
      const subs = '           ^ 179999ms !';
      const expected = '       180s (T|)';
      expectObservable(certificateDeadline(readiness$, 180_000)).toBe(expected, timedOut('hash-mismatch'));
      expectSubscriptions(readiness$.subscriptions).toBe([subs, subs]);
    });
  });

  it('tells the newest of all reasons', () => {
    marbles(({ hot, expectObservable }) => {
      const readiness$ = hot('-n---m 100s r 300s n', values);
      const expected = '       180s (T|)';
      const told = timedOut('certificate-rejected: torn');
      expectObservable(certificateDeadline(readiness$, 180_000)).toBe(expected, told);
    });
  });

  it('tells each of several reasons', () => {
    marbles(({ hot, expectObservable }) => {
      const both: Readiness = { ready: false, reasons: ['no-certificate-file', 'untrusted'], served: null };
      const readiness$ = hot('-b', { b: both });
      const expected = '       180s (T|)';
      const told = timedOut('no-certificate-file, untrusted');
      expectObservable(certificateDeadline(readiness$, 180_000)).toBe(expected, told);
    });
  });

  it('blames the announcement when nothing was heard at all', () => {
    marbles(({ hot, expectObservable }) => {
      const readiness$ = hot<Readiness>('-');
      const expected = '                  180s (T|)';
      expectObservable(certificateDeadline(readiness$, 180_000)).toBe(expected, timedOut('no-announcement'));
    });
  });

  it('says nothing once only another server keeps a certificate from being served', () => {
    marbles(({ hot, expectObservable }) => {
      const readiness$ = hot('-n---m', values);
      const usable$ = hot('   ------ 100s u');
      const expected = '     100006ms    |';
      expectObservable(certificateDeadline(readiness$, 180_000, usable$)).toBe(expected);
    });
  });

  it('says nothing once a certificate is served, and listens no longer', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const readiness$ = hot('-n---m 100s a---m     ', values);
      const subs = '           ^ 100005ms !';
      const expected = '       100006ms |';
      expectObservable(certificateDeadline(readiness$, 180_000)).toBe(expected);
      expectSubscriptions(readiness$.subscriptions).toBe([subs, subs]);
    });
  });

  it('asks that one is served, not that it is ready: an expired one does not end the process', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const readiness$ = hot('-u     ', values);
      const subs = '           ^!';
      const expected = '       -|';
      expectObservable(certificateDeadline(readiness$, 180_000)).toBe(expected);
      expectSubscriptions(readiness$.subscriptions).toBe([subs, subs]);
    });
  });

  it('takes one that is served at the last instant', () => {
    marbles(({ hot, expectObservable }) => {
      const readiness$ = hot('-m 179998ms a', values);
      const expected = '       180s        |';
      expectObservable(certificateDeadline(readiness$, 180_000)).toBe(expected);
    });
  });

  it('does not take one that is served an instant later', () => {
    marbles(({ hot, expectObservable }) => {
      const readiness$ = hot('-m 179999ms a', values);
      const expected = '       180s (T|)';
      expectObservable(certificateDeadline(readiness$, 180_000)).toBe(expected, timedOut('hash-mismatch'));
    });
  });

  it('waits for ever when asked to, and does not even listen', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const readiness$ = hot('-n---m 300s m', values);
      const expected = '       |';
      expectObservable(certificateDeadline(readiness$, null)).toBe(expected);
      expectSubscriptions(readiness$.subscriptions).toBe([]);
    });
  });

  it('ends its timer with its subscriber', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const readiness$ = hot('-m', values);
      const unsub = '          ^ 100s !';
      expectObservable(certificateDeadline(readiness$, 180_000), unsub).toBe('');
      expectSubscriptions(readiness$.subscriptions).toBe([unsub, unsub]);
    });
  });
});
