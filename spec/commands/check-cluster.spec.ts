import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { type ClusterOptions, runCheckCluster } from '../../src/commands/check-cluster.ts';
import { idOf, NAMESPACE, type Plant, plantAll, serviceName } from '../check/cluster-plants.ts';
import { plantServers } from '../check/cluster-servers.ts';
import { startEmbeddedApi } from '../support/embedded-api.ts';
import { freePort } from '../support/free-port.ts';
import { madeCertificates } from '../support/made-certificates.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { until } from '../support/until.ts';

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

interface Run {
  readonly code: number;
  readonly printed: string;
  readonly errors: string;
}

interface Place extends AsyncDisposable {
  readonly plants: readonly Plant[];
  readonly kubeconfig: string;
  readonly file: (name: string) => string;
  readonly api: Awaited<ReturnType<typeof startEmbeddedApi>>;
  readonly run: (options?: Partial<ClusterOptions>, stopped?: () => Promise<void>) => Promise<Run>;
}

/** A cluster with one healthy webhook, and if asked one that fails. */
const place = async (withFailing: boolean): Promise<Place> => {
  const opened = new AsyncDisposableStack();
  const api = opened.use(await startEmbeddedApi());
  const servers = opened.use(plantServers());
  const folder = opened.use(await temporaryDirectory());
  const [ca, other] = [await madeCertificates.ca(), await madeCertificates.ca()];
  const plant = async (name: string, bundle: string, status: Plant['status']): Promise<Plant> => ({
    name,
    bundle,
    endpoints: [{ port: await servers.tls(await madeCertificates.leaf({ ca, names: [serviceName(name)] })) }],
    status,
    findings: [],
  });
  const plants = [
    await plant('healthy', ca.pem, 'ok'),
    ...(withFailing ? [await plant('refused', other.pem, 'fail')] : []),
  ];
  await api.createNamespace(NAMESPACE);
  await plantAll(api, plants, () => '127.0.0.1');
  const kubeconfig = await folder.write('kubeconfig', api.adminKubeconfig());
  return {
    plants,
    kubeconfig,
    api,
    file: (name) => join(folder.path, name),
    run: async (options = {}, stopped = () => Promise.resolve()) => {
      let [printed, errors] = ['', ''];
      const code = await runCheckCluster(
        { ...OPTIONS, ...options },
        {
          kubeconfig,
          inCluster: null,
          version: 'spec',
          print: (text) => void (printed += `${text}\n`),
          printError: (text) => void (errors += `${text}\n`),
          colours: false,
          stopped,
        },
      );
      return { code, printed, errors };
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
};

describe('webhook-certd check --cluster', () => {
  it('ends with 0 when no webhook fails', async () => {
    await using cluster = await place(false);
    const { code, printed } = await cluster.run();
    expect(code, printed).to.equal(0);
    expect(printed).to.contain('✔ 1 webhook: 1 ok');
  });

  it('ends with 1 when one fails, which comes first', async () => {
    await using cluster = await place(true);
    const { code, printed } = await cluster.run();
    expect(code).to.equal(1);
    expect(printed).to.match(new RegExp(`^✘ now +${idOf(cluster.plants[1]!)} `, 'm'));
    expect(printed.indexOf('refused')).to.be.below(printed.indexOf('healthy'));
  });

  it('ends with 1 and the reason when the API server does not answer', async () => {
    await using cluster = await place(false);
    await cluster.api.stop();
    const { code, errors } = await cluster.run();
    expect(code).to.equal(1);
    expect(errors).to.contain('ECONNREFUSED');
  });

  it('prints JSON', async () => {
    await using cluster = await place(true);
    const { code, printed } = await cluster.run({ json: true });
    const { webhooks } = JSON.parse(printed) as { readonly webhooks: readonly { readonly status: string }[] };
    expect({ code, statuses: webhooks.map(({ status }) => status) }).to.deep.equal({
      code: 1,
      statuses: ['fail', 'ok'],
    });
  });

  it('leaves out other namespaces when one is named', async () => {
    await using cluster = await place(true);
    const { code, printed } = await cluster.run({ namespace: 'elsewhere' });
    expect(code).to.equal(0);
    expect(printed).to.contain('No webhook was found.');
  });

  it('writes a page that asks for nothing from elsewhere', async () => {
    await using cluster = await place(true);
    const html = cluster.file('report.html');
    await cluster.run({ html });
    const page = await readFile(html, 'utf8');
    for (const plant of cluster.plants) expect(page).to.contain(idOf(plant));
    expect(page).to.contain('caBundle does not trust the served certificate');
    expect(page).not.to.match(/<script|<link|<img|src=|url\(/);
  });

  it('writes metrics for the textfile collector', async () => {
    await using cluster = await place(true);
    const metricsFile = cluster.file('webhooks.prom');
    await cluster.run({ metricsFile });
    const metrics = await readFile(metricsFile, 'utf8');
    const [healthy, refused] = cluster.plants.map(idOf);
    expect(metrics).to.match(new RegExp(`webhook_failing\\{webhook="${healthy}",[^}]*\\} 0`));
    expect(metrics).to.match(new RegExp(`webhook_failing\\{webhook="${refused}",[^}]*\\} 1`));
    expect(metrics).to.match(new RegExp(`expiry_timestamp_seconds\\{webhook="${healthy}"\\} \\d{10}\\b`));
    expect(metrics).to.match(new RegExp(`finding\\{webhook="${refused}",finding="untrusted",severity="fail"\\} 1`));
  });

  it('says which file it cannot write', async () => {
    await using cluster = await place(false);
    const { code, errors } = await cluster.run({ html: '/nowhere/report.html' });
    expect({ code, errors }).to.deep.equal({
      code: 1,
      errors: 'webhook-certd: /nowhere/report.html cannot be written: ENOENT\n',
    });
  });

  it('serves the page and the metrics with --every, until it is stopped', async () => {
    await using cluster = await place(true);
    const port = await freePort();
    const stopping = Promise.withResolvers<void>();
    const running = cluster.run({ everyMs: 60_000, listen: { host: '127.0.0.1', port } }, () => stopping.promise);
    const get = async (path: string) => fetch(`http://127.0.0.1:${port}${path}`).catch(() => null);
    await until(async () => (await get('/metrics'))?.status === 200);
    expect(await (await get('/metrics'))?.text()).to.contain('webhook_certd_cluster_webhooks{status="fail"} 1');
    expect(await (await get('/'))?.text()).to.contain('Which webhook fails next');
    expect((await get('/livez'))?.status).to.equal(200);
    stopping.resolve();
    const { code, printed } = await running;
    expect(code).to.equal(0);
    expect(printed).to.contain('checked 2 webhooks: 1 failing, 0 with warnings, 1 ok, 0 unknown');
  });

  it('goes on with --every when the API server does not answer', async () => {
    await using cluster = await place(false);
    await cluster.api.stop();
    const port = await freePort();
    const stopping = Promise.withResolvers<void>();
    const running = cluster.run({ everyMs: 60_000, listen: { host: '127.0.0.1', port } }, () => stopping.promise);
    await until(async () => {
      const answer = await fetch(`http://127.0.0.1:${port}/metrics`).catch(() => null);
      return answer?.status === 503;
    });
    stopping.resolve();
    const { code, errors } = await running;
    expect(code).to.equal(0);
    expect(errors).to.contain('ECONNREFUSED');
  });
});
