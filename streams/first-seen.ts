import { defer, map, type OperatorFunction } from 'rxjs';
import type { Clock } from './clock.ts';

/** Hashes remembered: a rotation has two, several rotations in a row a few more. */
const REMEMBERED = 16;

/**
 * Pairs each value with the ms since its hash was first seen here, so that every log line of one rotation carries the
 * elapsed time.
 *
 *     values   --a-----b--a----
 *     result   --a0----b0-a9---
 */
export const withElapsedSinceFirstSeen =
  <T>(clock: Clock, hashesOf: (value: T) => readonly string[]): OperatorFunction<T, readonly [T, number]> =>
  (source$) =>
    defer(() => {
      const seenAtMs = new Map<string, number>();
      return source$.pipe(
        map((value) => {
          const nowMs = clock.monotonicMs();
          const hashes = hashesOf(value);
          for (const hash of hashes) if (!seenAtMs.has(hash)) seenAtMs.set(hash, nowMs);
          for (const oldest of seenAtMs.keys()) if (seenAtMs.size > REMEMBERED) seenAtMs.delete(oldest);
          const [firstMs = nowMs] = hashes.map((hash) => seenAtMs.get(hash));
          return [value, nowMs - firstMs] as const;
        }),
      );
    });
