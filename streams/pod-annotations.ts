import {
  catchError,
  defer,
  distinctUntilChanged,
  EMPTY,
  endWith,
  ignoreElements,
  merge,
  NEVER,
  type Observable,
  of,
  repeat,
  switchMap,
  takeWhile,
  throwError,
  timer,
} from 'rxjs';
import { pollDelayMs } from './backoff.ts';
import { Problem } from './problem.ts';
import { retryWithBackoff } from './retry-with-backoff.ts';

interface PodSources {
  /** The announced hash while it is not mounted; null while it is. */
  readonly expected$: Observable<string | null>;
  /** Null: nothing that may be acknowledged is served any more. */
  readonly serving$: Observable<string | null>;
  /** The API server has answered another request. Hot, without a replay. */
  readonly apiReachable$?: Observable<unknown>;
}

export interface PodPorts {
  readonly random: () => number;
  /** Writes `PREFIX/expected-hash` on this replica's Pod, so that the kubelet syncs the Secret volume. */
  expectHash(hash: string): Observable<unknown>;
  /** Writes `PREFIX/serving-hash` on this replica's Pod; null removes it. */
  acknowledgeHash(hash: string | null): Observable<unknown>;
}

export type PodEvent =
  | { readonly type: 'kubelet/nudged'; readonly hash: string }
  | { readonly type: 'replica/acknowledged'; readonly hash: string }
  | { readonly type: 'replica/withdrawn' }
  | { readonly type: 'pod/forbidden'; readonly error: string }
  | {
      readonly type: 'pod/failed';
      /** Null: of a withdrawal. */
      readonly hash: string | null;
      readonly status: number | null;
      readonly error: string;
      readonly retryInMs: number;
    };

/**
 * Writes the two annotations on this replica's Pod: a nudge while the announced hash is not the mounted one, and an
 * acknowledgement of each hash that is served, which is withdrawn when another server no longer shows it. A 403 ends both permanently and is reported once.
 *
 *     expected  --a-----------------0-----       0: nothing expected
 *     serving   --------------------a-----
 *     result    --n--n----n---------k-----       n nudged a, k acknowledged a
 */
export const podAnnotations = (
  { expected$, serving$, apiReachable$ = NEVER }: PodSources,
  ports: PodPorts,
): Observable<PodEvent> => {
  const write = (request$: Observable<unknown>, hash: string | null, done: PodEvent): Observable<PodEvent> =>
    request$.pipe(
      ignoreElements(),
      endWith(done),
      catchError((error: unknown) => {
        const forbidden = error instanceof Problem && error.status === 403;
        return forbidden ? of<PodEvent>({ type: 'pod/forbidden', error: error.message }) : throwError(() => error);
      }),
      retryWithBackoff(
        ports.random,
        ({ status, message }, retryInMs): PodEvent => ({ type: 'pod/failed', hash, status, error: message, retryInMs }),
        apiReachable$,
      ),
    );

  // The first nudge can reach the kubelet before the Secret does.
  const nudge = (hash: string): Observable<PodEvent> =>
    write(
      defer(() => ports.expectHash(hash)),
      hash,
      { type: 'kubelet/nudged', hash },
    ).pipe(repeat({ delay: (nudges) => timer(pollDelayMs(nudges)) }));

  const acknowledge = (hash: string | null): Observable<PodEvent> =>
    write(
      defer(() => ports.acknowledgeHash(hash)),
      hash,
      hash === null ? { type: 'replica/withdrawn' } : { type: 'replica/acknowledged', hash },
    );

  return merge(
    expected$.pipe(
      distinctUntilChanged(),
      switchMap((hash) => (hash === null ? EMPTY : nudge(hash))),
    ),
    serving$.pipe(distinctUntilChanged(), switchMap(acknowledge)),
  ).pipe(takeWhile((event) => event.type !== 'pod/forbidden', true));
};
