import type { VerifiedPair } from '../../streams/model.ts';
import { type Readiness, servedCertificate } from '../../streams/readiness.ts';
import { marbles } from '../support/marbles.ts';
import { pairOf } from '../support/pair-of.ts';

describe('servedCertificate', () => {
  const a = pairOf('a');
  const b = pairOf('b');
  const wider: VerifiedPair = { ...a, generation: 'a, wider bundle' };
  const ready = (served: VerifiedPair | null): Readiness => ({ ready: served !== null, reasons: [], served });
  const expired = (served: VerifiedPair): Readiness => ({ ready: false, reasons: ['certificate-expired'], served });
  const seen = { n: ready(null), a: ready(a), e: expired(a), A: ready({ ...a }), w: ready(wider), b: ready(b) };

  it('gives each pair once, whatever becomes of its readiness', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const readiness$ = hot('-n-a-e-A-b-a-|', seen);
      const subs = '          ^------------!';
      const expected = '      ---a-----b-a-|';
      expectObservable(readiness$.pipe(servedCertificate())).toBe(expected, { a, b });
      expectSubscriptions(readiness$.subscriptions).toBe(subs);
    });
  });

  it('gives the same leaf again when its bundle is another one', () => {
    marbles(({ hot, expectObservable }) => {
      const readiness$ = hot('a-w-a', seen);
      const expected = '      a-w-a';
      expectObservable(readiness$.pipe(servedCertificate())).toBe(expected, { a, w: wider });
    });
  });

  it('fails when readiness does, and lets go of it when nobody listens', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const readiness$ = hot('a-#', seen);
      expectObservable(readiness$.pipe(servedCertificate())).toBe('a-#', { a });
      expectObservable(readiness$.pipe(servedCertificate()), '^!').toBe('a-', { a });
      expectSubscriptions(readiness$.subscriptions).toBe(['^-!', '^!']);
    });
  });
});
