import { defer, NEVER } from 'rxjs';
import { acquireLease } from '../../streams/acquire-lease.ts';
import type { ElectionEvent } from '../../streams/events.ts';
import type { LeaseSnapshot } from '../../streams/model.ts';
import type { LeaseWriteAccepted } from '../../streams/try-acquire-or-renew.ts';
import { leaseOf } from '../support/lease-of.ts';
import { marbles } from '../support/marbles.ts';

/** Five virtual milliseconds of silence make it free. */
const by = (holder: string | null, renewTime: string, rest: Partial<LeaseSnapshot> = {}): LeaseSnapshot =>
  leaseOf('a', { holder, renewTime, durationMs: 5, ...rest });

const held: LeaseWriteAccepted = { type: 'lease/held', lease: by('me', '9'), sentAtMs: 0 };
const failed: ElectionEvent = { type: 'leadership/failed', status: 409, error: 'conflict', retryInMs: 800 };
const atOnce = { identity: 'me', random: () => 0 };
const items = { h: held, f: failed };

/** The rival's renewals. */
const renewals = { a: by('rival', '1'), b: by('rival', '2'), c: by('rival', '3') };

describe('candidacy', () => {
  it('sends nothing as long as somebody renews in time', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const lease$ = hot(' a---b---c---a---b--', renewals);
      const claim$ = cold('(h|)', items);
      const unsub = '      ^------------------!';
      expectObservable(acquireLease(lease$, claim$, atOnce), unsub).toBe('-------------------');
      expectSubscriptions(lease$.subscriptions).toBe(unsub);
      expectSubscriptions(claim$.subscriptions).toBe([]);
    });
  });

  it('claims after the duration of silence, counted here from when it saw the last change', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const lease$ = hot(' -a---b---------', renewals);
      const claim$ = cold('          -(h|)', items);
      const subs = '       ----------^!';
      const expected = '   -----------(h|)';
      expectObservable(acquireLease(lease$, claim$, atOnce)).toBe(expected, items);
      expectSubscriptions(claim$.subscriptions).toBe(subs);
      expectSubscriptions(lease$.subscriptions).toBe(['^----------!', '----------^!']);
    });
  });

  it('does not believe the times on the Lease: one renewed a year ago is waited for like any other', () => {
    marbles(({ hot, cold, expectObservable }) => {
      const lease$ = hot(' a---------', { a: by('rival', '1970-01-01T00:00:00.000000Z') });
      const claim$ = cold('     (h|)', items);
      expectObservable(acquireLease(lease$, claim$, atOnce)).toBe('-----(h|)', items);
    });
  });

  it('waits for a Lease of 68 years as long as a timer can, and not for a millisecond', () => {
    marbles(
      ({ hot, cold, expectObservable }) => {
        const lease$ = hot(' a', { a: by('rival', '1', { durationMs: (2 ** 31 - 1) * 1_000 }) });
        const claim$ = cold('(h|)', items);
        expectObservable(acquireLease(lease$, claim$, atOnce)).toBe('2147483647ms (h|)', items);
      },
      { untilMs: 2 ** 31 },
    );
  });

  it("takes annotations and other people's writes for no sign of life", () => {
    marbles(({ hot, cold, expectObservable }) => {
      const same = { announcement: null, rotate: 'ca', servedSinceMs: 1 } as const;
      const lease$ = hot(' a-x--y--', {
        a: by('rival', '1'),
        x: by('rival', '1', { ...same, resourceVersion: '2' }),
        y: by('rival', '1', { resourceVersion: '3' }),
      });
      const claim$ = cold('     (h|)', items);
      expectObservable(acquireLease(lease$, claim$, atOnce)).toBe('-----(h|)', items);
    });
  });

  it('takes an absence that is told twice for one', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const lease$ = hot(' n 49ms n', { n: null });
      const claim$ = cold('       (h|)', items);
      const expected = '   100ms (h|)';
      const late = { identity: 'me', random: () => 1 };
      expectObservable(acquireLease(lease$, claim$, late)).toBe(expected, items);
      expectSubscriptions(claim$.subscriptions).toBe('100ms (^!)');
    });
  });

  it('starts counting afresh when any part of the record changes', () => {
    const changes: readonly Partial<LeaseSnapshot>[] = [
      { renewTime: '2' },
      { holder: 'another' },
      { transitions: 7 },
      { uid: 'made again' },
    ];
    for (const change of changes) {
      marbles(({ hot, cold, expectObservable }) => {
        const lease$ = hot(' a---b------', { a: by('rival', '1'), b: by('rival', '1', change) });
        const claim$ = cold('         (h|)', items);
        expectObservable(acquireLease(lease$, claim$, atOnce)).toBe('---------(h|)', items);
      });
    }
  });

  it('waits as long as the Lease itself says', () => {
    marbles(({ hot, cold, expectObservable }) => {
      const lease$ = hot(' a--', { a: by('rival', '1', { durationMs: 60_000 }) });
      expectObservable(acquireLease(lease$, cold('(h|)', items), atOnce)).toBe('60s (h|)', items);
    });
  });

  it('claims at once what is released, absent or its own', () => {
    for (const lease of [by(null, '1'), null, by('me', '1')]) {
      marbles(({ hot, cold, expectObservable }) => {
        const lease$ = hot('--a--', { a: lease });
        expectObservable(acquireLease(lease$, cold('(h|)', items), atOnce)).toBe('--(h|)', items);
      });
    }
  });

  it('spreads itself over 100 ms for one that is released or absent, and not for its own', () => {
    const halfway = { identity: 'me', random: () => 0.5 };
    marbles(({ hot, cold, expectObservable }) => {
      const claim$ = cold('(h|)', items);
      expectObservable(acquireLease(hot('a', { a: by(null, '1') }), claim$, halfway)).toBe('50ms (h|)', items);
      expectObservable(acquireLease(hot('a', { a: null }), claim$, halfway)).toBe('50ms (h|)', items);
      expectObservable(acquireLease(hot('a', { a: by('me', '1') }), claim$, halfway)).toBe('(h|)', items);
    });
  });

  it('leaves it to the one who was faster', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const lease$ = hot(' r 30ms a 4ms -', { r: by(null, '0'), a: by('rival', '1') });
      const claim$ = cold('(h|)', items);
      expectObservable(acquireLease(lease$, claim$, { identity: 'me', random: () => 0.5 })).toBe('36ms (h|)', items);
      expectSubscriptions(claim$.subscriptions).toBe('36ms (^!)');
    });
  });

  it('tells failures, and goes on claiming until it has it', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const lease$ = hot(' a-----------', renewals);
      const claim$ = cold('     f--f-(h|)', items);
      const subs = '       -----^----!';
      const expected = '   -----f--f-(h|)';
      expectObservable(acquireLease(lease$, claim$, atOnce)).toBe(expected, items);
      expectSubscriptions(claim$.subscriptions).toBe(subs);
    });
  });

  it('drops a claim on its way when a rival is seen to move, and waits again', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const lease$ = hot(' a------b-------', renewals);
      const claim$ = cold('     f----(h|)     ', items);
      const subs = ['                  -----^-!        ', '                  ------------^----!'];
      const expected = '   -----f------f----(h|)';
      expectObservable(acquireLease(lease$, claim$, atOnce)).toBe(expected, items);
      expectSubscriptions(claim$.subscriptions).toBe(subs);
    });
  });

  it('holds on to its claim when the Lease is only annotated, released or deleted meanwhile', () => {
    const others = [by('rival', '1', { resourceVersion: '2', rotate: 'ca' }), by(null, '1'), null, by('me', '2')];
    for (const other of others) {
      marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
        const lease$ = hot(' a-----b-------', { a: by('rival', '1'), b: other });
        const claim$ = cold('     f----(h|)', items);
        const subs = '       -----^----!';
        expectObservable(acquireLease(lease$, claim$, atOnce)).toBe('-----f----(h|)', items);
        expectSubscriptions(claim$.subscriptions).toBe(subs);
      });
    }
  });

  it('looks at the newest Lease when the claim begins, not only at those that come after', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const seen$ = hot(' a-', renewals);
      const known$ = cold('b-', renewals);
      let subscriptions = 0;
      const lease$ = defer(() => (subscriptions++ === 0 ? seen$ : known$));
      const claim$ = cold('--(h|)', items);
      expectObservable(acquireLease(lease$, claim$, atOnce)).toBe('------');
      expectSubscriptions(claim$.subscriptions).toBe('-----(^!)');
    });
  });

  it('ends with the stream of Leases when that ends before any claim, and passes a bug on', () => {
    marbles(({ hot, expectObservable }) => {
      expectObservable(acquireLease(hot('|'), NEVER, atOnce)).toBe('|');
      expectObservable(acquireLease(hot('-#'), NEVER, atOnce)).toBe('-#');
    });
  });

  it('lets go of everything when it is given up', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }) => {
      const lease$ = hot(' a--------', renewals);
      const claim$ = cold('     -----', items);
      expectObservable(acquireLease(lease$, claim$, atOnce), '^------!').toBe('');
      expectSubscriptions(lease$.subscriptions).toBe(['^------!', '-----^-!']);
      expectSubscriptions(claim$.subscriptions).toBe('-----^-!');
    });
  });
});
