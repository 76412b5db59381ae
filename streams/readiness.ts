import { distinctUntilChanged, map, scan, shareReplay } from 'rxjs';
import type { Observable } from 'rxjs';
import type { Clock } from './clock.ts';
import type { LoadEvent } from './load-certificate.ts';
import type { VerifiedPair } from './model.ts';

export type UnreadyReason =
  | 'no-announcement'
  | 'no-certificate-file'
  | 'hash-mismatch'
  | `certificate-rejected: ${string}`
  | 'certificate-expired'
  | 'untrusted';

export interface Readiness {
  readonly ready: boolean;
  /** Why not, most telling first; empty when ready. */
  readonly reasons: readonly UnreadyReason[];
  readonly served: VerifiedPair | null;
}

interface Fold {
  readonly served: VerifiedPair | null;
  readonly untrusted: boolean;
  readonly obstacle: UnreadyReason;
  readonly expired: boolean;
}

const obstacleOf = (event: LoadEvent, before: UnreadyReason): UnreadyReason => {
  switch (event.type) {
    case 'certificate/unannounced':
      return 'no-announcement';
    case 'certificate/unmounted':
      return 'no-certificate-file';
    case 'certificate/mismatched':
      return 'hash-mismatch';
    case 'certificate/rejected':
      return `certificate-rejected: ${event.reason}`;
    case 'certificate/served':
      return before;
  }
};

const reasonsOf = ({ served, untrusted, obstacle, expired }: Fold): readonly UnreadyReason[] => {
  if (served === null) return [obstacle];
  return [...(expired ? (['certificate-expired'] as const) : []), ...(untrusted ? (['untrusted'] as const) : [])];
};

const sameReadiness = (left: Readiness, right: Readiness): boolean =>
  left.served === right.served && left.reasons.join() === right.reasons.join();

/**
 * What is served, whether it may be called ready, and why not. Once something is served, nothing that fails later takes
 * readiness away; only its own expiry and a failed handshake do. Looked at again at each tick, on the wall clock.
 *
 *     load     --mismatched------served a-----rejected b-----------
 *     tick     t------t------t------t------t------t------t------t--   (a expires)
 *     result   --hash-mismatch---ready a--------------------expired
 */
export const readiness =
  (clock: Clock) =>
  (loadOrTick$: Observable<LoadEvent | { readonly type: 'tick' }>): Observable<Readiness> =>
    loadOrTick$.pipe(
      scan(
        (fold: Fold, event): Fold => {
          const served = event.type === 'certificate/served' ? event.pair : fold.served;
          const nowMs = clock.wallMs();
          return {
            served,
            untrusted: event.type === 'certificate/served' ? event.untrusted !== null : fold.untrusted,
            obstacle: event.type === 'tick' ? fold.obstacle : obstacleOf(event, fold.obstacle),
            expired: served !== null && (nowMs >= served.leaf.notAfterMs || nowMs < served.leaf.notBeforeMs),
          };
        },
        { served: null, untrusted: false, obstacle: 'no-announcement', expired: false },
      ),
      map((fold) => {
        const reasons = reasonsOf(fold);
        return { ready: fold.served !== null && reasons.length === 0, reasons, served: fold.served };
      }),
      distinctUntilChanged(sameReadiness),
      shareReplay({ bufferSize: 1, refCount: true }),
    );
