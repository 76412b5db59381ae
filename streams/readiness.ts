import { distinctUntilChanged, filter, map, type Observable, scan, shareReplay } from 'rxjs';
import type { Clock } from './clock.ts';
import type { LoadEvent, Swapped } from './events.ts';
import type { Readiness, UnreadyReason, VerifiedPair } from './model.ts';

export type { Readiness, UnreadyReason } from './model.ts';

type Served = Extract<LoadEvent, { type: 'certificate/served' }>;
type Occasion = LoadEvent | Swapped | { readonly type: 'tick' };

interface Fold {
  readonly served: Served | null;
  /** What is in the way of a first certificate. */
  readonly obstacle: UnreadyReason;
  /** Another pair is in the server than `served`, and no handshake has verified it yet. */
  readonly isSwapping: boolean;
}

const obstacleOf = (occasion: Exclude<Occasion, Served | Swapped>, before: UnreadyReason): UnreadyReason => {
  switch (occasion.type) {
    case 'certificate/unannounced':
      return 'no-announcement';
    case 'certificate/unmounted':
      return 'no-certificate-file';
    case 'certificate/mismatched':
      return 'hash-mismatch';
    case 'certificate/rejected':
      return `certificate-rejected: ${occasion.reason}`;
    case 'tick':
      return before;
  }
};

const nextFold = (fold: Fold, occasion: Occasion): Fold => {
  const { served, obstacle } = fold;
  if (occasion.type === 'certificate/served') return { served: occasion, obstacle, isSwapping: false };
  if (occasion.type === 'certificate/swapped') return { ...fold, isSwapping: true };
  const isSwapping = fold.isSwapping && occasion.type === 'tick';
  return { served, obstacle: obstacleOf(occasion, obstacle), isSwapping };
};

const reasonsOf = ({ served, obstacle }: Fold, nowMs: number): readonly UnreadyReason[] => {
  if (served === null) return [obstacle];
  const { notBeforeMs, notAfterMs } = served.pair.leaf;
  const expired = nowMs >= notAfterMs || nowMs < notBeforeMs;
  return [
    ...(expired ? (['certificate-expired'] as const) : []),
    ...(served.untrusted !== null ? (['untrusted'] as const) : []),
  ];
};

const sameReadiness = (left: Readiness, right: Readiness): boolean =>
  left.served === right.served && left.reasons.join() === right.reasons.join();

/**
 * What is served, whether it may be called ready, and why not. Once something is served, nothing that fails later takes
 * readiness away; only its own expiry and a failed handshake do. Looked at again at each tick, on the wall clock, but not
 * while the server has another pair already whose handshake is still to come.
 *
 *     load     --mismatched------served a-----rejected b-----------
 *     tick     t------t------t------t------t------t------t------t--   (a expires)
 *     result   --hash-mismatch---ready a--------------------expired
 */
export const readiness =
  (clock: Clock) =>
  (occasion$: Observable<Occasion>): Observable<Readiness> =>
    occasion$.pipe(
      scan(nextFold, { served: null, obstacle: 'no-announcement', isSwapping: false }),
      filter(({ isSwapping }) => !isSwapping),
      map((fold) => {
        const reasons = reasonsOf(fold, clock.wallMs());
        return { ready: reasons.length === 0, reasons, served: fold.served?.pair ?? null };
      }),
      distinctUntilChanged(sameReadiness),
      shareReplay({ bufferSize: 1, refCount: true }),
    );

/**
 * The pair that is served, each once. The same files verified again are not another pair; another bundle around the
 * same leaf is.
 *
 *     ready    --no---a---a expired---b----
 *     result   -------a---------------b----
 */
export const servedCertificate =
  () =>
  (readiness$: Observable<Readiness>): Observable<VerifiedPair> =>
    readiness$.pipe(
      map(({ served }) => served),
      filter((served) => served !== null),
      distinctUntilChanged((left, right) => left.generation === right.generation),
    );
