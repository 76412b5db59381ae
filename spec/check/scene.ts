import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exhaustMap, interval } from 'rxjs';
import type { Check } from '../../src/check/report.ts';
import { type ClusterPaths, clusterPaths } from '../../src/cluster/paths.ts';
import { permissions } from '../../src/cluster/permissions.ts';
import { runCheck } from '../../src/commands/check.ts';
import type { Rule } from '../../src/dev-cluster/users.ts';
import type { InCluster } from '../../src/kube/in-cluster.ts';
import type { ApiUnderTest } from '../support/api-under-test.ts';
import { type MountedPair, type PairOrder, pki } from '../support/pki.ts';
import { accepted, type Json } from '../support/raw-api.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { type Body, CERT_DIR, sceneObjects } from './scene-objects.ts';
import { configOf } from './snapshot-of.ts';

const PREFIX = 'kubetemplater.io';

/** A Pod template by which no replica may lead. */
export const withoutElection = (template: Body): Body => {
  const env = '"env":[{"name":"LEADER_ELECTION","value":"false"}]';
  return JSON.parse(JSON.stringify(template).replace('"name":"webhook"', `"name":"webhook",${env}`)) as Body;
};

/** Where the scene differs from a working installation. */
export interface SceneOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly leaf?: PairOrder;
  readonly broken?: (pair: MountedPair) => MountedPair | Promise<MountedPair>;
  readonly rules?: (rules: readonly Rule[]) => readonly Rule[];
  readonly template?: (template: Body, env: Readonly<Record<string, string>>) => Json;
  /** Whether the Lease is renewed. */
  readonly isLed?: boolean;
  readonly holder?: string;
  /** Whether there are replicas at all. */
  readonly isDeployed?: boolean;
}

/** An installation laid out by hand: objects that look as if daemons had been at work, and a Lease that is renewed. */
export interface Scene extends AsyncDisposable {
  readonly namespace: string;
  readonly paths: ClusterPaths;
  readonly folder: string;
  readonly kubeconfig: string;
  readonly pair: MountedPair;
  /** Every variable, as the replicas have them. */
  readonly env: Readonly<Record<string, string>>;
  /** The replica that holds the Lease. */
  readonly podName: string;
  /** Runs `check` with these variables on top, at a desk, or in a replica when it says how that reaches the cluster. */
  readonly check: (env?: Readonly<Record<string, string>>, inCluster?: InCluster) => Promise<CheckRun>;
}

export interface CheckRun {
  readonly code: number;
  readonly checks: readonly Check[];
  /** The one whose name begins like this. */
  readonly named: (beginning: string) => Check;
}

export const layOut = async (api: ApiUnderTest, options: SceneOptions = {}): Promise<Scene> => {
  await using opened = new AsyncDisposableStack();
  const { admin } = api;
  const id = randomBytes(4).toString('hex');
  const namespace = `hooks-${id}`;
  const folder = opened.use(await temporaryDirectory()).path;
  const kubeconfig = join(folder, 'kubeconfig');
  const env = {
    KUBECONFIG: kubeconfig,
    POD_NAMESPACE: namespace,
    CA_BUNDLE_TARGETS: `validatingwebhookconfiguration/webhook-${id}`,
    CERT_DIR,
    LEASE_DURATION: '4s',
    RENEW_DEADLINE: '3s',
    RETRY_PERIOD: '1s',
    ...options.env,
  };
  const config = configOf(env);
  const paths = clusterPaths(config);

  await api.createNamespace(namespace);
  const granted = permissions(config, paths).map(({ apiGroup, resource, verbs, names, namespace: scope }): Rule => ({
    apiGroups: [apiGroup],
    resources: [resource],
    verbs,
    ...(names.length === 0 ? {} : { resourceNames: names }),
    ...(scope === null ? {} : { namespace: scope }),
  }));
  await writeFile(kubeconfig, await api.userWithRules(`checker-${id}`, options.rules?.(granted) ?? granted));

  const authority = await pki.authority(options.leaf?.nowMs);
  const good = await pki.pair({ names: config.serviceNames, validityMs: 365 * 86_400_000, authority, ...options.leaf });
  const pair = (await options.broken?.(good)) ?? good;
  const notAfter = new Date(Date.now() + 365 * 86_400_000).toISOString();
  const announcement = {
    'cert-ready': 'true',
    'cert-hash': pair.hash,
    'cert-valid-until': `${notAfter.slice(0, 19)}Z`,
  };
  const annotations = Object.fromEntries(
    Object.entries(announcement).map(([key, value]) => [`${PREFIX}/${key}`, value]),
  );
  const holder = options.holder ?? `webhook-abc-${id}`;
  const own = '?fieldManager=webhook-certd';
  await accepted(admin.post(`${paths.secret.collection}${own}`, sceneObjects.secret(paths.secret.name, pair)));
  await accepted(admin.post(`${paths.ca.collection}${own}`, sceneObjects.authority(paths.ca.name, authority)));
  await accepted(
    admin.post(`${paths.lease.collection}${own}`, sceneObjects.lease(paths.lease.name, holder, annotations)),
  );
  for (const target of paths.targets) {
    const body = sceneObjects.target(target.name, { name: config.serviceName, namespace }, pair.trust);
    await accepted(admin.post(`${target.collection}${own}`, body));
    opened.defer(async () => {
      await admin.delete(target.path);
    });
  }
  if (api.kind === 'kube-apiserver') {
    const { serviceName, webhookBind } = config;
    const service = sceneObjects.service(serviceName, webhookBind.port);
    await accepted(admin.post(`/api/v1/namespaces/${namespace}/services`, service));
  }
  if (options.isDeployed ?? true) {
    const standard = sceneObjects.template(paths.secret.name);
    const template = options.template?.(standard, env) ?? standard;
    const serving = { [`${PREFIX}/serving-hash`]: pair.hash };
    await accepted(admin.post(paths.pods, sceneObjects.pod(`webhook-abc-${id}`, template, serving)));
    const deployments = `/apis/apps/v1/namespaces/${namespace}/deployments`;
    if (api.kind === 'kube-apiserver') await accepted(admin.post(deployments, sceneObjects.deployment(template)));
  }
  if (options.isLed ?? true) {
    const renew = (): Promise<unknown> => {
      const spec = { renewTime: new Date().toISOString().replace('Z', '000Z') };
      // The API server may end under the last one.
      return admin.patch('merge', `${paths.lease.path}${own}`, { spec }).catch(() => null);
    };
    const renewal = interval(300).pipe(exhaustMap(renew)).subscribe();
    opened.defer(() => renewal.unsubscribe());
  }

  const everything = opened.move();
  return {
    namespace,
    paths,
    folder,
    kubeconfig,
    pair,
    env,
    podName: `webhook-abc-${id}`,
    check: async (own = {}, inCluster) => {
      let printed = '';
      const print = (text: string): void => void (printed += text);
      const dependencies = { inCluster: inCluster ?? null, version: 'spec', print, colours: false };
      const { KUBECONFIG, ...inside } = env;
      const variables = { ...(inCluster === undefined ? { KUBECONFIG } : {}), ...inside, ...own };
      const code = await runCheck(configOf(variables), { json: true }, dependencies);
      const { checks } = JSON.parse(printed) as { readonly checks: readonly Check[] };
      return {
        code,
        checks,
        named: (beginning) => {
          const found = checks.find(({ name }) => name.startsWith(beginning));
          if (found === undefined) throw new Error(`no check is called ${beginning}: ${printed}`);
          return found;
        },
      };
    },
    [Symbol.asyncDispose]: () => everything.disposeAsync(),
  };
};
