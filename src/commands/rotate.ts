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

export interface RotateSurroundings {
  readonly inCluster: InCluster | null;
  readonly version: string;
  /** Prints one line and ends it. */
  readonly print: (line: string) => void;
  /** Settles when somebody does not want to wait any longer; the leader goes on all the same. */
  readonly stopped: Promise<void>;
  /** How long nothing may happen before it is given up. By default two minutes: a kubelet without the nudge takes 90 s. */
  readonly patienceMs?: number;
}

const PATIENCE_MS = 120_000;
const FIRST_LOOK_MS = 30_000;

const unseen = (): never => {
  throw new Problem(`the API server has not shown everything within ${FIRST_LOOK_MS / 1000} s`);
};

const rotate = async (client: KubeClient, config: Config, ca: boolean, surroundings: RotateSurroundings) => {
  const { print, stopped, patienceMs = PATIENCE_MS } = surroundings;
  const { namespace, leaseName } = config;
  const ports = leasePorts(client, clusterPaths(config), config);
  if ((await firstValueFrom(ports.getLease())) === null) {
    print(
      `there is no Lease ${leaseName} in ${namespace}: has a replica ever led there? See POD_NAMESPACE, LEASE_NAME`,
    );
    return 1;
  }

  const written$ = new Subject<LeaseSnapshot>();
  const { observation$, trouble$ } = observeInstallation(client, config, ports, written$);
  const seen$ = observation$.pipe(shareReplay({ bufferSize: 1, refCount: true }));
  const watching = merge(seen$, trouble$.pipe(distinct(), tap(print))).subscribe();
  try {
    const before = await firstValueFrom(seen$.pipe(timeout({ first: FIRST_LOOK_MS, with: unseen })));
    const asked = await askRotation(ports, ca);
    // From here on nothing older than the request is looked at.
    written$.next(asked.lease);
    const start = rotationStart(before, asked.lease.rotate);
    print(`${asked.already ? 'already requested' : 'requested'}: a new ${start.ca ? 'CA and leaf' : 'leaf'}`);

    const report$ = followRotation(seen$, start, { ...config, patienceMs }).pipe(
      tap(({ fresh }) => fresh.forEach((line) => print(line))),
      takeUntil(from(stopped)),
    );
    const { exitCode } = await lastValueFrom(report$, { defaultValue: initialReport });
    if (exitCode === null) print('no longer following; the leader goes on');
    return exitCode ?? 1;
  } finally {
    watching.unsubscribe();
  }
};

/**
 * `webhook-certd rotate`: asks the leader for a new leaf, or a new CA and leaf, by an annotation on the Lease, and tells
 * each step until every live replica serves the new leaf. An older CA is dropped by the leader later, after CA_OVERLAP.
 *
 * @returns the exit code: 0 once it is served everywhere; 1 when it cannot be asked for, stands still, or is not waited for
 */
export const runRotate = async (
  config: Config,
  own: { readonly ca: boolean },
  surroundings: RotateSurroundings,
): Promise<number> => {
  const { kubeconfig } = config;
  const { inCluster, version, print } = surroundings;
  if (!config.issuer.writesSecret) {
    print('CERT_ISSUER is external: whoever issues the certificate renews it (cert-manager: cmctl renew NAME)');
    return 1;
  }
  try {
    await using client = await openKubeClient({ kubeconfig, inCluster, userAgent: `webhook-certd-rotate/${version}` });
    return await rotate(client, config, own.ca, surroundings);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    print(error.message);
    return 1;
  }
};

interface AskedRotation {
  readonly lease: LeaseSnapshot;
  /** Somebody had asked for at least as much before, and that is what goes on. */
  readonly already: boolean;
}

const TRIES = 10;
const PAUSE_MS = 100;

/** A CA rotation brings a new leaf too: whoever asks for less gets it. */
const covers = (standing: string | null, ca: boolean): boolean =>
  standing === 'ca' || standing?.startsWith('ca/') === true || (standing === 'leaf' && !ca);

/**
 * Writes the request on the Lease, on the version it was just read in: the leader may be changing it at this moment.
 *
 * @throws Problem when there is no Lease, or it may not be read or written
 */
const askRotation = (ports: LeasePorts & LeaseWritePort, ca: boolean): Promise<AskedRotation> =>
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
        count: TRIES,
        delay: (error: unknown) =>
          error instanceof Problem && error.status === 409 ? timer(PAUSE_MS) : throwError(() => error),
      }),
    ),
  );
