import * as z from 'zod/mini';
import { bindAddress } from './addresses.ts';
import { boolean, duration, oneOf, type Schema, string } from './types.ts';

const DAY_MS = 86_400_000;

const clusterFlag = <T>(
  flag: string,
  placeholder: string | null,
  defaultValue: string | null,
  schema: Schema<T>,
  meaning: string,
) => ({
  flag,
  short: null,
  placeholder,
  defaultValue,
  schema,
  meaning,
  valueWhenBare: placeholder === null ? 'true' : null,
});

/** The flags of `check --cluster`. */
export const clusterFlags = {
  cluster: clusterFlag(
    'cluster',
    null,
    'false',
    boolean,
    'check every webhook, conversion webhook and aggregated API of the cluster instead of one installation; needs nothing of this program there',
  ),
  warnBeforeMs: clusterFlag(
    'warn-before',
    'DURATION',
    '30d',
    duration({ fromMs: 0, toMs: 3650 * DAY_MS }),
    'with --cluster: how long before its end a certificate is warned about',
  ),
  dial: clusterFlag(
    'dial',
    'auto|direct|port-forward',
    'auto',
    oneOf('auto', 'direct', 'port-forward'),
    'with --cluster: how endpoints are reached; auto: directly in a Pod, through the API server with a kubeconfig',
  ),
  secrets: clusterFlag(
    'secrets',
    null,
    'false',
    boolean,
    'with --cluster: also read the Secrets that the Pods mount, and compare their certificates with those served',
  ),
  html: clusterFlag(
    'html',
    'FILE',
    null,
    z.nullable(string('the path of a file')),
    'with --cluster: also write the report as one HTML page',
  ),
  metricsFile: clusterFlag(
    'metrics-file',
    'FILE',
    null,
    z.nullable(string('the path of a file')),
    'with --cluster: also write Prometheus metrics, as the textfile collector of the node exporter reads them',
  ),
  everyMs: clusterFlag(
    'every',
    'DURATION',
    null,
    z.nullable(duration({ fromMs: 60_000, toMs: 7 * DAY_MS })),
    'with --cluster: repeat the check until stopped, and serve the page at / and metrics at /metrics',
  ),
  listen: clusterFlag('listen', 'HOST:PORT', ':8080', bindAddress(), 'with --every: where to serve them'),
  rbac: clusterFlag('rbac', null, 'false', boolean, 'with --cluster: print the least ClusterRole for it, and end'),
} as const;
