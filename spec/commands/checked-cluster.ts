import { join } from 'node:path';
import { type ClusterOptions, runCheckCluster } from '../../src/commands/check-cluster.ts';
import { NAMESPACE, type Plant, plantAll, serviceName } from '../check/cluster-plants.ts';
import { plantServers } from '../check/cluster-servers.ts';
import { startEmbeddedApi } from '../support/embedded-api.ts';
import { madeCertificates } from '../support/made-certificates.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

type Dependencies = Parameters<typeof runCheckCluster>[1];

const OPTIONS: ClusterOptions = {
  json: false,
  namespace: null,
  warnBeforeMs: 30 * 86_400_000,
  dial: 'direct',
  secrets: false,
  html: null,
  metricsFile: null,
  everyMs: null,
  listen: { host: '127.0.0.1', port: 0 },
  rbac: false,
};

/** Runs `check --cluster` at a desk, and returns what is printed. */
export const checkingCluster = async (options: Partial<ClusterOptions>, around: Partial<Dependencies> = {}) => {
  const printed: string[] = [];
  const errors: string[] = [];
  const code = await runCheckCluster(
    { ...OPTIONS, ...options },
    {
      kubeconfig: null,
      inCluster: null,
      version: '1.2.3',
      print: (text) => void printed.push(text),
      printError: (text) => void errors.push(text),
      colours: false,
      stopped: () => Promise.resolve(),
      ...around,
    },
  );
  return { code, printed, errors };
};

type Run = Awaited<ReturnType<typeof checkingCluster>>;

export interface CheckedCluster extends AsyncDisposable {
  readonly plants: readonly Plant[];
  readonly kubeconfig: string;
  readonly folder: string;
  readonly file: (name: string) => string;
  readonly api: Awaited<ReturnType<typeof startEmbeddedApi>>;
  readonly run: (options?: Partial<ClusterOptions>, around?: Partial<Dependencies>) => Promise<Run>;
}

/** A cluster with one healthy webhook, whose Pod mounts another certificate than it serves, and if asked one that fails. */
export const checkedCluster = async (withFailing: boolean): Promise<CheckedCluster> => {
  const opened = new AsyncDisposableStack();
  const api = opened.use(await startEmbeddedApi());
  const servers = opened.use(plantServers());
  const folder = opened.use(await temporaryDirectory());
  const [ca, other] = [await madeCertificates.ca(), await madeCertificates.ca()];
  const leafOf = (name: string) => madeCertificates.leaf({ ca, names: [serviceName(name)] });
  const plant = async (name: string, bundle: string, rest: Pick<Plant, 'status' | 'secrets'>): Promise<Plant> => ({
    name,
    bundle,
    endpoints: [{ port: await servers.tls(await leafOf(name)), secret: name }],
    findings: [],
    ...rest,
  });
  const plants = [
    await plant('healthy', ca.pem, { status: 'ok', secrets: { healthy: (await leafOf('healthy')).pem } }),
    ...(withFailing ? [await plant('refused', other.pem, { status: 'fail' })] : []),
  ];
  await api.createNamespace(NAMESPACE);
  await plantAll(api, plants, () => '127.0.0.1');
  const kubeconfig = await folder.write('kubeconfig', api.adminKubeconfig());
  return {
    plants,
    kubeconfig,
    api,
    folder: folder.path,
    file: (name) => join(folder.path, name),
    run: (options = {}, around = {}) => checkingCluster(options, { kubeconfig, ...around }),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
};
