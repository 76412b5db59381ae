import { expect } from 'chai';
import { NEVER, type Observable, throwError } from 'rxjs';
import { loadCertificate, type LoadEvent, type LoadPorts, type PairCheck } from '../../streams/load-certificate.ts';
import type { Announcement, NotShown, VerifiedPair, VolumeSnapshot } from '../../streams/model.ts';
import { Problem } from '../../streams/problem.ts';
import { leaseOf } from '../support/lease-of.ts';
import { loads, shownInstead } from '../support/loads.ts';
import { marbles } from '../support/marbles.ts';
import { pairOf } from '../support/pair-of.ts';
import { readingOf } from '../support/reading-of.ts';

describe('loadCertificate', () => {
  const wanted = { lease: leaseOf('a'), mounted: readingOf('a') };
  const pair = pairOf('a');

  /** v passed, w passes later or never, n the bytes are gone; s served; h trusted, u untrusted. */
  const verdicts: Record<string, PairCheck | null> = {
    v: { ok: true, pair },
    r: { ok: false, reason: 'pair-mismatch', retryable: false },
    w: { ok: false, reason: 'not-yet-valid', retryable: true },
    n: null,
  };
  const handshakes: Record<string, string | NotShown | null> = {
    h: null,
    u: 'unable to verify the first certificate',
    x: shownInstead,
  };

  const ports = (
    verify$: Observable<PairCheck | null>,
    serve$: Observable<void> = NEVER,
    handshake$: Observable<string | NotShown | null> = NEVER,
  ): LoadPorts => ({ verify: () => verify$, serve: () => serve$, handshake: () => handshake$ });

  describe('compares first', () => {
    const untouched: LoadPorts = {
      verify: () => throwError(() => new Error('verified')),
      serve: () => throwError(() => new Error('served')),
      handshake: () => throwError(() => new Error('shook hands')),
    };
    const torn = readingOf(null, { problem: 'torn' });
    const table: readonly (readonly [string, Parameters<ReturnType<typeof loadCertificate>>[0], LoadEvent])[] = [
      ['there is no Lease', { lease: null, mounted: readingOf('a') }, loads.unannounced()],
      ['the Lease announces nothing', { lease: leaseOf(null), mounted: readingOf('a') }, loads.unannounced()],
      [
        'the announcement cannot be read',
        { lease: leaseOf(null, { malformed: 'no SHA-256' }), mounted: readingOf('a') },
        loads.unannounced('no SHA-256'),
      ],
      ['nothing is mounted', { lease: leaseOf('a'), mounted: readingOf(null) }, loads.unmounted('a')],
      ['something else is mounted', { lease: leaseOf('a'), mounted: readingOf('b') }, loads.mismatched('a', 'b')],
      ['the mount cannot be read', { lease: leaseOf('a'), mounted: torn }, loads.rejected('a', 'torn')],
    ];

    for (const [when, unlike, conclusion] of table) {
      it(`touches nothing when ${when}`, () => {
        marbles(({ expectObservable }) => {
          expectObservable(loadCertificate(untouched)(unlike)).toBe('(c|)', { c: conclusion });
        });
      });
    }

    it('says that nothing is announced rather than that the mount is unreadable', () => {
      marbles(({ expectObservable }) => {
        const load$ = loadCertificate(untouched)({ lease: null, mounted: torn });
        expectObservable(load$).toBe('(c|)', { c: loads.unannounced() });
      });
    });
  });

  it('verifies, serves, says that it has swapped, and shakes hands, one after the other', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const verify$ = cold('   --(v|)     ', verdicts);
      const serve$ = cold('      ---(s|)  ', { s: undefined });
      const handshake$ = cold('     -(h|) ', handshakes);
      const verifySubs = '     ^-!        ';
      const serveSubs = '      --^--!     ';
      const handshakeSubs = '  -----^!    ';
      const expected = '       -----s(c|) ';
      const load$ = loadCertificate(ports(verify$, serve$, handshake$))(wanted);
      expectObservable(load$).toBe(expected, { s: loads.swapped(), c: loads.served('a') });
      expectSubscriptions(verify$.subscriptions).toBe(verifySubs);
      expectSubscriptions(serve$.subscriptions).toBe(serveSubs);
      expectSubscriptions(handshake$.subscriptions).toBe(handshakeSubs);
    });
  });

  it('verifies the generation that was compared, against the announcement it was compared with', () => {
    marbles(({ cold, expectObservable, flush }) => {
      const seen: (VolumeSnapshot | Announcement | VerifiedPair)[] = [];
      const load$ = loadCertificate({
        verify: (mounted, announcement) => {
          seen.push(mounted, announcement);
          return cold('-(v|)', verdicts);
        },
        serve: (served) => {
          seen.push(served);
          return cold('-(s|)', { s: undefined });
        },
        handshake: (shown) => {
          seen.push(shown);
          return cold('-(h|)', handshakes);
        },
      })(wanted);
      expectObservable(load$).toBe('--s(c|)', { s: loads.swapped(), c: loads.served('a') });
      flush();
      expect(seen).to.deep.equal([wanted.mounted, wanted.lease.announcement, pair, pair]);
    });
  });

  for (const [verdict, conclusion] of [
    ['r', loads.rejected('a', 'pair-mismatch', false)],
    ['w', loads.rejected('a', 'not-yet-valid', true)],
  ] as const) {
    it(`never serves a pair that is rejected, and says whether time can mend it (${String(verdict === 'w')})`, () => {
      marbles(({ cold, expectObservable, expectSubscriptions }) => {
        const verify$ = cold(`  --(${verdict}|)`, verdicts);
        const serve$ = cold('     (s|)', { s: undefined });
        const expected = '      --(c|)';
        expectObservable(loadCertificate(ports(verify$, serve$))(wanted)).toBe(expected, { c: conclusion });
        expectSubscriptions(serve$.subscriptions).toBe([]);
      });
    });
  }

  it('concludes nothing when the bytes are no longer at hand', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const verify$ = cold(' --(n|)', verdicts);
      const serve$ = cold('    (s|)', { s: undefined });
      const expected = '     --|   ';
      expectObservable(loadCertificate(ports(verify$, serve$))(wanted)).toBe(expected);
      expectSubscriptions(serve$.subscriptions).toBe([]);
    });
  });

  it('serves a pair that the handshake then finds untrusted, and says so', () => {
    marbles(({ cold, expectObservable }) => {
      const verify$ = cold('   -(v|)  ', verdicts);
      const serve$ = cold('     -(s|) ', { s: undefined });
      const handshake$ = cold('  -(u|)', handshakes);
      const expected = '       --s(c|)';
      const load$ = loadCertificate(ports(verify$, serve$, handshake$))(wanted);
      const untrusted = loads.untrusted('a', 'unable to verify the first certificate');
      expectObservable(load$).toBe(expected, { s: loads.swapped(), c: untrusted });
    });
  });

  it('says what another server shows instead', () => {
    marbles(({ cold, expectObservable }) => {
      const verify$ = cold('   -(v|)  ', verdicts);
      const serve$ = cold('     -(s|) ', { s: undefined });
      const handshake$ = cold('  -(x|)', handshakes);
      const expected = '       --s(c|)';
      const load$ = loadCertificate(ports(verify$, serve$, handshake$))(wanted);
      expectObservable(load$).toBe(expected, { s: loads.swapped(), c: loads.notShown('a') });
    });
  });

  describe('when a port fails', () => {
    const problem = new Problem('cannot be served: address in use');
    const conclusion = { c: loads.rejected('a', 'cannot be served: address in use', true) };

    it('rejects for now what cannot be served, without a handshake', () => {
      marbles(({ cold, expectObservable, expectSubscriptions }) => {
        const verify$ = cold('   -(v|)  ', verdicts);
        const serve$ = cold('     -#    ', { s: undefined }, problem);
        const handshake$ = cold('  (h|) ', handshakes);
        const expected = '       --(c|) ';
        const load$ = loadCertificate(ports(verify$, serve$, handshake$))(wanted);
        expectObservable(load$).toBe(expected, conclusion);
        expectSubscriptions(handshake$.subscriptions).toBe([]);
      });
    });

    it('rejects for now what cannot be verified', () => {
      marbles(({ cold, expectObservable }) => {
        const verify$ = cold(' --#', verdicts, problem);
        const expected = '     --(c|)';
        expectObservable(loadCertificate(ports(verify$))(wanted)).toBe(expected, conclusion);
      });
    });

    it('takes a problem that is thrown like one that is told', () => {
      marbles(({ cold, expectObservable }) => {
        const throws = (): never => {
          throw problem;
        };
        const verify$ = cold('-(v|)', verdicts);
        const early$ = loadCertificate({ ...ports(verify$), verify: throws })(wanted);
        const late$ = loadCertificate({ ...ports(verify$), serve: throws })(wanted);
        expectObservable(early$).toBe('(c|)', conclusion);
        expectObservable(late$).toBe('-(c|)', conclusion);
      });
    });

    it('lets a bug through, wherever it shows', () => {
      marbles(({ cold, expectObservable }) => {
        const bug = new TypeError('a bug');
        const verify$ = cold('     -(v|)', verdicts);
        const serve$ = cold('       -(s|)', { s: undefined });
        const bad = <T>(values: Record<string, T>) => cold('-#', values, bug);
        expectObservable(loadCertificate(ports(bad(verdicts)))(wanted)).toBe('-#', {}, bug);
        expectObservable(loadCertificate(ports(verify$, bad({ s: undefined })))(wanted)).toBe('--#', {}, bug);
        const shaking$ = loadCertificate(ports(verify$, serve$, bad(handshakes)))(wanted);
        expectObservable(shaking$).toBe('--s#', { s: loads.swapped() }, bug);
      });
    });
  });

  describe('when it is unsubscribed', () => {
    it('stops verifying, and serves nothing', () => {
      marbles(({ cold, expectObservable, expectSubscriptions }) => {
        const verify$ = cold('----(v|)', verdicts);
        const serve$ = cold(' (s|)', { s: undefined });
        const unsub = '       ^--!';
        expectObservable(loadCertificate(ports(verify$, serve$))(wanted), unsub).toBe('');
        expectSubscriptions(verify$.subscriptions).toBe(unsub);
        expectSubscriptions(serve$.subscriptions).toBe([]);
      });
    });

    it('stops serving, and shakes no hands', () => {
      marbles(({ cold, expectObservable, expectSubscriptions }) => {
        const verify$ = cold('   -(v|)    ', verdicts);
        const serve$ = cold('     ----(s|)', { s: undefined });
        const handshake$ = cold(' (h|)    ', handshakes);
        const unsub = '          ^--!     ';
        const serveSubs = '      -^-!     ';
        expectObservable(loadCertificate(ports(verify$, serve$, handshake$))(wanted), unsub).toBe('');
        expectSubscriptions(serve$.subscriptions).toBe(serveSubs);
        expectSubscriptions(handshake$.subscriptions).toBe([]);
      });
    });

    it('breaks the handshake off', () => {
      marbles(({ cold, expectObservable, expectSubscriptions }) => {
        const verify$ = cold('   -(v|)     ', verdicts);
        const serve$ = cold('     -(s|)    ', { s: undefined });
        const handshake$ = cold('  ----(h|)', handshakes);
        const unsub = '          ^---!     ';
        const handshakeSubs = '  --^-!     ';
        const load$ = loadCertificate(ports(verify$, serve$, handshake$))(wanted);
        expectObservable(load$, unsub).toBe('--s', { s: loads.swapped() });
        expectSubscriptions(handshake$.subscriptions).toBe(handshakeSubs);
      });
    });
  });
});
