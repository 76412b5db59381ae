import { openAdmissionSide } from './admission-side.ts';
import type { AdmissionSide } from './admission-side.ts';
import { openMount } from './certificates/mount.ts';
import type { Mount } from './certificates/mount.ts';
import type { Config } from './config.ts';
import type { KubeClient } from './kube/client.ts';
import { openFace } from './open-face.ts';
import type { Meters } from './probes/meters.ts';
import type { DaemonSurroundings } from './surroundings.ts';
import type { TlsFace } from './tls-face.ts';

/** What a replica deals with: the API server, who answers reviews, the mounted Secret, the TLS server. */
export interface Outside extends AsyncDisposable {
  readonly client: KubeClient;
  readonly admission: AdmissionSide;
  readonly mount: Mount;
  readonly server: TlsFace;
  /** Looks again at what may have changed beside the certificate: at each tick. */
  readonly look: () => Promise<unknown>;
}

/**
 * Opens it all, counted by the meters and told to the logger. Nothing listens yet.
 *
 * @throws Problem when the kubeconfig, the handler or CLIENT_CA_FILE cannot be used
 */
export const openOutside = async (
  config: Config,
  surroundings: DaemonSurroundings,
  meters: Meters,
): Promise<Outside> => {
  const { logger } = surroundings;
  await using opened = new AsyncDisposableStack();

  const client = opened.use(await surroundings.client());
  client.response$.subscribe(({ verb, resource, code }) => meters.apiRequests.add(verb, resource, String(code ?? 0)));
  const admission = opened.use(
    await openAdmissionSide(config, surroundings, (outcome, elapsedMs) => {
      meters.admissionRequests.add(outcome);
      meters.admissionDuration.observe(elapsedMs / 1000);
    }),
  );
  const { server, look } =
    surroundings.face === undefined
      ? await openFace(config, logger, meters, admission.answer)
      : { server: surroundings.face, look: () => Promise.resolve() };

  const mount = openMount(config.certDir, {
    onTrouble: (kind, detail) => logger.info('Directory watch is not available, polling', { kind, detail }),
  });
  const everything = opened.move();
  return { client, admission, mount, server, look, [Symbol.asyncDispose]: () => everything.disposeAsync() };
};
