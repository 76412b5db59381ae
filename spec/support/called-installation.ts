import type { ApiUnderTest } from './api-under-test.ts';
import { type Balancer, startBalancer } from './balancer.ts';
import { type CallingReplicas, startCallingReplicas } from './calling-replicas.ts';
import { type Creating, startCreating } from './creating.ts';
import { installHooked, untilAdmitted } from './hooked.ts';
import type { Installation, ReplicaOptions, SpecReplica } from './installation.ts';
import { LOADED } from './rotate-all.ts';
import { type StandingObjects, standingObjects } from './standing-objects.ts';

/** Replicas behind one address, a webhook that fails closed, and callers that never pause for long. */
export interface CalledInstallation extends AsyncDisposable {
  readonly installation: Installation;
  readonly replicas: readonly SpecReplica[];
  readonly objects: StandingObjects;
  /** Creates ConfigMaps through the API server. */
  readonly creating: Creating;
  /** Calls each replica by a handshake of its own. */
  readonly calling: CallingReplicas;
}

interface CalledOptions {
  readonly env: Readonly<Record<string, string>>;
  /** One for each replica. */
  readonly replicas: readonly ReplicaOptions[];
  /** Of each caller, between two creates. */
  readonly pauseMs: number;
  readonly callers?: number;
  /** What is there before the first replica is. */
  readonly prepare?: (installation: Installation) => Promise<unknown>;
  /** Starts what belongs beside a replica; disposed with the installation. */
  readonly beside?: (replica: SpecReplica) => Promise<AsyncDisposable>;
}

/** Starts one; resolves once the API server calls its webhook. */
export const startCalledInstallation = async (
  api: ApiUnderTest,
  { env, replicas: options, pauseMs, callers = 4, prepare, beside }: CalledOptions,
): Promise<CalledInstallation> => {
  await using opened = new AsyncDisposableStack();
  const balancer: Balancer = opened.use(await startBalancer());
  const installation = opened.use(
    await installHooked(api, balancer.port, { kubeletDelayMs: 0, env: { CA_OVERLAP: '1s', ...env } }),
  );
  const { namespace, serverName } = installation;
  await prepare?.(installation);
  const replicas: SpecReplica[] = [];
  for (const each of options) replicas.push(await installation.replica(each));
  if (beside !== undefined) for (const one of await Promise.all(replicas.map(beside))) opened.use(one);
  await Promise.all(replicas.map((replica) => replica.line(LOADED, {}, 40_000)));
  for (const replica of replicas) balancer.add(replica);
  await untilAdmitted(installation);

  const objects = opened.use(await standingObjects(installation));
  const { caBundle } = objects;
  const creating = opened.use(startCreating({ api: api.admin, namespace, callers, pauseMs }));
  const calling = opened.use(startCallingReplicas({ endpoints: () => replicas, caBundle, serverName, everyMs: 100 }));
  const everything = opened.move();
  return {
    installation,
    replicas,
    objects,
    creating,
    calling,
    [Symbol.asyncDispose]: () => everything.disposeAsync(),
  };
};
