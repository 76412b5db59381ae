import type { ApiUnderTest } from './api-under-test.ts';
import { type Balancer, startBalancer } from './balancer.ts';
import { type CallingReplicas, startCallingReplicas } from './calling-replicas.ts';
import { type Creating, startCreating } from './creating.ts';
import { install, type Installation, type ReplicaOptions, type SpecReplica } from './installation.ts';
import { LOADED } from './rotate-all.ts';
import { type StandingObjects, standingObjects } from './standing-objects.ts';
import { until } from './until.ts';

export const CREATED_CONFIGMAPS = [
  { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] },
];

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
  /** Starts what belongs beside a replica; disposed with the installation. */
  readonly beside?: (replica: SpecReplica) => Promise<AsyncDisposable>;
}

const first = async (api: ApiUnderTest, namespace: string): Promise<void> => {
  // The API server follows webhook configurations by a watch of its own.
  const configMaps = `/api/v1/namespaces/${namespace}/configmaps?dryRun=All`;
  await until(async () => {
    const { status, headers } = await api.admin.post(configMaps, { metadata: { name: 'first' } });
    return status === 201 && headers.warning !== undefined;
  }, 40_000);
};

/** Starts one; resolves once the API server calls its webhook. */
export const startCalledInstallation = async (
  api: ApiUnderTest,
  { env, replicas: options, pauseMs, callers = 4, beside }: CalledOptions,
): Promise<CalledInstallation> => {
  await using opened = new AsyncDisposableStack();
  const balancer: Balancer = opened.use(await startBalancer());
  const hooked = { hooked: String(balancer.port) };
  const installation = opened.use(
    await install(api, {
      kubeletDelayMs: 0,
      env: { EXTRA_DNS_NAMES: 'localhost', CA_OVERLAP: '1s', ...env },
      webhook: {
        clientConfig: { url: `https://localhost:${balancer.port}/validate` },
        failurePolicy: 'Fail',
        rules: CREATED_CONFIGMAPS,
        namespaceSelector: { matchLabels: hooked },
      },
    }),
  );
  const { namespace, serverName } = installation;
  await api.admin.patch('merge', `/api/v1/namespaces/${namespace}`, { metadata: { labels: hooked } });
  const replicas: SpecReplica[] = [];
  for (const each of options) replicas.push(await installation.replica(each));
  if (beside !== undefined) for (const one of await Promise.all(replicas.map(beside))) opened.use(one);
  await Promise.all(replicas.map((replica) => replica.line(LOADED, {}, 40_000)));
  for (const replica of replicas) balancer.add(replica);
  await first(api, namespace);

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
