import { fileURLToPath } from 'node:url';
import type { ApiUnderTest } from './api-under-test.ts';
import { install, type Installation, type InstallationOptions } from './installation.ts';
import { accepted } from './raw-api.ts';
import { slowness, until } from './until.ts';

/** How long a Service takes to learn that one of its replicas is leaving. */
export const PROPAGATION_MS = 1_000;
/** The API server follows the caBundle by a watch of its own: with less, a call may fail (L2). */
export const TRUST_SETTLE = `${Math.ceil(1_000 * slowness)}ms`;
const HANDLER = fileURLToPath(new URL('admitting-handler.ts', import.meta.url));

/**
 * An installation whose webhook the API server must ask, at a port of localhost, about each ConfigMap that is created in its
 * namespace. Its replicas add a warning that names them.
 */
export const installHooked = async (
  api: ApiUnderTest,
  port: number,
  { env = {}, webhook = {}, ...options }: InstallationOptions = {},
): Promise<Installation> => {
  const hooked = { hooked: String(port) };
  await using opened = new AsyncDisposableStack();
  const installation = opened.use(
    await install(api, {
      ...options,
      env: { EXTRA_DNS_NAMES: 'localhost', WEBHOOK_HANDLER: HANDLER, TRUST_SETTLE, ...env },
      webhook: {
        clientConfig: { url: `https://localhost:${port}/validate` },
        failurePolicy: 'Fail',
        rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }],
        namespaceSelector: { matchLabels: hooked },
        ...webhook,
      },
    }),
  );
  const path = `/api/v1/namespaces/${installation.namespace}`;
  await accepted(api.admin.patch('merge', path, { metadata: { labels: hooked } }));
  opened.move();
  return installation;
};

/** Waits until the API server asks the webhook: it follows webhook configurations by a watch of its own. */
export const untilAdmitted = ({ api, namespace }: Installation): Promise<void> =>
  until(async () => {
    const path = `/api/v1/namespaces/${namespace}/configmaps?dryRun=All`;
    const { status, headers } = await api.admin.post(path, { metadata: { name: 'first' } });
    return status === 201 && headers.warning !== undefined;
  }, 40_000);
