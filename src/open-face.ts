import type { RequestListener } from 'node:http';
import { openClientAuthority } from './client-authority.ts';
import type { Config } from './config.ts';
import type { Logger } from './logger.ts';
import type { Meters } from './probes/meters.ts';
import type { TlsFace } from './tls-face.ts';
import { createWebhookServer } from './webhook/server.ts';

export interface OpenFace {
  readonly server: TlsFace;
  /** Looks again at what may have changed beside the certificate: at each tick. */
  readonly look: () => Promise<unknown>;
}

/**
 * The webhook's own TLS server, with whom it lets in. It does not listen before there is a certificate.
 *
 * @throws Problem when CLIENT_CA_FILE cannot be used
 */
export const openFace = async (
  config: Config,
  logger: Logger,
  meters: Meters,
  answer: RequestListener,
): Promise<OpenFace> => {
  const { clientCaFile: file } = config;
  const clients =
    file === null
      ? null
      : await openClientAuthority(file, {
          onChange: (pem) => {
            server.trustClients(pem);
            logger.info('Client authorities changed', { file });
          },
          onProblem: (reason) => logger.warn('Client authorities rejected, keeping those in force', { file, reason }),
        });
  const server = createWebhookServer({
    bind: config.webhookBind,
    tlsMinVersion: config.tlsMinVersion === 'TLSv1.3' ? '1.3' : '1.2',
    clientCa: clients?.pem ?? null,
    answer,
    onTrouble: ({ kind, reason, loud, untold }) => {
      meters.connectionTroubles.add(kind);
      // A caller that hangs up during its handshake is everyday life, a port scan say.
      const level = kind === 'handshake-aborted' ? 'debug' : 'warn';
      if (loud) logger[level]('Connection trouble', { kind, reason, untold });
    },
  });
  return { server, look: () => clients?.look() ?? Promise.resolve() };
};
