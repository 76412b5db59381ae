import { distinctUntilChanged, filter, map, type Observable, scan, shareReplay } from 'rxjs';
import type { Clock } from './clock.ts';
import type { LoadEvent, Swapped } from './events.ts';
import type { Readiness, UnreadyReason, VerifiedPair } from './model.ts';

export type { Readiness, UnreadyReason } from './model.ts';

type Served = Extract<LoadEvent, { type: 'certificate/served' }>;
type NotShown = Extract<LoadEvent, { type: 'certificate/not-shown' }>;
type Occasion = LoadEvent | Swapped | { readonly type: 'tick' };

interface Fold {
  readonly served: Pick<Served, 'pair' | 'untrusted'> | null;
  /** `served` is what another server shows instead of the announced pair, for this reason. */
  readonly instead: UnreadyReason | null;
  /** What is in the way of a first certificate. */
  readonly obstacle: UnreadyReason;
  /** Another pair is in the server than `served`, and no handshake has verified it yet. */
  readonly isSwapping: boolean;
}

const obstacleOf = (occasion: Exclude<Occasion, Served | NotShown | Swapped>, before: UnreadyReason): UnreadyReason => {
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
  const { served, instead, obstacle } = fold;
  switch (occasion.type) {
    case 'certificate/served':
      return { served: occasion, instead: null, obstacle, isSwapping: false };
    case 'certificate/not-shown': {
      const { shown: pair, refused: untrusted, kind, detail } = occasion;
      const reason = `${kind}: ${detail}` as const;
      return { served: pair && { pair, untrusted }, instead: reason, obstacle: reason, isSwapping: false };
    }
    case 'certificate/swapped':
      return { ...fold, isSwapping: true };
    default: {
      const isSwapping = fold.isSwapping && occasion.type === 'tick';
      return { served, instead, obstacle: obstacleOf(occasion, obstacle), isSwapping };
    }
  }
};

const reasonsOf = ({ served, instead, obstacle }: Fold, nowMs: number): readonly UnreadyReason[] => {
  if (served === null) return [obstacle];
  const { notBeforeMs, notAfterMs } = served.pair.leaf;
  const expired = nowMs >= notAfterMs || nowMs < notBeforeMs;
  return [
    ...(expired ? (['certificate-expired'] as const) : []),
    ...(served.untrusted !== null ? [instead ?? ('untrusted' as const)] : []),
  ];
};

const sameReadiness = (left: Readiness, right: Readiness): boolean =>
  left.served === right.served && left.reasons.join() === right.reasons.join();

/**
 * What is served, whether it may be called ready, and why not. Once something is served, nothing that fails later takes
 * readiness away; only its own expiry and a failed handshake do. What another server shows instead of the announced pair
 * is as good as that, as long as callers accept it. Looked at again at each tick, on the wall clock, but not
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
      scan(nextFold, { served: null, instead: null, obstacle: 'no-announcement', isSwapping: false }),
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
