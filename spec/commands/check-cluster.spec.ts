import { mkdir, readdir, readFile } from 'node:fs/promises';
import os from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { clusterRole } from '../../src/check/cluster-access.ts';
import { idOf } from '../check/cluster-plants.ts';
import { base64, kubeconfig } from '../kube/kubeconfig.ts';
import { json, scriptedApi } from '../kube/scripted-api.ts';
import { replaceBuiltin } from '../support/replace-builtin.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { type CheckedCluster, checkedCluster, checkingCluster } from './checked-cluster.ts';

const DAY_MS = 86_400_000;

interface ReportedWebhook {
  readonly status: string;
  readonly findings: readonly { readonly id: string }[];
  readonly endpoints: readonly { readonly problem: string | null }[];
}

const webhooksIn = ({ printed }: { readonly printed: readonly string[] }): readonly ReportedWebhook[] =>
  (JSON.parse(printed.join('')) as { readonly webhooks: readonly ReportedWebhook[] }).webhooks;

describe('webhook-certd check --cluster', () => {
  let cluster: CheckedCluster;
  before(async () => {
    cluster = await checkedCluster(true);
  });
  after(() => cluster[Symbol.asyncDispose]());

  const folderOf = (): Promise<readonly string[]> => readdir(cluster.folder);

  it('ends with 0 when no webhook fails', async () => {
    await using sound = await checkedCluster(false);
    const { code, printed, errors } = await sound.run();
    expect({ code, errors, reports: printed.length }, printed.join('\n')).to.deep.equal({
      code: 0,
      errors: [],
      reports: 1,
    });
    expect(printed[0]).to.contain('✔ 1 webhook: 1 ok');
    expect(await readdir(sound.folder)).to.deep.equal(['kubeconfig']);
  });

  it('ends with 1 when one fails, which comes first', async () => {
    const { code, printed } = await cluster.run();
    const [report = ''] = printed;
    expect(code).to.equal(1);
    expect(report).to.match(new RegExp(`^✘ now +${idOf(cluster.plants[1]!)} `, 'm'));
    expect(report.indexOf('refused')).to.be.below(report.indexOf('healthy'));
    expect(report).not.to.include('\u001B');
  });

  it('has colours on a terminal', async () => {
    const [report = ''] = (await cluster.run({}, { colours: true })).printed;
    expect(report).to.include('\u001B[31m✘');
  });

  it('ends with 1 and the reason when the API server does not answer', async () => {
    const elsewhere = cluster.api.adminKubeconfig().replaceAll(cluster.api.url, 'https://127.0.0.1:1');
    await using folder = await temporaryDirectory();
    const path = await folder.write('kubeconfig', elsewhere);
    const { code, printed, errors } = await cluster.run({}, { kubeconfig: path });
    expect({ code, printed, errors: errors.length }).to.deep.equal({ code: 1, printed: [], errors: 1 });
    expect(errors[0]).to.match(/^webhook-certd: .*ECONNREFUSED/);
  });

  it('prints JSON', async () => {
    const run = await cluster.run({ json: true });
    expect({ code: run.code, statuses: webhooksIn(run).map(({ status }) => status) }).to.deep.equal({
      code: 1,
      statuses: ['fail', 'ok'],
    });
  });

  it('leaves out other namespaces when one is named', async () => {
    const { code, printed } = await cluster.run({ namespace: 'elsewhere' });
    expect(code).to.equal(0);
    expect(printed[0]).to.contain('No webhook was found.');
  });

  it('warns of what expires within the time that is asked for', async () => {
    const run = await cluster.run({ json: true, warnBeforeMs: 36_500 * DAY_MS });
    expect(webhooksIn(run).map(({ status }) => status)).to.deep.equal(['fail', 'warn']);
  });

  it('reads the Secrets that Pods mount only when it is asked to', async () => {
    const ids = (run: Awaited<ReturnType<CheckedCluster['run']>>) =>
      webhooksIn(run)
        .at(-1)
        ?.findings.map(({ id }) => id);
    expect(ids(await cluster.run({ json: true }))).to.deep.equal([]);
    expect(ids(await cluster.run({ json: true, secrets: true }))).to.deep.equal(['secret-differs']);
  });

  it('dials through the API server when it is told to, and at a desk when it is told nothing', async () => {
    const problems = async (dial: 'auto' | 'direct' | 'port-forward') =>
      webhooksIn(await cluster.run({ json: true, dial }))
        .flatMap(({ endpoints }) => endpoints)
        .map(({ problem }) => problem !== null);
    expect(await problems('direct')).to.deep.equal([false, false]);
    // This API server has no kubelets to tunnel to.
    expect(await problems('port-forward')).to.deep.equal([true, true]);
    expect(await problems('auto')).to.deep.equal([true, true]);
  });

  it('writes a page that asks for nothing from elsewhere', async () => {
    const html = cluster.file('report.html');
    await cluster.run({ html });
    const page = await readFile(html, 'utf8');
    for (const plant of cluster.plants) expect(page).to.contain(idOf(plant));
    expect(page).to.contain('caBundle does not trust the served certificate');
    expect(page).not.to.match(/<script|<link|<img|src=|url\(/);
  });

  it('writes metrics for the textfile collector', async () => {
    const metricsFile = cluster.file('webhooks.prom');
    await cluster.run({ metricsFile });
    const metrics = await readFile(metricsFile, 'utf8');
    const [healthy, refused] = cluster.plants.map(idOf);
    expect(metrics).to.match(new RegExp(`webhook_failing\\{webhook="${healthy}",[^}]*\\} 0`));
    expect(metrics).to.match(new RegExp(`webhook_failing\\{webhook="${refused}",[^}]*\\} 1`));
    expect(metrics).to.match(new RegExp(`expiry_timestamp_seconds\\{webhook="${healthy}"\\} \\d{10}\\b`));
    expect(metrics).to.match(new RegExp(`finding\\{webhook="${refused}",finding="untrusted",severity="fail"\\} 1`));
  });

  it('leaves nothing beside the files that it writes', async () => {
    const files = [cluster.file('new.html'), cluster.file('new.prom')] as const;
    const before = await folderOf();
    await cluster.run({ html: files[0], metricsFile: files[1] });
    expect((await folderOf()).filter((name) => !before.includes(name))).to.deep.equal(['new.html', 'new.prom']);
  });

  it('says which file it cannot write, and leaves nothing of it', async () => {
    await mkdir(cluster.file('a-folder'));
    const before = await folderOf();
    const refused = { '/nowhere/report.html': 'ENOENT', [`${cluster.kubeconfig}/report.html`]: 'ENOTDIR' };
    for (const [path, why] of Object.entries({ ...refused, [cluster.file('a-folder')]: 'EISDIR' })) {
      const { code, printed, errors } = await cluster.run({ html: path });
      expect({ code, printed, errors }).to.deep.equal({
        code: 1,
        printed: [],
        errors: [`webhook-certd: ${path} cannot be written: ${why}`],
      });
    }
    expect(await folderOf()).to.deep.equal(before);
  });

  it('does not hide where this program is wrong', async () => {
    const print = (): never => {
      throw new TypeError('a bug');
    };
    const error: unknown = await cluster.run({}, { print }).catch((each: unknown) => each);
    expect(error).to.be.instanceOf(TypeError).with.property('message', 'a bug');
  });
});

describe('what check --cluster asks, and by what', () => {
  const answers = (url: string): unknown => (url === '/version' ? { gitVersion: 'v1.35.0' } : { items: [] });

  it('is an API server, by the context that is named, under the name of this command', async () => {
    await using api = await scriptedApi();
    await using folder = await temporaryDirectory();
    api.answer((response, { url }) => json(response, answers(url)));
    const cluster = { 'certificate-authority-data': base64(api.pki.ca) };
    const one = JSON.parse(kubeconfig({ server: api.url, cluster, user: { token: 'mine' } })) as {
      readonly contexts: readonly object[];
      readonly users: readonly object[];
    };
    const other = {
      users: [...one.users, { name: 'other', user: { token: 'of another' } }],
      contexts: [...one.contexts, { name: 'named', context: { cluster: 'here', user: 'other' } }],
    };
    const path = await folder.write('kubeconfig', JSON.stringify({ ...one, ...other }));
    const headersBy = async (context: string | undefined): Promise<readonly unknown[]> => {
      const before = api.asked.length;
      const { code, errors } = await checkingCluster(
        {},
        { kubeconfig: path, ...(context === undefined ? {} : { context }) },
      );
      expect({ code, errors }).to.deep.equal({ code: 0, errors: [] });
      const seen = api.asked.slice(before).map(({ headers }) => `${headers['user-agent']} ${headers.authorization}`);
      return [...new Set(seen)];
    };
    expect(await headersBy(undefined)).to.deep.equal(['webhook-certd-check/1.2.3 Bearer mine']);
    expect(await headersBy('named')).to.deep.equal(['webhook-certd-check/1.2.3 Bearer of another']);
  });

  it('is found in ~/.kube/config, in a Pod by its service account', async () => {
    await using api = await scriptedApi();
    await using home = await temporaryDirectory();
    const standard = join(home.path, '.kube', 'config');
    await mkdir(dirname(standard));
    const homes = replaceBuiltin(os, { homedir: () => home.path });
    try {
      expect(await checkingCluster({})).to.deep.equal({
        code: 1,
        printed: [],
        errors: [`webhook-certd: kubeconfig ${standard}: ENOENT`],
      });
    } finally {
      homes[Symbol.dispose]();
    }
    await home.write('token', 'of the Pod');
    await home.write('ca.crt', api.pki.ca);
    api.answer((response, { url }) => json(response, answers(url)));
    const inCluster = { host: '127.0.0.1', port: String(api.port), directory: home.path };
    const { code, errors } = await checkingCluster({}, { inCluster });
    expect({ code, errors }).to.deep.equal({ code: 0, errors: [] });
    expect([...new Set(api.asked.map(({ headers }) => headers.authorization))]).to.deep.equal(['Bearer of the Pod']);
  });

  it('is nothing with --rbac, which prints the permissions that these options need', async () => {
    const role = (portForward: boolean, secrets = false) => ({
      code: 0,
      printed: [clusterRole({ portForward, secrets })],
      errors: [],
    });
    const inCluster = { host: '10.0.0.1', port: '443' };
    const rbac = true;
    expect(await checkingCluster({ rbac, dial: 'auto' }, { kubeconfig: '/no/such' })).to.deep.equal(role(true));
    expect(await checkingCluster({ rbac, dial: 'auto' })).to.deep.equal(role(true));
    expect(await checkingCluster({ rbac, dial: 'auto' }, { inCluster })).to.deep.equal(role(false));
    expect(await checkingCluster({ rbac, dial: 'direct' })).to.deep.equal(role(false));
    expect(await checkingCluster({ rbac, dial: 'port-forward', secrets: true }, { inCluster })).to.deep.equal(
      role(true, true),
    );
  });
});
