import { distinctUntilChanged, map, type OperatorFunction, scan } from 'rxjs';
import type { LoadEvent } from './load-certificate.ts';

interface Fold {
  readonly served: string | undefined;
  readonly expected: string | null;
}

/**
 * Emits the hash that the kubelet should be nudged for: announced, not mounted, and not already served. A mount that is
 * ahead of its announcement is no reason to nudge the kubelet.
 *
 *     load     --unmounted a--served a--mismatched a,b--mismatched b,a--
 *     result   --a------------0-------------------------b--------------
 */
export const expectedHash = (): OperatorFunction<LoadEvent, string | null> => (load$) =>
  load$.pipe(
    scan<LoadEvent, Fold, Partial<Fold>>(({ served }, event) => {
      if (event.type === 'certificate/served' || event.type === 'certificate/not-shown')
        return { served: event.pair.hash, expected: null };
      const missing = event.type === 'certificate/unmounted' || event.type === 'certificate/mismatched';
      return { served, expected: missing && event.hash !== served ? event.hash : null };
    }, {}),
    map(({ expected }) => expected),
    distinctUntilChanged(),
  );
