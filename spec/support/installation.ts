import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { clusterPaths } from '../../src/cluster/paths.ts';
import { type Permission, permissions } from '../../src/cluster/permissions.ts';
import { parseConfig } from '../../src/config/config.ts';
import { type EmbeddedKubelet, startKubelet } from '../../src/dev-cluster/kubelet.ts';
import type { Rule } from '../../src/dev-cluster/users.ts';
import type { ApiUnderTest } from './api-under-test.ts';
import { election } from './election.ts';
import { freePort } from './free-port.ts';
import { accepted, type Json } from './raw-api.ts';
import { runDaemon, type RunningDaemon } from './running-daemon.ts';
import { temporaryDirectory } from './temporary-directory.ts';
import { webhookTarget } from './webhook-target.ts';

export const PREFIX = 'kubetemplater.io';

export interface SpecReplica extends RunningDaemon {
  readonly name: string;
  /** Where it is called and probed. */
  readonly host: string;
  readonly webhookPort: number;
  readonly probePort: number;
  readonly directory: string;
  /** Path of the file it reaches the API server by. */
  readonly kubeconfig: string;
  readonly kubelet: EmbeddedKubelet;
  /** Body and code of a probe endpoint. */
  probe(path: string): Promise<{ readonly code: number; readonly text: string }>;
  /** Another process in the same Pod, as after a crash of the container; this one must have ended. */
  again(): SpecReplica;
}

export interface InstallationOptions {
  readonly kubeletDelayMs?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Which of the permissions are granted; all of them by default. Only for `install`. */
  readonly permit?: (permission: Permission) => boolean;
  /** The verbs of a permission that are granted; all of them by default. Only for `install`. */
  readonly verbsOf?: (permission: Permission) => readonly string[];
  /** Parts of the one webhook in the target that are to be other than the spec's own. Only for `install`. */
  readonly webhook?: Readonly<Record<string, Json>>;
  /** Another installation, whose namespace and target this one shares. Only for `install`. */
  readonly beside?: Pick<Installation, 'namespace' | 'paths'>;
  /** More caBundle targets, as in CA_BUNDLE_TARGETS. Only for `install`. */
  readonly otherTargets?: readonly string[];
  /** Where namespace, permissions and target are there already, as printed by `manifests`. Only for `install`. */
  readonly applied?: { readonly namespace: string; /** As text. */ readonly kubeconfig: string };
  /** Of the Pods. By default those that POD_SELECTOR selects. Only for `install`. */
  readonly labels?: Readonly<Record<string, string>>;
}

export interface ReplicaOptions extends Pick<InstallationOptions, 'kubeletDelayMs' | 'env'> {
  /** From a change of the Pod's annotations to a delivery. Default 20 ms. */
  readonly nudgeDelayMs?: number;
  /** Where this replica finds the API server, if not at its own address. */
  readonly via?: { readonly url: string; readonly caPem: string; readonly serverName?: string };
  /** Another server terminates TLS at its `webhookPort`; the spec starts it. */
  readonly serving?: boolean;
  /** Where it listens. Default 127.0.0.1. */
  readonly host?: string;
  /** Where its Secret is mounted. Default a directory of its own. */
  readonly directory?: string;
  /** Fields of the container in the Pod's specification. The daemon has its settings from `env`. */
  readonly container?: Readonly<Record<string, Json>>;
  /** See running-daemon.ts. */
  readonly within?: readonly string[];
  readonly stdout?: number;
}

/** One namespace with a webhook configuration in it and replicas that may do what the manifests grant, and no more. */
export interface Installation extends AsyncDisposable {
  readonly api: ApiUnderTest;
  readonly namespace: string;
  readonly paths: {
    readonly lease: string;
    readonly secret: string;
    readonly authority: string;
    readonly target: string;
  };
  readonly serverName: string;
  /** ANNOTATION_PREFIX */
  readonly prefix: string;
  /** Who its daemons are to the API server, and what they may. */
  readonly user: string;
  readonly granted: readonly Permission[];
  /** Makes a Pod, mounts its Secret and starts a daemon in it. */
  replica(options?: ReplicaOptions): Promise<SpecReplica>;
  annotateLease(annotations: Readonly<Record<string, string | null>>): Promise<void>;
  leaseAnnotation(name: string): Promise<string | undefined>;
}

const at = (object: Json | undefined, key: string): string | undefined =>
  typeof object === 'object' && object !== null && !Array.isArray(object)
    ? ((object as Readonly<Record<string, Json>>)[key] as string | undefined)
    : undefined;

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** Short intervals where waiting would prove nothing. */
const QUICK = {
  TICK_INTERVAL: '200ms',
  TRUST_SETTLE: '0',
};

/**
 * @param env variables of every replica of this installation
 */
export const install = async (
  api: ApiUnderTest,
  {
    env = {},
    kubeletDelayMs = 100,
    permit = () => true,
    verbsOf = ({ verbs }) => verbs,
    ...rest
  }: InstallationOptions = {},
): Promise<Installation> => {
  const { webhook = {}, otherTargets = [], beside, applied } = rest;
  await using opened = new AsyncDisposableStack();
  const id = randomBytes(4).toString('hex');
  const namespace = beside?.namespace ?? applied?.namespace ?? `hooks-${id}`;
  const folder = opened.use(await temporaryDirectory());
  const kubeconfig = join(folder.path, 'kubeconfig');
  const target = beside === undefined ? `webhook-${id}` : basename(beside.paths.target);
  const common = {
    KUBECONFIG: kubeconfig,
    POD_NAMESPACE: namespace,
    ...(applied === undefined
      ? { CA_BUNDLE_TARGETS: [`validatingwebhookconfiguration/${target}`, ...otherTargets].join() }
      : {}),
    METRICS_BIND_ADDRESS: '0',
    WEBHOOK_HANDLER: 'builtin:allow',
    SHUTDOWN_GRACE: '2s',
    PATH: process.env['PATH'] ?? '',
    ...QUICK,
    ...election(4),
    ...env,
  };

  const parsed = parseConfig({
    env: common,
    flags: new Map(),
    serves: true,
    read: { namespace: () => null, hostname: () => 'any' },
  });
  if (!parsed.ok) throw new Error(parsed.problems.join('\n'));
  const { config } = parsed;
  const paths = clusterPaths(config);
  const granted = permissions(config, paths)
    .filter(permit)
    .map((permission) => ({ ...permission, verbs: verbsOf(permission) }));
  const rules = granted.map(({ apiGroup, resource, verbs, names, namespace: scope }): Rule => ({
    apiGroups: [apiGroup],
    resources: [resource],
    verbs,
    ...(names.length === 0 ? {} : { resourceNames: names }),
    ...(scope === null ? {} : { namespace: scope }),
  }));

  /** The namespace and the target are there already where this installation stands beside another. */
  const create = async (): Promise<string> => {
    if (beside === undefined) await api.createNamespace(namespace);
    const text = await api.userWithRules(`daemon-${id}`, rules);
    if (beside !== undefined) return text;
    await accepted(api.admin.post(webhookTarget.collection, webhookTarget.body(target, webhook)));
    opened.defer(async () => {
      await api.admin.delete(webhookTarget.path(target));
    });
    return text;
  };
  const kubeconfigText = applied?.kubeconfig ?? (await create());
  await writeFile(kubeconfig, kubeconfigText);

  const everything = opened.move();
  let replicas = 0;
  const replica = async (own: ReplicaOptions = {}): Promise<SpecReplica> => {
    const name = `replica-${replicas++}-${id}`;
    const selected = config.podSelector.split(',').map((each) => each.split('='));
    const labels = rest.labels ?? (Object.fromEntries(selected) as Json);
    const spec = {
      nodeName: 'node',
      automountServiceAccountToken: false,
      containers: [{ name: 'webhook', image: 'none', ...own.container }],
    };
    await api.admin.post(paths.pods, { metadata: { name, labels }, spec });
    const { host = '127.0.0.1', directory = join(folder.path, name), within = [], stdout } = own;
    const { secretName } = config;
    const { kubeletDelayMs: delayMs = kubeletDelayMs, nudgeDelayMs = 20, via = api } = own;
    const kubelet = everything.use(
      await startKubelet({ server: api, namespace, podName: name, secretName, directory, delayMs, nudgeDelayMs }),
    );
    const ownKubeconfig = join(folder.path, `${name}.kubeconfig`);
    const server = 'serverName' in via ? `${via.url}", "tls-server-name": "${via.serverName}` : via.url;
    await writeFile(
      ownKubeconfig,
      kubeconfigText.replaceAll(api.url, server).replaceAll(base64(api.caPem), base64(via.caPem)),
    );
    const [webhookPort, probePort] = [await freePort(), await freePort()];
    const start = (): RunningDaemon =>
      everything.use(
        runDaemon(
          {
            ...common,
            KUBECONFIG: ownKubeconfig,
            POD_NAME: name,
            CERT_DIR: directory,
            WEBHOOK_BIND_ADDRESS: `${host}:${webhookPort}`,
            HEALTH_PROBE_BIND_ADDRESS: `${host}:${probePort}`,
            ...(own.serving === true ? { WEBHOOK_HANDLER: '', SERVING_ADDRESS: `${host}:${webhookPort}` } : {}),
            ...own.env,
          },
          { within, ...(stdout === undefined ? {} : { stdout }) },
        ),
      );
    const probe: SpecReplica['probe'] = async (path) => {
      const answer = await fetch(`http://${host}:${probePort}${path}`);
      return { code: answer.status, text: await answer.text() };
    };
    const around = (daemon: RunningDaemon): SpecReplica => ({
      ...daemon,
      name,
      host,
      webhookPort,
      probePort,
      directory,
      kubeconfig: ownKubeconfig,
      kubelet,
      probe,
      again: () => around(start()),
    });
    return around(start());
  };

  return {
    api,
    namespace,
    serverName: `${config.serviceName}.${namespace}.svc`,
    user: `system:serviceaccount:default:daemon-${id}`,
    granted,
    paths: {
      lease: paths.lease.path,
      secret: paths.secret.path,
      authority: paths.ca.path,
      target: paths.targets[0]?.path ?? '',
    },
    prefix: config.annotationPrefix,
    replica,
    annotateLease: async (annotations) => {
      const named = Object.entries(annotations).map(([name, value]) => [`${config.annotationPrefix}/${name}`, value]);
      const body = { metadata: { annotations: Object.fromEntries(named) as Json } };
      const answer = await api.admin.patch('merge', paths.lease.path, body);
      if (answer.status !== 200) throw new Error(answer.text);
    },
    leaseAnnotation: async (name) =>
      at((await api.admin.get(paths.lease.path)).at('metadata', 'annotations'), `${config.annotationPrefix}/${name}`),
    [Symbol.asyncDispose]: () => everything.disposeAsync(),
  };
};
