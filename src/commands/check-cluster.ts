import { rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Problem } from '../../streams/problem.ts';
import { clusterRole, type Dial, throughApiServer } from '../check/cluster-access.ts';
import { clusterGauges } from '../check/cluster-metrics.ts';
import { clusterPage } from '../check/cluster-page.ts';
import { direct, tunnelled } from '../check/cluster-probe.ts';
import { type ClusterReport, isSound, reportCluster } from '../check/cluster-report.ts';
import { surveyCluster } from '../check/cluster-survey.ts';
import { clusterJson, clusterText, countText } from '../check/cluster-text.ts';
import { openKubeClient } from '../kube/client.ts';
import type { InCluster } from '../kube/in-cluster.ts';
import { metricsPage } from '../metrics/instruments.ts';
import { errnoOf } from '../util/errors.ts';
import type { BindAddress } from '../util/listen.ts';
import { type Page, startPlainServer, textPage } from '../util/plain-server.ts';

export interface ClusterOptions {
  readonly json: boolean;
  /** Only the hooks whose Service is in this namespace; null for all. */
  readonly namespace: string | null;
  readonly warnBeforeMs: number;
  readonly dial: Dial;
  readonly secrets: boolean;
  readonly html: string | null;
  readonly metricsFile: string | null;
  /** Null to check once. */
  readonly everyMs: number | null;
  readonly listen: BindAddress;
  readonly rbac: boolean;
}

interface ClusterDependencies {
  readonly kubeconfig: string | null;
  /** The context of the kubeconfig; by default the current one. */
  readonly context?: string | null;
  readonly inCluster: InCluster | null;
  readonly version: string;
  /** Prints one text and ends its line. */
  readonly print: (text: string) => void;
  readonly printError: (text: string) => void;
  readonly colours: boolean;
  /** Resolves when the process is told to stop. Asked for with `everyMs` only. */
  readonly stopped: () => Promise<void>;
}

/** Where neither a kubeconfig nor a Pod's account was found, the file in the home directory, which the error then names. */
const kubeconfigOf = ({ kubeconfig, inCluster }: ClusterDependencies): string | null =>
  kubeconfig ?? (inCluster === null ? join(homedir(), '.kube', 'config') : null);

/** Writes a file whole, beside its place first: a reader never sees half of it. @throws Problem */
const writeWhole = async (path: string, text: string): Promise<void> => {
  const partial = `${path}.partial`;
  try {
    await writeFile(partial, text);
    await rename(partial, path);
  } catch (error) {
    await rm(partial).catch(() => undefined);
    throw new Problem(`${path} cannot be written: ${errnoOf(error)}`);
  }
};

/** Checks the cluster once. @throws Problem when the API server cannot be reached */
const check = async (options: ClusterOptions, dependencies: ClusterDependencies): Promise<ClusterReport> => {
  const { context = null, inCluster, version } = dependencies;
  const kubeconfig = kubeconfigOf(dependencies);
  await using client = await openKubeClient({
    kubeconfig,
    context,
    inCluster,
    userAgent: `webhook-certd-check/${version}`,
  });
  const survey = await surveyCluster({
    client,
    reach: throughApiServer(options.dial, kubeconfig) ? tunnelled(client) : direct,
    namespace: options.namespace,
    secrets: options.secrets,
  });
  return reportCluster(survey, options);
};

const writeFiles = async ({ html, metricsFile }: ClusterOptions, report: ClusterReport): Promise<void> => {
  if (html !== null) await writeWhole(html, clusterPage(report));
  if (metricsFile !== null) await writeWhole(metricsFile, metricsPage(clusterGauges(report)).body);
};

const htmlPage = (body: string): Page => ({ code: 200, contentType: 'text/html; charset=utf-8', body });

/** Repeats the check and serves the last report, until the process is told to stop. @throws Problem when it cannot listen */
const repeat = async (options: ClusterOptions, everyMs: number, dependencies: ClusterDependencies): Promise<number> => {
  const { print, printError, stopped } = dependencies;
  let last: ClusterReport | null = null;
  const ofLast = (page: (report: ClusterReport) => Page | Promise<Page>) => (): Page | Promise<Page> =>
    last === null ? textPage(503, 'the first check has not ended yet\n') : page(last);
  await using server = await startPlainServer(options.listen, {
    '/': ofLast((report) => htmlPage(clusterPage(report))),
    '/metrics': ofLast((report) => metricsPage(clusterGauges(report))),
    '/report.json': ofLast((report) => ({
      code: 200,
      contentType: 'application/json',
      body: clusterJson(report),
    })),
    '/livez': () => textPage(200, 'ok\n'),
  });
  print(`serving / and /metrics at port ${server.port}`);
  const stopping = new AbortController();
  void stopped().then(() => stopping.abort());
  while (!stopping.signal.aborted) {
    try {
      last = await check(options, dependencies);
      await writeFiles(options, last);
      const { fail, warn, ok, unknown } = last.counts;
      print(
        `checked ${countText(last.hooks.length)}: ${fail} failing, ${warn} with warnings, ${ok} ok, ${unknown} unknown`,
      );
    } catch (error) {
      // The age of the last check is a metric, and an alert.
      if (!(error instanceof Problem)) throw error;
      printError(`webhook-certd: ${error.message}`);
    }
    await delay(everyMs, undefined, { signal: stopping.signal }).catch(() => undefined);
  }
  return 0;
};

/**
 * `webhook-certd check --cluster`: which webhook of a cluster fails next, and why. Changes nothing in the cluster.
 *
 * @returns the exit code: 0 when none fails, else 1
 */
export const runCheckCluster = async (options: ClusterOptions, dependencies: ClusterDependencies): Promise<number> => {
  const { print, printError, colours } = dependencies;
  const { json, secrets, everyMs } = options;
  if (options.rbac) {
    print(clusterRole({ portForward: throughApiServer(options.dial, kubeconfigOf(dependencies)), secrets }));
    return 0;
  }
  try {
    if (everyMs !== null) return await repeat(options, everyMs, dependencies);
    const report = await check(options, dependencies);
    await writeFiles(options, report);
    print(json ? clusterJson(report) : clusterText(report, colours));
    return isSound(report) ? 0 : 1;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    printError(`webhook-certd: ${error.message}`);
    return 1;
  }
};
