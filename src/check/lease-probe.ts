import { setTimeout as delay } from 'node:timers/promises';
import type { GetResult } from './get.ts';
import type { LeaseInfo, Renewal } from './snapshot.ts';

interface RenewalWatch {
  readonly read: () => Promise<GetResult<LeaseInfo>>;
  /** A monotonic clock, ms. */
  readonly monotonicMs: () => number;
  /** The API server's clock, ms since the epoch. */
  readonly serverMs: () => number;
  /** How long silence is borne, ms, given the Lease as it is. */
  readonly patienceMs: (lease: LeaseInfo | null) => number;
  /** Called once when it has to be waited for. */
  readonly onWait: (atMostMs: number) => void;
}

/** A renewal is noticed this much late, about the precision of a Date header. */
const PACE_MS = 500;

/** Nobody wonders about a wait as short as this. */
const SHORT_MS = 1_500;

const valueOf = (seen: GetResult<LeaseInfo>): LeaseInfo | null => (seen.state === 'there' ? seen.value : null);

/** Somebody holds it, and has written that since. */
const isRenewed = (before: LeaseInfo | null, now: LeaseInfo | null): now is LeaseInfo =>
  now?.holder != null &&
  (before?.uid !== now.uid || before.renewTime !== now.renewTime || before.holder !== now.holder);

/** Reads the Lease until it is seen to change, and no longer than it takes to call it dead. */
export const probeLease = async (watch: RenewalWatch): Promise<Renewal> => {
  const { read, monotonicMs, serverMs, patienceMs, onWait } = watch;
  const startMs = monotonicMs();
  const first = await read();
  let seen = first;
  let told = false;
  for (;;) {
    const watchedMs = monotonicMs() - startMs;
    const now = valueOf(seen);
    if (isRenewed(valueOf(first), now)) {
      const renewedMs = Date.parse(now.renewTime ?? '');
      const holderSkewMs = Number.isNaN(renewedMs) ? null : renewedMs - serverMs();
      return { renewed: true, watchedMs, holderSkewMs };
    }
    const leftMs = patienceMs(now) - watchedMs;
    const isVisible = seen.state === 'there' || seen.state === 'absent';
    if (!isVisible || leftMs <= 0) return { renewed: false, watchedMs, holderSkewMs: null };
    if (!told && watchedMs > SHORT_MS) {
      told = true;
      onWait(leftMs);
    }
    await delay(Math.min(PACE_MS, leftMs));
    seen = await read();
  }
};
