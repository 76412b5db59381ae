import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { startKubelet } from '../../src/dev-cluster/kubelet.ts';
import type { ApiUnderTest } from '../support/api-under-test.ts';
import { freePort } from '../support/free-port.ts';
import type { Json } from '../support/raw-api.ts';
import { runDaemon } from '../support/running-daemon.ts';
import type { Scene } from './scene.ts';
import { sceneObjects } from './scene-objects.ts';

export interface RolledOut extends AsyncDisposable {
  /** When kubectl was last told to restart it, null when never. */
  readonly restartedAt: string | null;
  readonly podName: string;
}

/**
 * What the Deployment controller and a node do, of which a lone API server has neither: makes a Pod from the template as
 * it is now, removes the others, and runs a daemon with the template's variables in it.
 */
export const rollOut = async (api: ApiUnderTest, scene: Scene, isRunning: boolean): Promise<RolledOut> => {
  const { namespace, paths, env, folder } = scene;
  await using opened = new AsyncDisposableStack();
  const answer = await api.admin.get(`/apis/apps/v1/namespaces/${namespace}/deployments/webhook`);
  const template = answer.at('spec', 'template') as Json;
  const variables = (answer.at('spec', 'template', 'spec', 'containers', 0, 'env') ?? []) as unknown;
  const own = (variables as readonly { readonly name: string; readonly value: string }[]).map(
    ({ name, value }) => [name, value] as const,
  );
  const older = (await api.admin.get(paths.pods)).at('items') as unknown as readonly { metadata: { name: string } }[];
  const podName = `webhook-def-${randomBytes(3).toString('hex')}`;
  await api.admin.post(paths.pods, sceneObjects.pod(podName, template, {}));
  for (const { metadata } of older) await api.admin.delete(`${paths.pods}/${metadata.name}?gracePeriodSeconds=0`);

  if (isRunning) {
    const directory = join(folder, podName);
    const secretName = paths.secret.name;
    opened.use(await startKubelet({ server: api, namespace, podName, secretName, directory, delayMs: 100 }));
    opened.use(
      runDaemon({
        ...env,
        PATH: process.env['PATH'] ?? '',
        ...Object.fromEntries(own),
        POD_NAME: podName,
        CERT_DIR: directory,
        WEBHOOK_HANDLER: 'builtin:allow',
        WEBHOOK_BIND_ADDRESS: `127.0.0.1:${await freePort()}`,
        HEALTH_PROBE_BIND_ADDRESS: `127.0.0.1:${await freePort()}`,
        METRICS_BIND_ADDRESS: '0',
        SHUTDOWN_GRACE: '1s',
      }),
    );
  }
  const everything = opened.move();
  const restartedAt = answer.at('spec', 'template', 'metadata', 'annotations', 'kubectl.kubernetes.io/restartedAt');
  return {
    restartedAt: typeof restartedAt === 'string' ? restartedAt : null,
    podName,
    [Symbol.asyncDispose]: () => everything.disposeAsync(),
  };
};
