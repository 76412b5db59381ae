import type { KubeClient } from './kube/client.ts';
import type { Logger } from './logger.ts';
import type { TlsFace } from './tls-face.ts';
import type { HandlerExport } from './webhook/admission-types.ts';

/** What a daemon is given beside its configuration. */
export interface DaemonSurroundings {
  readonly logger: Logger;
  /** Rejects with a `KubeProblem` when the configuration does not say how to reach the API server. */
  readonly client: () => Promise<KubeClient>;
  readonly version: string;
  /** Where a relative WEBHOOK_HANDLER starts. */
  readonly directory: string;
  /** Answers instead of what the configuration names. */
  readonly handler?: HandlerExport;
  /** Serves instead of the webhook's own server. Whoever brings it has probes and metrics of its own, too. */
  readonly face?: TlsFace;
}
