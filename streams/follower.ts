import {
  combineLatest,
  EMPTY,
  filter,
  map,
  merge,
  NEVER,
  type Observable,
  share,
  startWith,
  withLatestFrom,
} from 'rxjs';
import { retryDelayMs } from './backoff.ts';
import { certificateDeadline } from './certificate-deadline.ts';
import type { Clock } from './clock.ts';
import { distinctAnnouncement } from './distinct-announcement.ts';
import type { FollowerEvent } from './events.ts';
import { expectedHash } from './expected-hash.ts';
import { withElapsedSinceFirstSeen } from './first-seen.ts';
import { type Desired, loadCertificate, type LoadEvent, type LoadPorts, type Swapped } from './load-certificate.ts';
import type { LeaseSnapshot, VerifiedPair } from './model.ts';
import { mountedHash, type MountPorts } from './mounted-hash.ts';
import { reviewDelayMs, settledConclusions } from './neighbour.ts';
import { podAnnotations, type PodPorts } from './pod-annotations.ts';
import { type Readiness, readiness, servedCertificate } from './readiness.ts';
import { resyncRequests } from './resync-requests.ts';
import { singleFlight } from './single-flight.ts';

export type { FollowerEvent } from './events.ts';
export type FollowerPorts = MountPorts & LoadPorts & PodPorts & { readonly clock: Clock };

interface FollowerSources {
  /** Every subscriber gets the newest at once, if there is one; null when the Lease does not exist. */
  readonly lease$: Observable<LeaseSnapshot | null>;
  readonly tick$: Observable<unknown>;
  /** The API server has answered another request. Hot, without a replay. */
  readonly apiReachable$?: Observable<unknown>;
}

export interface FollowerPolicy {
  /** Null: no time-out. */
  readonly certTimeoutMs: number | null;
  readonly kubeletNudge: boolean;
  /** How often another server that terminates TLS is looked at, ms; null where this process serves the pair itself. */
  readonly reviewEveryMs: number | null;
}

export interface Follower {
  readonly event$: Observable<FollowerEvent>;
  readonly readiness$: Observable<Readiness>;
  /** The served pair, each once. */
  readonly certificate$: Observable<VerifiedPair>;
  /** Emits, less and less often, while the mounted generation is not announced: the Lease should be read. */
  readonly unannounced$: Observable<unknown>;
}

type Sighting =
  | { readonly type: 'desired/changed'; readonly desired: Desired }
  | { readonly type: 'certificate/concluded'; readonly load: LoadEvent };

const hashesOf = (sighting: Sighting): readonly string[] => {
  if (sighting.type === 'desired/changed') {
    const { lease, mounted } = sighting.desired;
    return [lease?.announcement?.hash, mounted.hash].filter((hash) => typeof hash === 'string');
  }
  const { load } = sighting;
  if (load.type === 'certificate/unannounced') return [];
  return ['pair' in load ? load.pair.hash : load.hash];
};

/** Retries a failed load that may succeed later; any other waits for another announcement or another mount. */
const retryInMs =
  (random: () => number, reviewEveryMs: number | null) =>
  (load: LoadEvent | Swapped, failures: number): number | null => {
    const reviewMs = reviewEveryMs === null ? null : reviewDelayMs(load, failures, reviewEveryMs);
    if (reviewMs !== null) return reviewMs;
    const retryable =
      (load.type === 'certificate/rejected' && load.retryable) ||
      (load.type === 'certificate/served' && load.untrusted !== null);
    return retryable ? retryDelayMs(failures, random()) : null;
  };

/**
 * What this replica may say it serves: only what a handshake has verified, since an acknowledgement lets the leader prune
 * a CA (F10). Null: nothing that callers accept.
 */
const servingHash = (load: LoadEvent): string | null | undefined => {
  if (load.type === 'certificate/served') return load.untrusted === null ? load.pair.hash : undefined;
  if (load.type !== 'certificate/not-shown' || load.shown === null) return undefined;
  return load.refused === null ? load.shown.hash : null;
};

/**
 * Discovers, verifies and serves the announced certificate. Every replica runs it, leader or not.
 *
 *     lease     --a---------------b-----------------
 *     mounted   -------a------------------b---------
 *     load      --~----L----------~-------L---------   ~ mismatched, L served
 *     ready     -------a------------------b---------
 */
export const follower = (
  { lease$, tick$, apiReachable$ = NEVER }: FollowerSources,
  ports: FollowerPorts,
  { certTimeoutMs, kubeletNudge, reviewEveryMs }: FollowerPolicy,
): Follower => {
  const announced$ = lease$.pipe(startWith<LeaseSnapshot | null>(null), distinctAnnouncement());
  const mounted$ = mountedHash(tick$, ports);
  const desired$ = combineLatest({ lease: announced$, mounted: mounted$ }).pipe(share());

  const flown$ = desired$.pipe(
    singleFlight(loadCertificate(ports), { retryInMs: retryInMs(ports.random, reviewEveryMs) }),
  );
  const flight$ = (reviewEveryMs === null ? flown$ : flown$.pipe(settledConclusions(ports.clock))).pipe(share());
  const load$ = flight$.pipe(filter((load) => load.type !== 'certificate/swapped'));

  const readiness$ = merge(flight$, tick$.pipe(map(() => ({ type: 'tick' }) as const))).pipe(readiness(ports.clock));

  const serving$ = load$.pipe(
    map(servingHash),
    filter((hash) => hash !== undefined),
  );
  const pod$ = podAnnotations({ expected$: load$.pipe(expectedHash()), serving$, apiReachable$ }, ports);
  // The pair is there, and restarting this process would not make another server show it.
  const usable$ = load$.pipe(filter((load) => load.type === 'certificate/not-shown'));

  return {
    readiness$,
    certificate$: readiness$.pipe(servedCertificate()),
    unannounced$: desired$.pipe(resyncRequests(lease$)),
    event$: merge(
      merge(
        desired$.pipe(map((desired): Sighting => ({ type: 'desired/changed', desired }))),
        load$.pipe(map((load): Sighting => ({ type: 'certificate/concluded', load }))),
      ).pipe(
        withElapsedSinceFirstSeen(ports.clock, hashesOf),
        map(([sighting, elapsedMs]): FollowerEvent => ({ ...sighting, elapsedMs })),
      ),
      certificateDeadline(readiness$, certTimeoutMs, usable$),
      kubeletNudge ? pod$ : EMPTY,
      readiness$.pipe(map((now) => ({ type: 'readiness/changed', readiness: now }) as const)),
      tick$.pipe(withLatestFrom(desired$, (_, desired) => ({ type: 'tick/checked', desired }) as const)),
    ),
  };
};
