import { distinctUntilChanged, map, type OperatorFunction, scan } from 'rxjs';
import type { LoadEvent } from './load-certificate.ts';

interface Fold {
  /** What was served and has been announced ever since. */
  readonly served: string | undefined;
  readonly expected: string | null;
}

/**
 * Emits the hash that the kubelet should be nudged for: announced, not mounted, and not already served. A mount that is
 * ahead of its announcement is no reason to nudge the kubelet; an announcement that returns to an earlier hash is one.
 *
 *     load     --unmounted a--served a--mismatched a,b--mismatched b,a--mismatched a,b--
 *     result   --a------------0-------------------------b---------------a--------------
 */
export const expectedHash = (): OperatorFunction<LoadEvent, string | null> => (load$) =>
  load$.pipe(
    scan<LoadEvent, Fold, Partial<Fold>>(({ served }, event) => {
      if (event.type === 'certificate/served' || event.type === 'certificate/not-shown')
        return { served: event.pair.hash, expected: null };
      if (event.type === 'certificate/unannounced' || event.hash === served) return { served, expected: null };
      return { served: undefined, expected: event.type === 'certificate/rejected' ? null : event.hash };
    }, {}),
    map(({ expected }) => expected),
    distinctUntilChanged(),
  );
