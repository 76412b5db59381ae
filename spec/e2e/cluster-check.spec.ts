import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'chai';
import { until } from '../support/until.ts';
import { expectCluster, image, kubeconfig } from './day.ts';
import { kubectl } from './kubectl.ts';
import { renderedManifests } from './rendered-manifests.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'main.ts');
const MANIFESTS = join(import.meta.dirname, '..', '..', 'manifests', 'cluster-check');
const CHECKER = 'webhook-certd-cluster-check';
const OWN = 'validating/webhook-certd.webhook-certd/';

interface Endpoint {
  readonly name: string;
  readonly leaf: string | null;
  readonly problem: string | null;
}

interface Report {
  readonly webhooks: readonly {
    readonly id: string;
    readonly status: string;
    readonly endpoints: readonly Endpoint[];
    readonly findings: readonly { readonly id: string; readonly detail: string }[];
  }[];
}

/** The report of the program on this machine, which reaches the Pods through the API server. */
const reportFromDesk = (): Promise<Report> =>
  new Promise((resolve, reject) => {
    const args = [MAIN, 'check', '--cluster', '--json', '--kubeconfig', kubeconfig];
    execFile(process.execPath, args, { maxBuffer: 64 * 1024 * 1024 }, (_error, stdout, stderr) => {
      try {
        resolve(JSON.parse(stdout) as Report);
      } catch {
        reject(new Error(stderr || stdout));
      }
    });
  });

/** The report of the Pod, which reaches the other Pods directly. */
const reportFromPod = async (): Promise<Report> =>
  JSON.parse(
    await kubectl(['get', '--raw', `/api/v1/namespaces/${CHECKER}/services/${CHECKER}:8080/proxy/report.json`]),
  ) as Report;

describe('check --cluster on a real cluster', () => {
  before(async () => {
    expectCluster();
    await kubectl(['apply', '-f', '-'], await renderedManifests(image, {}));
    await kubectl(['-n', 'webhook-certd', 'rollout', 'status', 'deployment/webhook-certd', '--timeout=120s']);
    const manifests = await kubectl(['kustomize', MANIFESTS]);
    await kubectl(
      ['apply', '-f', '-'],
      manifests.replaceAll(/image: webhook-certd:\S+/g, `image: ${image}\n        imagePullPolicy: IfNotPresent`),
    );
    await kubectl(['-n', CHECKER, 'rollout', 'status', `deployment/${CHECKER}`, '--timeout=120s']);
  });
  after(async () => {
    await kubectl(['delete', '-k', MANIFESTS, '--ignore-not-found', '--wait=false']);
    await kubectl(['delete', '-f', '-', '--ignore-not-found'], await renderedManifests(image, {}));
  });

  const expectHealthy = ({ webhooks }: Report): void => {
    const own = webhooks.find(({ id }) => id.startsWith(OWN));
    expect(own, JSON.stringify(webhooks.map(({ id }) => id))).to.not.equal(undefined);
    expect(own?.endpoints.map(({ problem }) => problem)).to.deep.equal([null, null]);
    expect(new Set(own?.endpoints.map(({ leaf }) => leaf)).size).to.equal(1);
    expect(own?.findings).to.deep.equal([]);
  };

  it('reads the certificate of each Pod from a desk, through port-forward', async () => {
    expectHealthy(await reportFromDesk());
  });

  it('reads the certificate of each Pod from inside a Pod, directly', async () => {
    await until(async () => (await reportFromPod().catch(() => null)) !== null, 60_000);
    expectHealthy(await reportFromPod());
  });

  it('says that no endpoint is ready when the webhook is scaled to none', async () => {
    await kubectl(['-n', 'webhook-certd', 'scale', 'deployment/webhook-certd', '--replicas=0']);
    await until(async () => {
      const { webhooks } = await reportFromDesk();
      const own = webhooks.find(({ id }) => id.startsWith(OWN));
      return own?.findings.some(({ id }) => id === 'no-endpoint') ?? false;
    }, 60_000);
  });
});
