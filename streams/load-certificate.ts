import { catchError, concatMap, defer, EMPTY, map, type Observable, of, startWith, throwError } from 'rxjs';
import type { Desired, LoadEvent, Swapped } from './events.ts';
import type { Announcement, NotShown, VerifiedPair, VolumeSnapshot } from './model.ts';
import { Problem } from './problem.ts';

export type { Desired, LoadEvent, Swapped } from './events.ts';

export type PairCheck =
  | { readonly ok: true; readonly pair: VerifiedPair }
  | { readonly ok: false; readonly reason: string; readonly retryable: boolean };

export interface LoadPorts {
  /** Checks the very bytes that were hashed as this generation; null when they are no longer at hand. */
  verify(mounted: VolumeSnapshot, announcement: Announcement): Observable<PairCheck | null>;
  /**
   * Puts the pair into the server; the first call starts listening. Errs with a Problem and then serves what it did. Does
   * nothing where another server takes the pair from the mount by itself.
   */
  serve(pair: VerifiedPair): Observable<void>;
  /**
   * One TLS handshake with the server, under the Service's name: null when it verified, else why not. A server that is not
   * this process's own may show something else.
   */
  handshake(pair: VerifiedPair): Observable<string | NotShown | null>;
}

const rejected = (hash: string, reason: string, retryable: boolean): LoadEvent => ({
  type: 'certificate/rejected',
  hash,
  reason,
  retryable,
});

/**
 * One load, start to end: compare, verify, serve, shake hands. Whatever fails leaves the server as it was.
 *
 *     announced a, mounted a   --verify--serve--swapped--handshake--(served|)
 *     announced a, mounted b   (mismatched|)
 */
export const loadCertificate =
  (ports: LoadPorts) =>
  ({ lease, mounted }: Desired): Observable<LoadEvent | Swapped> => {
    const announcement = lease?.announcement ?? null;
    if (announcement === null) return of({ type: 'certificate/unannounced', malformed: lease?.malformed ?? null });

    const { hash } = announcement;
    // The same reading again would say the same: the next one comes by itself.
    if (mounted.problem !== null) return of(rejected(hash, mounted.problem, false));
    if (mounted.hash === null) return of({ type: 'certificate/unmounted', hash });
    if (mounted.hash !== hash) return of({ type: 'certificate/mismatched', hash, filesystemHash: mounted.hash });

    const handshake = (pair: VerifiedPair): Observable<LoadEvent> =>
      defer(() => ports.handshake(pair)).pipe(
        map((result) =>
          result === null || typeof result === 'string'
            ? { type: 'certificate/served', pair, untrusted: result }
            : { type: 'certificate/not-shown', pair, ...result },
        ),
      );
    const serve = (pair: VerifiedPair): Observable<LoadEvent | Swapped> =>
      defer(() => ports.serve(pair)).pipe(
        concatMap(() => handshake(pair).pipe(startWith<LoadEvent | Swapped>({ type: 'certificate/swapped' }))),
      );

    return defer(() => ports.verify(mounted, announcement)).pipe(
      concatMap((verdict) => {
        // The mount has moved on: its next reading is already on the way.
        if (verdict === null) return EMPTY;
        return verdict.ok ? serve(verdict.pair) : of(rejected(hash, verdict.reason, verdict.retryable));
      }),
      catchError((error: unknown) =>
        error instanceof Problem ? of(rejected(hash, error.message, true)) : throwError(() => error),
      ),
    );
  };
