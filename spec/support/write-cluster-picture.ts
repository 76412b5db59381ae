import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { runCheckCluster } from '../../src/commands/check-cluster.ts';
import { NAMESPACE, type Plant, plantAll, serviceName } from '../check/cluster-plants.ts';
import { plantServers } from '../check/cluster-servers.ts';
import { tool } from '../observability/tool.ts';
import { startEmbeddedApi } from './embedded-api.ts';
import { madeCertificates } from './made-certificates.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** Run by hand: makes the picture of docs/guides/cluster-check.md from a report of a cluster in this process. */
const FOLDER = join(import.meta.dirname, '..', '..', 'docs', 'guides');
const DAY_MS = 86_400_000;
const CERT_MANAGER = {
  annotations: { 'cert-manager.io/inject-ca-from': `${NAMESPACE}/webhook-cert` },
  manager: 'cert-manager-cainjector',
} as const;

await using opened = new AsyncDisposableStack();
const api = opened.use(await startEmbeddedApi());
const servers = opened.use(plantServers());
const folder = opened.use(await temporaryDirectory());
const { ca: makeCa, leaf: makeLeaf } = madeCertificates;

const ca = await makeCa('CN=webhook-ca');
const former = await makeCa('CN=former-ca');
const certgen = await makeCa('O=nil1', { toDays: 41 });
type Order = Partial<Parameters<typeof makeLeaf>[0]>;
const served = async (name: string, ...orders: readonly Order[]) =>
  Promise.all(
    orders.map(async (order) => ({
      port: await servers.tls(await makeLeaf({ ca, names: [serviceName(name)], ...order })),
    })),
  );
const unchecked = { status: 'ok', findings: [] } as const;

const plants: readonly Plant[] = [
  {
    ...unchecked,
    ...CERT_MANAGER,
    name: 'policy',
    bundle: ca.pem,
    endpoints: await served('policy', { toDays: 88 }, { ca: former, fromDays: -60, toDays: 30 }),
  },
  {
    ...unchecked,
    name: 'image-scanner',
    bundle: ca.pem,
    manager: 'helm',
    endpoints: await served('image-scanner', { toDays: 9 }),
  },
  {
    ...unchecked,
    name: 'ingress-admission',
    bundle: certgen.pem,
    manager: 'kube-webhook-certgen',
    endpoints: await served('ingress-admission', { ca: certgen, toDays: 320 }),
  },
  {
    ...unchecked,
    ...CERT_MANAGER,
    name: 'mesh-injector',
    kind: 'mutating',
    bundle: ca.pem,
    endpoints: await served('mesh-injector', { toDays: 61 }),
  },
  {
    ...unchecked,
    ...CERT_MANAGER,
    name: 'database',
    kind: 'conversion',
    bundle: ca.pem,
    endpoints: await served('database', { toDays: 75 }),
  },
  {
    ...unchecked,
    name: 'metrics',
    kind: 'apiservice',
    bundle: null,
    skipsVerification: true,
    endpoints: await served('metrics', { toDays: 300 }),
  },
  {
    ...unchecked,
    name: 'backup',
    bundle: ca.pem,
    webhook: { failurePolicy: 'Ignore' },
    manager: 'helm',
    endpoints: [],
  },
  {
    ...unchecked,
    name: 'kubetemplater',
    bundle: ca.pem,
    manager: 'webhook-certd',
    endpoints: await served('kubetemplater', { toDays: 364 }),
  },
];
await api.createNamespace(NAMESPACE);
await plantAll(api, plants, () => '127.0.0.1');

await mkdir(FOLDER, { recursive: true });
const html = join(folder.path, 'report.html');
await runCheckCluster(
  {
    json: false,
    namespace: null,
    warnBeforeMs: 30 * DAY_MS,
    dial: 'direct',
    secrets: false,
    html,
    metricsFile: null,
    everyMs: null,
    listen: { host: null, port: 0 },
    rbac: false,
  },
  {
    kubeconfig: await folder.write('kubeconfig', api.adminKubeconfig()),
    inCluster: null,
    version: 'picture',
    print: (text) => void process.stdout.write(`${text}\n`),
    printError: (text) => void process.stderr.write(`${text}\n`),
    colours: false,
    stopped: () => Promise.resolve(),
  },
);

const browser = await chromium.launch({ executablePath: await tool('chromium'), args: ['--headless', '--no-sandbox'] });
const page = await browser.newPage({ viewport: { width: 1180, height: 1180 }, colorScheme: 'light' });
await page.goto(`file://${html}`);
await page.screenshot({ path: join(FOLDER, 'cluster-check.png') });
await browser.close();
