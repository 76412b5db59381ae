import { expect } from 'chai';
import { map, NEVER, type Observable, Subject } from 'rxjs';
import type { TestScheduler } from 'rxjs/testing';
import type { ElectionEvent, Fence } from '../../streams/events.ts';
import type { LeaseSnapshot } from '../../streams/model.ts';
import { renewLease } from '../../streams/renew-lease.ts';
import type { LeaseWriteAccepted } from '../../streams/try-acquire-or-renew.ts';
import { inTurn } from '../support/in-turn.ts';
import { leaseOf } from '../support/lease-of.ts';
import { marbles } from '../support/marbles.ts';

const policy = { identity: 'me', renewDeadlineMs: 8, retryPeriodMs: 3 };

const by = (holder: string | null, resourceVersion: string): LeaseSnapshot => leaseOf('a', { holder, resourceVersion });

const held = (sentAtMs: number): LeaseWriteAccepted => ({ type: 'lease/held', lease: by('me', '10'), sentAtMs });
const failed: ElectionEvent = { type: 'leadership/failed', status: 500, error: 'refused', retryInMs: 800 };

/** The wall clock is nobody's business here: whoever asks it fails. */
const clockOf = (monotonicMs: () => number) => ({
  wallMs: (): number => {
    throw new Error('the wall clock was asked');
  },
  monotonicMs,
});

const begin = (
  lease$: Observable<LeaseSnapshot | null>,
  renew$: Observable<LeaseWriteAccepted | ElectionEvent>,
  scheduler: TestScheduler,
): Observable<string> =>
  renewLease(
    held(0),
    { lease$, renew$ },
    clockOf(() => scheduler.now()),
    policy,
  ).pipe(map((event) => (event.type === 'leadership/lost' ? event.reason : event.type.replace('leadership/', ''))));

const said = { A: 'acquired', r: 'renewed', f: 'failed', D: 'deposed', L: 'renew-deadline', S: 'shared-identity' };

describe('tenure', () => {
  it('begins at once and renews at each retry period', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }, scheduler) => {
      const lease$ = hot<LeaseSnapshot>('-----------');
      const renew$ = cold('     (h|)', { h: held(0) });
      const unsub = '        ^---------!';
      const expected = '     A--r--r--r-';
      expectObservable(begin(lease$, renew$, scheduler), unsub).toBe(expected, said);
      expectSubscriptions(lease$.subscriptions).toBe([unsub, unsub]);
      expectSubscriptions(renew$.subscriptions).toBe(['---(^!)', '------(^!)', '---------(^!)']);
    });
  });

  it('has one renewal under way at a time', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const renew$ = cold('     ----(h|)', { h: held(0) });
      const unsub = '        ^----------------!';
      const expected = '     A------r-----r----';
      expectObservable(begin(NEVER, renew$, scheduler), unsub).toBe(expected, said);
      expectSubscriptions(renew$.subscriptions).toBe(['---^---!', '---------^---!', '---------------^-!']);
    });
  });

  it("is not disturbed by its own renewals and other people's annotations", () => {
    marbles(({ hot, cold, expectObservable }, scheduler) => {
      const lease$ = hot('   --a--b--c', { a: by('me', '11'), b: by('me', '12'), c: by('me', '9') });
      const renew$ = cold('     (h|)', { h: held(0) });
      expectObservable(begin(lease$, renew$, scheduler), '^-------!').toBe('A--r--r-', said);
    });
  });

  it('ends when somebody else is seen to hold the Lease, or nobody', () => {
    for (const holder of ['rival', null]) {
      marbles(({ hot, cold, expectObservable, expectSubscriptions }, scheduler) => {
        const lease$ = hot(' ----x---', { x: by(holder, '11') });
        const renew$ = cold('   --(h|)', { h: held(0) });
        const subs = '       ^---!';
        const expected = '   A---(D|)';
        expectObservable(begin(lease$, renew$, scheduler)).toBe(expected, said);
        expectSubscriptions(lease$.subscriptions).toBe([subs, subs]);
        expectSubscriptions(renew$.subscriptions).toBe('---^!');
      });
    }
  });

  describe('when the Lease is renewed under its identity, but not by it', () => {
    const renewed = (renewTime: string, resourceVersion: string): LeaseSnapshot => ({
      ...by('me', resourceVersion),
      renewTime,
    });
    const accepted: LeaseWriteAccepted = { ...held(0), lease: renewed('own', '12') };
    const items = {
      h: accepted,
      f: failed,
      n: { ...failed, status: null },
      c: { ...failed, status: 409 },
    };

    it('ends: another process uses the identity', () => {
      marbles(({ hot, expectObservable }, scheduler) => {
        const lease$ = hot('-x', { x: renewed('foreign', '11') });
        expectObservable(begin(lease$, NEVER, scheduler)).toBe('A(S|)', said);
      });
    });

    it('goes on when its own renewal is seen before the response to it', () => {
      marbles(({ hot, cold, expectObservable }, scheduler) => {
        const lease$ = hot('   ----x-x', { x: renewed('own', '12') });
        const renew$ = cold('     --(h|)', items);
        expectObservable(begin(lease$, renew$, scheduler), '^------!').toBe('A----r-', said);
      });
    });

    it('ends when its own renewal is rejected because of the foreign one', () => {
      marbles(({ hot, cold, expectObservable }, scheduler) => {
        const lease$ = hot('   ----x-', { x: renewed('foreign', '11') });
        const renew$ = cold('     --c', items);
        expectObservable(begin(lease$, renew$, scheduler)).toBe('A----(fS|)', said);
      });
    });

    it('takes one renewal for each write without an answer for its own: it may have been accepted', () => {
      marbles(({ hot, cold, expectObservable }, scheduler) => {
        const lease$ = hot('   -----xy', { x: renewed('own', '11'), y: renewed('foreign', '12') });
        const renew$ = cold('     -(n|)', items);
        expectObservable(begin(lease$, renew$, scheduler)).toBe('A---f-(S|)', said);
      });
    });

    it('goes on after a rejection that has another reason', () => {
      marbles(({ hot, cold, expectObservable }, scheduler) => {
        const lease$ = hot('   --x', { x: by('me', '11') });
        const renew$ = cold('     -f', items);
        expectObservable(begin(lease$, renew$, scheduler), '^----!').toBe('A---f', said);
      });
    });
  });

  it('takes the news of the time before its claim for old', () => {
    marbles(({ hot, cold, expectObservable }, scheduler) => {
      const lease$ = hot('   -x-y', { x: by('rival', '9'), y: by(null, '8') });
      const renew$ = cold('     (h|)', { h: held(0) });
      expectObservable(begin(lease$, renew$, scheduler), '^---!').toBe('A--r', said);
    });
  });

  it('is ended by a rival on a version that is no number, since that may be newer', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      expectObservable(begin(hot('-x', { x: by('rival', 'v1') }), NEVER, scheduler)).toBe('A(D|)', said);
    });
  });

  it('makes a deleted Lease again at once', () => {
    marbles(({ hot, cold, expectObservable, expectSubscriptions }, scheduler) => {
      const lease$ = hot('   -0-------', { 0: null });
      const renew$ = cold('   (h|)', { h: held(0) });
      expectObservable(begin(lease$, renew$, scheduler), '^---!').toBe('Ar-r', said);
      expectSubscriptions(renew$.subscriptions).toBe(['-(^!)', '---(^!)']);
    });
  });

  it('tells failures and ends when nothing was renewed for the whole deadline', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const renew$ = cold('     f-f-f-f-f', { f: failed });
      const expected = '     A--f-f-f(L|)';
      expectObservable(begin(NEVER, renew$, scheduler)).toBe(expected, said);
      expectSubscriptions(renew$.subscriptions).toBe('---^----!');
    });
  });

  it('counts the deadline from the last renewal', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const renewed$ = cold<LeaseWriteAccepted | ElectionEvent>('   (h|)', { h: held(3) });
      const failing$ = cold<LeaseWriteAccepted | ElectionEvent>('      f------', { f: failed });
      const expected = '     A--r--f----(L|)';
      expectObservable(begin(NEVER, inTurn(renewed$, failing$), scheduler)).toBe(expected, said);
      expectSubscriptions(failing$.subscriptions).toBe('------^----!');
    });
  });

  describe('its fence', () => {
    /** Runs a tenure on clocks set by hand; what it tells is kept. */
    const watched = () => {
      const [lease$, renewal$] = [
        new Subject<LeaseSnapshot | null>(),
        new Subject<LeaseWriteAccepted | ElectionEvent>(),
      ];
      const clock = { nowMs: 100 };
      const told: ElectionEvent[] = [];
      const fencesAtEvents: boolean[] = [];
      let fence: Fence = () => false;
      const sources = { lease$, renew$: renewal$ };
      const running = renewLease(
        held(100),
        sources,
        clockOf(() => clock.nowMs),
        policy,
      ).subscribe((event) => {
        if (event.type === 'leadership/acquired') ({ fence } = event);
        told.push(event);
        fencesAtEvents.push(fence());
      });
      return { lease$, renewal$, clock, told, fencesAtEvents, fence, running };
    };

    it('stands open until the deadline after the sending of the claim, on a clock that never jumps', () => {
      const { fence, clock, running } = watched();
      const open = [100, 104, 107, 108, 200].map((nowMs) => {
        clock.nowMs = nowMs;
        return fence();
      });
      expect(open).to.deep.equal([true, true, true, false, false]);
      running.unsubscribe();
    });

    it('is shut as soon as somebody else is seen to hold the Lease, and stays shut', () => {
      const { fence, lease$, fencesAtEvents, told } = watched();
      lease$.next(by('rival', '11'));
      expect(told.map(({ type }) => type)).to.deep.equal(['leadership/acquired', 'leadership/lost']);
      expect(fencesAtEvents).to.deep.equal([true, false]);
      expect(fence()).to.equal(false);
      expect(lease$.observed).to.equal(false);
    });

    it('is shut when the leader is stopped', () => {
      const { fence, running } = watched();
      expect(fence()).to.equal(true);
      running.unsubscribe();
      expect(fence()).to.equal(false);
    });
  });

  it('moves its fence with each renewal, from its sending, and shuts it before it tells its end', () => {
    marbles(({ cold, expectObservable }, scheduler) => {
      let fence: Fence = () => false;
      const renew$ = inTurn(cold<LeaseWriteAccepted>('--(h|)', { h: held(3) }), cold<LeaseWriteAccepted>('-'));
      const event$ = renewLease(
        held(0),
        { lease$: NEVER, renew$ },
        clockOf(() => scheduler.now()),
        policy,
      ).pipe(
        map((event) => {
          if (event.type === 'leadership/acquired') ({ fence } = event);
          return event.type.replace('leadership/', '');
        }),
      );
      expectObservable(event$).toBe('A----r-------(L|)', { ...said, L: 'lost' });
      const sampled$ = cold('       -------xx-xxx--').pipe(map(() => fence()));
      expectObservable(sampled$).toBe('-------oo-oss--', { o: true, s: false });
    });
  });
});
