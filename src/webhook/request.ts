import type { IncomingMessage } from 'node:http';
import { constrainedMemory } from 'node:process';
import { monotonicMs } from '../util/time.ts';

const MIB = 1024 * 1024;
/** A cgroup without a limit reports a number near 2^63. */
const UNLIMITED_BYTES = 2 ** 50;

/**
 * Returns how many bytes the requests of a process may hold together: an eighth of the container's memory limit, 64 MiB
 * where there is no limit. A body is held as bytes, text and objects, and what was dropped is freed at the next
 * collection only: with a quarter, 512 connections of 7 MiB each took the process over a limit of 256 MiB.
 */
export const heldBytesLimit = (limitBytes: number = constrainedMemory()): number =>
  limitBytes > 0 && limitBytes < UNLIMITED_BYTES ? Math.max(8 * MIB, Math.floor(limitBytes / 8)) : 64 * MIB;

interface RequestTarget {
  readonly pathname: string;
  /** The `?timeout=` of the caller, ms; null when absent or unreadable. */
  readonly timeoutMs: number | null;
}

const unitMs: Readonly<Record<string, number>> = {
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
  ms: 1,
  us: 1e-3,
  µs: 1e-3,
  ns: 1e-6,
};

/** Reads a Go duration (`10s`, `1m30s`, `1.5s`) as ms; null for any other text. */
const goDurationMs = (text: string): number | null => {
  if (!/^(?:\d+(?:\.\d+)?(?:h|ms|m|s|us|µs|ns))+$/.test(text)) return null;
  let totalMs = 0;
  for (const [, amount = '', unit = ''] of text.matchAll(/([\d.]+)([a-zµ]+)/g))
    totalMs += Number(amount) * (unitMs[unit] ?? 0);
  return totalMs;
};

const read = (url: string): RequestTarget => {
  const mark = url.indexOf('?');
  if (mark < 0) return { pathname: url, timeoutMs: null };
  const timeout = /[?&]timeout=([^&]*)/.exec(url)?.[1];
  return { pathname: url.slice(0, mark), timeoutMs: timeout === undefined ? null : goDurationMs(timeout) };
};

let last = { url: '', target: read('') };

/** Reads path and deadline of a request line, as the API server writes it: `/validate?timeout=10s`. */
export const requestTarget = (url = '/'): RequestTarget => {
  // Cached, because nearly every request has the same URL.
  if (last.url !== url) last = { url, target: read(url) };
  return last.target;
};

/** What one exchange holds of the memory that all exchanges share. */
export interface MemoryHold {
  /** Adds bytes. False when there is no room for them; then none are added. */
  grow(bytes: number): boolean;
  /** Ends the time in which this exchange may be evicted: its body is complete. */
  settle(): void;
  readonly release: () => void;
}

interface Holder {
  heldBytes: number;
  /** What the caller has announced (Content-Length), or 0: a large body is one from its first byte on. */
  readonly announcedBytes: number;
  readonly sinceMs: number;
  /** Null once settled. */
  evict: (() => void) | null;
}

/** Bounds the sum of the bodies, parsed reviews and answers that a process holds at one time. */
export interface MemoryBudget {
  /**
   * @param evict drops the bytes of an incomplete body; called when other exchanges need the memory
   * @param announcedBytes the Content-Length of the body, 0 where there is none
   */
  hold(evict: () => void, announcedBytes?: number): MemoryHold;
  readonly heldBytes: number;
}

/**
 * A request of the usual size: half of the budget is kept for these, a quarter beside a single larger one that exceeds the
 * rest, and none of them is evicted for a larger one, so that large requests never shut them out.
 */
const SMALL_BYTES = 64 * 1024;

/**
 * For so long no large body is evicted for another large one, which is refused instead: what is evicted occupies memory until
 * the next garbage collection.
 */
const YOUNG_MS = 500;

/**
 * Creates a budget. When it is exhausted, the incomplete body that has occupied most bytes for the longest time is
 * evicted: callers that send large bodies slowly never shut out those that send theirs at once. A single exchange is
 * always admitted, since MAX_REQUEST_BYTES bounds it.
 */
export const createMemoryBudget = (limitBytes: number = heldBytesLimit(), nowMs = monotonicMs): MemoryBudget => {
  const holders = new Set<Holder>();
  let heldBytes = 0;
  const remove = (holder: Holder) => {
    if (holders.delete(holder)) heldBytes -= holder.heldBytes;
  };
  const isSmall = ({ announcedBytes, heldBytes: bytes }: Holder, moreBytes = 0): boolean =>
    Math.max(announcedBytes, bytes + moreBytes) <= SMALL_BYTES;
  const smallBytes = () =>
    [...holders].filter((one) => isSmall(one)).reduce((sum, { heldBytes: bytes }) => sum + bytes, 0);
  const fits = (holder: Holder, bytes: number): boolean => {
    if (heldBytes === holder.heldBytes || heldBytes + bytes <= 0.5 * limitBytes) return true;
    // A single large exchange may exceed the limit by itself, hence the second comparison.
    return isSmall(holder, bytes) && (heldBytes + bytes <= limitBytes || smallBytes() + bytes <= 0.25 * limitBytes);
  };
  const occupation = ({ heldBytes: bytes, sinceMs }: Holder) => bytes * (nowMs() - sinceMs);
  const worstOf = (isCandidate: (holder: Holder) => boolean): Holder | null => {
    let worst: Holder | null = null;
    for (const one of holders)
      if (one.evict !== null && one.heldBytes > 0 && isCandidate(one))
        if (worst === null || occupation(one) > occupation(worst)) worst = one;
    return worst;
  };
  /** Evicts one incomplete body, a large one first; false when the only candidate is the exchange that asks. */
  const evictFor = (holder: Holder, bytes: number): boolean => {
    const isDue = (one: Holder) => isSmall(holder, bytes) || nowMs() - one.sinceMs >= YOUNG_MS;
    const worst =
      worstOf((one) => !isSmall(one) && isDue(one)) ?? (isSmall(holder, bytes) ? worstOf((one) => isSmall(one)) : null);
    if (worst === null || worst === holder) return false;
    remove(worst);
    worst.evict?.();
    return true;
  };
  return {
    hold: (evict, announcedBytes = 0) => {
      const holder: Holder = { heldBytes: 0, announcedBytes, sinceMs: nowMs(), evict };
      holders.add(holder);
      return {
        grow: (bytes) => {
          // Another exchange may be evicted for this one only while it is in the budget itself.
          while (holders.has(holder) && !fits(holder, bytes)) if (!evictFor(holder, bytes)) return false;
          if (!holders.has(holder)) return false;
          holder.heldBytes += bytes;
          heldBytes += bytes;
          return true;
        },
        settle: () => void (holder.evict = null),
        release: () => remove(holder),
      };
    },
    get heldBytes() {
      return heldBytes;
    },
  };
};

export type BodyFault = 'too-large' | 'cut-short' | 'no-memory';

/** A body with the memory that it occupies, to be released when the exchange ends. */
export interface HeldBody {
  readonly body: Buffer | BodyFault;
  readonly hold: MemoryHold;
}

/**
 * Reads the whole body, or returns why there is none. Never more than `maxBytes` is held.
 *
 * @param parsedFactor how many times the memory of the body its caller will need beside it; held before its pieces are joined
 */
export const readBody = (
  request: IncomingMessage,
  maxBytes: number,
  memory: MemoryBudget,
  parsedFactor = 0,
): Promise<HeldBody> =>
  new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const hold = memory.hold(() => fail('no-memory'), Number(request.headers['content-length'] ?? 0));
    const settle = (body: Buffer | BodyFault) => resolve({ body, hold });
    const fail = (fault: BodyFault) => {
      request.off('data', take);
      chunks.length = 0;
      hold.release();
      settle(fault);
    };
    const take = (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > maxBytes) fail('too-large');
      else if (hold.grow(chunk.length)) chunks.push(chunk);
      else fail('no-memory');
    };
    request.on('data', take);
    request.on('end', () => {
      hold.settle();
      if (!hold.grow(parsedFactor * bytes)) {
        fail('no-memory');
        return;
      }
      const body = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
      // The listeners live as long as the request, and the pieces must not.
      chunks.length = 0;
      settle(body);
    });
    request.on('error', () => fail('cut-short'));
    request.on('close', () => {
      if (!request.complete) fail('cut-short');
    });
  });

/**
 * Returns how long an answer may take: what the API server grants, less a margin for the way back (a tenth, at most
 * 500 ms), so that it receives this reason and not its own timeout; never more than `ceilingMs`.
 */
export const budgetMs = (grantedMs: number | null, ceilingMs: number): number =>
  grantedMs === null ? ceilingMs : Math.max(1, Math.min(ceilingMs, grantedMs - Math.min(500, grantedMs / 10)));

/** How a request ended, for the metrics: `refused` was the caller's fault, `failed` the handler's or the upstream's. */
export type Outcome = 'allowed' | 'denied' | 'forwarded' | 'refused' | 'failed' | 'aborted';

/** Called once for each request, when its outcome is known. */
export type OnAnswered = (outcome: Outcome, elapsedMs: number) => void;
