import { setTimeout as delay } from 'node:timers/promises';
import type { GetResult } from './get.ts';
import type { LeaseInfo, Renewal } from './snapshot.ts';

interface RenewalWatch {
  readonly read: () => Promise<GetResult<LeaseInfo>>;
  /** A monotonic clock, ms. */
  readonly monotonicMs: () => number;
  /** The API server's clock, ms since the epoch. */
  readonly serverMs: () => number;
  /** How long to wait for a renewal, ms, given the Lease as it is. */
  readonly timeoutMs: (lease: LeaseInfo | null) => number;
  /** Called once when a renewal has to be awaited. */
  readonly onWait: (atMostMs: number) => void;
}

/** Interval between reads: finer than the precision of a Date header would gain nothing. */
const INTERVAL_MS = 500;

/** A wait shorter than this is not announced. */
const SHORT_WAIT_MS = 1_500;

const valueOf = (seen: GetResult<LeaseInfo>): LeaseInfo | null => (seen.state === 'there' ? seen.value : null);

/** Whether a holder has written the Lease since it was first read. */
const isRenewed = (before: LeaseInfo | null, now: LeaseInfo | null): now is LeaseInfo =>
  now?.holder != null &&
  (before?.uid !== now.uid || before.renewTime !== now.renewTime || before.holder !== now.holder);

/** Reads the Lease until it changes, for at most as long as a living holder may take to renew it. */
export const probeLease = async (watch: RenewalWatch): Promise<Renewal> => {
  const { read, monotonicMs, serverMs, timeoutMs, onWait } = watch;
  const startMs = monotonicMs();
  const first = await read();
  let seen = first;
  let isAnnounced = false;
  for (;;) {
    const watchedMs = monotonicMs() - startMs;
    const now = valueOf(seen);
    if (isRenewed(valueOf(first), now)) {
      const renewedMs = Date.parse(now.renewTime ?? '');
      const holderSkewMs = Number.isNaN(renewedMs) ? null : renewedMs - serverMs();
      return { renewed: true, watchedMs, holderSkewMs };
    }
    const leftMs = timeoutMs(now) - watchedMs;
    const isVisible = seen.state === 'there' || seen.state === 'absent';
    if (!isVisible || leftMs <= 0) return { renewed: false, watchedMs, holderSkewMs: null };
    if (!isAnnounced && watchedMs > SHORT_WAIT_MS) {
      isAnnounced = true;
      onWait(leftMs);
    }
    await delay(Math.min(INTERVAL_MS, leftMs));
    seen = await read();
  }
};
