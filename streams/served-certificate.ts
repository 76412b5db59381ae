import { distinctUntilChanged, filter, map } from 'rxjs';
import type { Observable } from 'rxjs';
import type { VerifiedPair } from './model.ts';
import type { Readiness } from './readiness.ts';

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
