import {
  defer,
  distinct,
  firstValueFrom,
  from,
  lastValueFrom,
  map,
  merge,
  mergeMap,
  of,
  retry,
  shareReplay,
  Subject,
  takeUntil,
  tap,
  throwError,
  timeout,
  timer,
} from 'rxjs';
import type { LeasePorts } from '../../streams/lease-snapshot.ts';
import type { LeaseWritePort } from '../../streams/lease-writer.ts';
import type { LeaseSnapshot } from '../../streams/model.ts';
import { Problem } from '../../streams/problem.ts';
import { leasePorts } from '../cluster/lease.ts';
import { clusterPaths } from '../cluster/paths.ts';
import type { Config } from '../config/config.ts';
import { type KubeClient, openKubeClient } from '../kube/client.ts';
import type { InCluster } from '../kube/in-cluster.ts';
import { followRotation, observeInstallation } from './rotation-follow.ts';
import { initialReport, rotationStart } from './rotation-progress.ts';

export interface RotateDependencies {
  readonly inCluster: InCluster | null;
  readonly version: string;
  /** Prints one line and ends it. */
  readonly print: (line: string) => void;
  /** Settles when the user stops waiting; the leader continues nevertheless. */
  readonly stopped: Promise<void>;
  /** Longest time without progress. By default two minutes: a kubelet that is not nudged takes 90 s. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 120_000;
const INITIAL_LIST_MS = 30_000;

const notListed = (): never => {
  throw new Problem(`the API server has not returned every object within ${INITIAL_LIST_MS / 1000} s`);
};

const rotate = async (client: KubeClient, config: Config, ca: boolean, dependencies: RotateDependencies) => {
  const { print, stopped, timeoutMs = TIMEOUT_MS } = dependencies;
  const { namespace, leaseName } = config;
  const ports = leasePorts(client, clusterPaths(config), config);
  if ((await firstValueFrom(ports.getLease())) === null) {
    print(
      `there is no Lease ${leaseName} in ${namespace}: has a replica ever been leader there? See POD_NAMESPACE and LEASE_NAME`,
    );
    return 1;
  }

  const written$ = new Subject<LeaseSnapshot>();
  const { observation$, failure$ } = observeInstallation(client, config, ports, written$);
  const seen$ = observation$.pipe(shareReplay({ bufferSize: 1, refCount: true }));
  const watching = merge(seen$, failure$.pipe(distinct(), tap(print))).subscribe();
  try {
    const before = await firstValueFrom(seen$.pipe(timeout({ first: INITIAL_LIST_MS, with: notListed })));
    const request = await requestRotation(ports, ca);
    // From here on, Lease versions older than the request are ignored.
    written$.next(request.lease);
    const start = rotationStart(before, request.lease.rotate);
    print(`${request.already ? 'already requested' : 'requested'}: a new ${start.ca ? 'CA and leaf' : 'leaf'}`);

    const report$ = followRotation(seen$, start, { ...config, timeoutMs }).pipe(
      tap(({ fresh }) => fresh.forEach((line) => print(line))),
      takeUntil(from(stopped)),
    );
    const { exitCode } = await lastValueFrom(report$, { defaultValue: initialReport });
    if (exitCode === null) print('no longer following; the leader continues');
    return exitCode ?? 1;
  } finally {
    watching.unsubscribe();
  }
};

/**
 * `webhook-certd rotate`: requests a new leaf, or a new CA and leaf, by an annotation on the Lease, and prints each step
 * until every live replica serves the new leaf. The leader removes the older CA later, after CA_OVERLAP.
 *
 * @returns the exit code: 0 once every replica serves it; 1 when it cannot be requested, makes no progress, or is stopped
 */
export const runRotate = async (
  config: Config,
  flags: { readonly ca: boolean },
  dependencies: RotateDependencies,
): Promise<number> => {
  const { kubeconfig } = config;
  const { inCluster, version, print } = dependencies;
  if (!config.issuer.writesSecret) {
    print('CERT_ISSUER is external: the certificate is renewed by its issuer (cert-manager: cmctl renew NAME)');
    return 1;
  }
  try {
    await using client = await openKubeClient({ kubeconfig, inCluster, userAgent: `webhook-certd-rotate/${version}` });
    return await rotate(client, config, flags.ca, dependencies);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    print(error.message);
    return 1;
  }
};

interface RequestedRotation {
  readonly lease: LeaseSnapshot;
  /** Whether a request for at least as much existed already. */
  readonly already: boolean;
}

const MAX_TRIES = 10;
const PAUSE_MS = 100;

/** Whether an existing request covers a new one: a CA rotation includes a new leaf. */
const covers = (existing: string | null, ca: boolean): boolean =>
  existing === 'ca' || existing?.startsWith('ca/') === true || (existing === 'leaf' && !ca);

/**
 * Writes the request on the Lease, with the resourceVersion just read: the leader may write it at the same time.
 *
 * @throws Problem when there is no Lease, or it cannot be read or written
 */
const requestRotation = (ports: LeasePorts & LeaseWritePort, ca: boolean): Promise<RequestedRotation> =>
  firstValueFrom(
    defer(() => ports.getLease()).pipe(
      mergeMap((lease) => {
        if (lease === null) return throwError(() => new Problem('the Lease is gone', 404));
        if (covers(lease.rotate, ca)) return of({ lease, already: true });
        return ports
          .writeLease({ kind: 'set-rotation-request', rotate: ca ? 'ca' : 'leaf' }, lease)
          .pipe(map((written) => ({ lease: written, already: false })));
      }),
      retry({
        count: MAX_TRIES,
        delay: (error: unknown) =>
          error instanceof Problem && error.status === 409 ? timer(PAUSE_MS) : throwError(() => error),
      }),
    ),
  );
