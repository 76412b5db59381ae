import { expect } from 'chai';
import { array, assert, boolean, constantFrom, integer, property, record } from 'fast-check';
import { defer, finalize, from, interval, map, mergeMap, type Observable, take, tap, timer } from 'rxjs';
import { follower } from '../../streams/follower.ts';
import type { VolumeSnapshot } from '../../streams/model.ts';
import type { Readiness } from '../../streams/readiness.ts';
import { followerPorts } from '../support/follower-ports.ts';
import { leaseOf } from '../support/lease-of.ts';
import { marbles } from '../support/marbles.ts';
import { mountAt } from '../support/mount-at.ts';
import { pairOf } from '../support/pair-of.ts';
import { readingOf } from '../support/reading-of.ts';

/** Emits each of these at its instant. */
const timed = <T extends { readonly atMs: number }>(items: readonly T[]): Observable<T> =>
  from(items).pipe(mergeMap((item) => timer(item.atMs).pipe(map(() => item))));

describe("the follower's laws, whatever is announced and mounted, and when", () => {
  /** `bad` never passes; `late` may only be loaded again and again; the others are good. */
  const anyHash = constantFrom('a', 'b', 'c', 'bad', 'late');
  const anyChanges = array(
    record({
      pauseMs: integer({ min: 0, max: 60 }),
      announces: boolean(),
      mounts: boolean(),
      told: boolean(),
      hash: anyHash,
    }),
    { minLength: 1, maxLength: 12 },
  );
  const anyDurations = array(integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 10 });

  it('hold: only what agrees and passed is served (F1), one load at a time (F2), the newest in the end (F3), never less (F4)', () => {
    assert(
      property(anyChanges, anyDurations, (changes, durations) => {
        marbles((helpers, scheduler) => {
          let atMs = 0;
          const history = changes.map((change) => ({ ...change, atMs: (atMs += change.pauseMs) }));
          const last = { announces: true, mounts: true, told: true, hash: 'z', atMs: atMs + 1 };
          const all = [...history, last];

          let [steps, inFlight, most] = [0, 0, 0];
          const faults: string[] = [];
          const passed = new Set<string>();
          const step = <T>(result: () => T): Observable<T> =>
            defer(() => {
              let leave = () => {
                inFlight -= 1;
                leave = () => undefined;
              };
              most = Math.max(most, ++inFlight);
              return timer(durations[steps++ % durations.length]!).pipe(
                tap(() => leave()),
                map(result),
                finalize(() => leave()),
              );
            });

          const generations: Record<number, VolumeSnapshot> = { 0: readingOf('a') };
          for (const { mounts, hash, atMs: mountedAtMs } of all) if (mounts) generations[mountedAtMs] = readingOf(hash);
          const ports = followerPorts(helpers, scheduler, {
            readMount: mountAt(helpers, scheduler, generations),
            mountMoved$: timed(all.filter(({ mounts, told }) => mounts && told)),
            verify: (mounted, { hash }) =>
              step(() => {
                if (mounted.hash !== hash) faults.push(`verified ${mounted.hash} for ${hash}`);
                if (hash === 'bad') return { ok: false, reason: 'pair-mismatch', retryable: false };
                if (hash === 'late') return { ok: false, reason: 'not-yet-valid', retryable: true };
                passed.add(hash);
                return { ok: true, pair: pairOf(hash) };
              }),
            serve: ({ hash }) =>
              step(() => {
                if (!passed.has(hash)) faults.push(`served ${hash}`);
              }),
            handshake: () => step(() => null),
          });
          const lease$ = timed(all.filter(({ announces }) => announces)).pipe(map(({ hash }) => leaseOf(hash)));
          const tick$ = interval(50).pipe(take(40));
          const policy = { certTimeoutMs: null, kubeletNudge: false, reviewEveryMs: null };
          const { event$, readiness$ } = follower({ lease$, tick$ }, ports, policy);

          const told: Readiness[] = [];
          const subscription = event$.subscribe();
          subscription.add(readiness$.subscribe((now) => told.push(now)));
          timer(last.atMs + 400).subscribe(() => subscription.unsubscribe());
          helpers.flush();

          const firstReady = told.findIndex(({ ready }) => ready);
          expect(faults).to.deep.equal([]);
          expect(most).to.equal(1);
          expect(inFlight).to.equal(0);
          expect(told.at(-1)?.served?.hash).to.equal('z');
          expect(told.slice(firstReady).every(({ ready }) => ready)).to.equal(true);
        });
      }),
      { numRuns: 300 },
    );
  });
});
