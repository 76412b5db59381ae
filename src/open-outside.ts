import { openAdmissionSide } from './admission-side.ts';
import type { AdmissionSide } from './admission-side.ts';
import { openMount } from './certificates/mount.ts';
import type { Mount } from './certificates/mount.ts';
import type { Config } from './config.ts';
import type { DaemonSurroundings } from './daemon.ts';
import { openKubeClient } from './kube/client.ts';
import type { KubeClient } from './kube/client.ts';
import type { Meters } from './probes/meters.ts';
import { createWebhookServer } from './webhook/server.ts';
import type { WebhookServer } from './webhook/server.ts';

/** What a replica deals with: the API server, who answers reviews, the mounted Secret, the TLS server. */
export interface Outside extends AsyncDisposable {
  readonly client: KubeClient;
  readonly admission: AdmissionSide;
  readonly mount: Mount;
  readonly server: WebhookServer;
}

/**
 * Opens it all, counted by the meters and told to the logger. Nothing listens yet.
 *
 * @throws Problem when the kubeconfig or the handler cannot be used
 */
export const openOutside = async (
  config: Config,
  surroundings: DaemonSurroundings,
  meters: Meters,
): Promise<Outside> => {
  const { logger, inCluster, version, directory } = surroundings;
  await using opened = new AsyncDisposableStack();

  const client = await openKubeClient({
    kubeconfig: config.kubeconfig,
    inCluster,
    userAgent: `webhook-certd/${version}`,
    onResponse: ({ verb, resource, code }) => meters.apiRequests.add(verb, resource, String(code ?? 0)),
  });
  opened.use(client);
  const admission = await openAdmissionSide(config, directory, logger, (outcome, elapsedMs) => {
    meters.admissionRequests.add(outcome);
    meters.admissionDuration.observe(elapsedMs / 1000);
  });
  opened.use(admission);

  const mount = openMount(config.certDir, {
    onTrouble: (kind, detail) => logger.info('Directory watch is not available, polling', { kind, detail }),
  });
  const server = createWebhookServer({
    bind: config.webhookBind,
    tlsMinVersion: config.tlsMinVersion === 'TLSv1.3' ? '1.3' : '1.2',
    answer: admission.answer,
    onTrouble: ({ kind, reason, loud, untold }) => {
      meters.connectionTroubles.add(kind);
      // A caller that hangs up during its handshake is everyday life, a port scan say.
      const level = kind === 'handshake-aborted' ? 'debug' : 'warn';
      if (loud) logger[level]('Connection trouble', { kind, reason, untold });
    },
  });

  const everything = opened.move();
  return { client, admission, mount, server, [Symbol.asyncDispose]: () => everything.disposeAsync() };
};
