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
import { differenceText } from '../check/check-settings.ts';
import { type Located, locateInstallation } from '../check/locate.ts';
import { leasePorts } from '../cluster/lease.ts';
import { clusterPaths } from '../cluster/paths.ts';
import type { Config } from '../config/config.ts';
import { type KubeClient, openKubeClient } from '../kube/client.ts';
import type { InCluster } from '../kube/in-cluster.ts';
import { followRotation, observeInstallation } from './rotation-follow.ts';
import { initialReport, rotationStart } from './rotation-progress.ts';

export interface RotateDependencies {
  readonly inCluster: InCluster | null;
  /** The context of the kubeconfig; null for the current one. */
  readonly context?: string | null;
  readonly version: string;
  /** Prints one line and ends it. */
  readonly print: (line: string) => void;
  /** Settles when the user stops waiting; the leader continues nevertheless. */
  readonly stopped: Promise<void>;
  /** Longest time without progress. By default two minutes: a kubelet that is not nudged takes 90 s. */
  readonly standstillMs?: number;
  /** How long the API server may take to return every object. By default 30 s. */
  readonly initialListMs?: number;
}

export interface RotateOptions {
  readonly ca: boolean;
  /** Print one JSON document at the end, and nothing before. */
  readonly json: boolean;
  /** End once the rotation is requested. */
  readonly noWait: boolean;
  /** Time limit until every replica serves the new leaf; null: as long as there is progress. */
  readonly timeoutMs: number | null;
}

const STANDSTILL_MS = 120_000;
const INITIAL_LIST_MS = 30_000;

const notListed = (ms: number) => (): never => {
  throw new Problem(`the API server has not returned every object within ${ms / 1000} s`);
};

/** The outcome of the command, as it is printed with `-o json`. */
interface RotationOutcome {
  /** Null: not requested. */
  readonly requested: 'leaf' | 'ca' | null;
  readonly alreadyRequested: boolean;
  /** The announced hash and its expiry when the command ends; null when it has not read them. */
  readonly hash: string | null;
  readonly validUntil: string | null;
  readonly exitCode: 0 | 1;
}

const NOT_REQUESTED: RotationOutcome = {
  requested: null,
  alreadyRequested: false,
  hash: null,
  validUntil: null,
  exitCode: 1,
};

interface Rotation {
  readonly client: KubeClient;
  readonly located: Located;
  readonly options: RotateOptions;
  readonly dependencies: RotateDependencies;
}

/** The settings of the leader, who decides on the overlap: those of the Pod that holds the Lease, as `POD` or `POD_UUID`. */
const leaderConfig = ({ byPod, config }: Located, holder: string | null): Config =>
  byPod.get(holder?.split('_')[0] ?? '') ?? config;

const rotate = async ({ client, located, options, dependencies }: Rotation): Promise<RotationOutcome> => {
  const { config } = located;
  const { print, stopped, standstillMs = STANDSTILL_MS, initialListMs = INITIAL_LIST_MS } = dependencies;
  const { ca, noWait, timeoutMs } = options;
  const { namespace, leaseName } = config;
  const ports = leasePorts(client, clusterPaths(config), config);
  if ((await firstValueFrom(ports.getLease())) === null) {
    const other = located.candidates.map(({ lease, selector }) => `${lease} (--pod-selector=${selector})`);
    const hint =
      other.length === 0
        ? 'has a replica ever been leader there? -n selects another namespace'
        : `there are ${other.join(', ')}`;
    print(`there is no Lease ${leaseName} in ${namespace}: ${hint}`);
    return NOT_REQUESTED;
  }

  const written$ = new Subject<LeaseSnapshot>();
  const { observation$, failure$ } = observeInstallation(client, config, ports, written$);
  const seen$ = observation$.pipe(shareReplay({ bufferSize: 1, refCount: true }));
  const watching = merge(seen$, failure$.pipe(distinct(), tap(print))).subscribe();
  try {
    const before = await firstValueFrom(seen$.pipe(timeout({ first: initialListMs, with: notListed(initialListMs) })));
    const request = await requestRotation(ports, ca);
    // From here on, Lease versions older than the request are ignored.
    written$.next(request.lease);
    const start = rotationStart(before, request.lease.rotate);
    print(`${request.already ? 'already requested' : 'requested'}: a new ${start.ca ? 'CA and leaf' : 'leaf'}`);
    const outcome = async (exitCode: 0 | 1): Promise<RotationOutcome> => {
      const { announcement } = (await firstValueFrom(seen$)).lease;
      return {
        requested: start.ca ? 'ca' : 'leaf',
        alreadyRequested: request.already,
        hash: announcement?.hash ?? null,
        validUntil: announcement?.validUntil ?? null,
        exitCode,
      };
    };
    if (noWait) return await outcome(0);

    const { caOverlapMs } = leaderConfig(located, request.lease.holder);
    const limit =
      timeoutMs === null ? ({ of: 'standstill', ms: standstillMs } as const) : ({ of: 'all', ms: timeoutMs } as const);
    const report$ = followRotation(seen$, start, { ...config, caOverlapMs, limit, clock: Date.now }).pipe(
      tap(({ fresh }) => fresh.forEach((line) => print(line))),
      takeUntil(from(stopped)),
    );
    const { exitCode } = await lastValueFrom(report$, { defaultValue: initialReport });
    if (exitCode === null) print('no longer following; the leader continues');
    return await outcome(exitCode ?? 1);
  } finally {
    watching.unsubscribe();
  }
};

const attempt = async (
  own: Config,
  options: RotateOptions,
  dependencies: RotateDependencies,
): Promise<RotationOutcome> => {
  const { kubeconfig } = own;
  const { inCluster, context = null, version, print } = dependencies;
  try {
    const userAgent = `webhook-certd-rotate/${version}`;
    await using client = await openKubeClient({ kubeconfig, context, inCluster, userAgent });
    const located = await locateInstallation(client, own);
    located.differences.forEach((difference) => print(differenceText(difference)));
    const { issuer } = located.config;
    if (!issuer.keepsCa) {
      print(`CERT_ISSUER is ${issuer.name}: the certificate is renewed by its issuer (cert-manager: cmctl renew NAME)`);
      return NOT_REQUESTED;
    }
    return await rotate({ client, located, options, dependencies });
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    print(error.message);
    return NOT_REQUESTED;
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
  options: RotateOptions,
  dependencies: RotateDependencies,
): Promise<number> => {
  if (!options.json) return (await attempt(config, options, dependencies)).exitCode;
  const lines: string[] = [];
  const print = (line: string): void => void lines.push(line);
  const { exitCode, ...outcome } = await attempt(config, options, { ...dependencies, print });
  dependencies.print(JSON.stringify({ ok: exitCode === 0, ...outcome, lines }, null, 2));
  return exitCode;
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
