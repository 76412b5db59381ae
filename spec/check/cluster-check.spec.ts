import { expect } from 'chai';
import { type ClusterRule, clusterRules } from '../../src/check/cluster-access.ts';
import { direct, type Reach } from '../../src/check/cluster-probe.ts';
import { type ClusterReport, isSound, reportCluster, type ReportedHook } from '../../src/check/cluster-report.ts';
import { surveyCluster } from '../../src/check/cluster-survey.ts';
import { clusterJson, clusterText } from '../../src/check/cluster-text.ts';
import { openKubeClient } from '../../src/kube/client.ts';
import { type ApiUnderTest, startApiUnderTest } from '../support/api-under-test.ts';
import { goBinary } from '../support/go-binary.ts';
import { madeCertificates } from '../support/made-certificates.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { idOf, NAMESPACE, type Plant, plantAll, serviceName } from './cluster-plants.ts';
import { buildGoServer, type PlantedServers, plantServers } from './cluster-servers.ts';

const DAY_MS = 86_400_000;

/** The addresses in the slices stand for servers on the loopback. */
const onLoopback: Reach = {
  ...direct,
  open: (endpoint, namespace, signal) => direct.open({ ...endpoint, address: '127.0.0.1' }, namespace, signal),
};

const INJECTED = { 'cert-manager.io/inject-ca-from': `${NAMESPACE}/certificate` };
const CAINJECTOR = 'cert-manager-cainjector';

const { ca: makeCa, leaf: makeLeaf, clientAuth, unknownCritical } = madeCertificates;

/** Every finding once, between hooks that are healthy in every way they can be. */
const plantsOf = async (servers: PlantedServers): Promise<readonly Plant[]> => {
  const ca = await makeCa();
  const other = await makeCa();
  const bundle = ca.pem;
  const leafFor = (name: string, order: Partial<Parameters<typeof makeLeaf>[0]> = {}) =>
    makeLeaf({ ca, names: [serviceName(name)], ...order });
  const served = async (name: string, order: Partial<Parameters<typeof makeLeaf>[0]> = {}) => ({
    port: await servers.tls(await leafFor(name, order)),
  });
  const ending = await makeCa('CN=ending CA', { toDays: 10 });
  const url = await makeLeaf({ ca, names: ['localhost'] });
  const twice = await leafFor('healthy');
  const older = await leafFor('not-reloaded', { fromDays: -60, toDays: 200 });
  const newer = await leafFor('not-reloaded', { toDays: 300 });
  const mounted = await leafFor('mounts-what-it-serves');
  const stale = await leafFor('stale', { fromDays: -60 });
  const renewed = await leafFor('stale');
  const half = await leafFor('half-refused');
  const repairRule = { operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*'] };
  return [
    {
      name: 'healthy',
      bundle,
      endpoints: [{ port: await servers.tls(twice) }, { port: await servers.tls(twice) }],
      annotations: INJECTED,
      manager: CAINJECTOR,
      status: 'ok',
      findings: [],
      failsInDays: 365,
    },
    {
      name: 'healthy-mutating',
      kind: 'mutating',
      bundle,
      endpoints: [await served('healthy-mutating')],
      status: 'ok',
      findings: [],
    },
    {
      name: 'healthyconversion',
      kind: 'conversion',
      bundle,
      endpoints: [await served('healthyconversion')],
      status: 'ok',
      findings: [],
    },
    {
      name: 'healthy-api',
      kind: 'apiservice',
      bundle,
      endpoints: [await served('healthy-api')],
      status: 'ok',
      findings: [],
    },
    {
      name: 'healthy-overlap',
      bundle: other.pem + ca.pem,
      endpoints: [await served('healthy-overlap')],
      status: 'ok',
      findings: [],
    },
    {
      name: 'healthy-client-certificate',
      bundle,
      endpoints: [
        {
          port: await servers.tls(await leafFor('healthy-client-certificate'), {
            requestCert: true,
            rejectUnauthorized: true,
            ca: bundle,
          }),
        },
      ],
      status: 'ok',
      findings: [],
    },
    {
      name: 'healthy-url',
      bundle,
      url: `https://localhost:${await servers.tls(url)}/validate`,
      status: 'ok',
      findings: [],
    },
    {
      name: 'healthy-unready',
      bundle,
      endpoints: [await served('healthy-unready'), { port: await servers.closed(), ready: false }],
      status: 'ok',
      findings: [],
    },
    {
      name: 'spares-itself',
      bundle,
      endpoints: [await served('spares-itself')],
      webhook: {
        rules: [{ ...repairRule, apiGroups: [''], resources: ['pods'], operations: ['CONNECT'] }],
        namespaceSelector: { matchExpressions: [{ key: 'spares', operator: 'DoesNotExist' }] },
      },
      status: 'ok',
      findings: [],
    },
    {
      name: 'empty-bundle',
      bundle: null,
      endpoints: [await served('empty-bundle')],
      status: 'fail',
      findings: ['ca-bundle-empty'],
      says: 'trusts public CAs only',
    },
    {
      name: 'unreadable-bundle',
      bundle: 'no certificate\n',
      endpoints: [await served('unreadable-bundle')],
      status: 'fail',
      findings: ['ca-bundle-unreadable'],
    },
    {
      name: 'torn-bundle',
      bundle: `${ca.pem}-----BEGIN CERTIFICATE-----\nMIIB\n`,
      endpoints: [await served('torn-bundle')],
      status: 'warn',
      findings: ['ca-bundle-partly-unreadable'],
      says: 'cut off',
    },
    {
      name: 'untrusted',
      bundle: other.pem,
      endpoints: [await served('untrusted')],
      status: 'fail',
      findings: ['untrusted'],
      says: /Pod untrusted-0 is Ready and refused: none of the 1 certificates in its caBundle issued CN=/,
      failsInDays: 0,
    },
    {
      name: 'half-refused',
      bundle,
      endpoints: [
        { port: await servers.tls(half) },
        { port: await servers.tls(await makeLeaf({ ca: other, names: [serviceName('half-refused')], fromDays: -30 })) },
      ],
      status: 'fail',
      findings: ['untrusted', 'certificates-differ'],
      says: '1 of 2 endpoints (Pod half-refused-1) is Ready and refused',
    },
    {
      name: 'nameless',
      bundle,
      endpoints: [{ port: await servers.tls(await makeLeaf({ ca, names: ['nameless.elsewhere.svc'] })) }],
      status: 'fail',
      findings: ['names-missing'],
      says: serviceName('nameless'),
    },
    {
      name: 'client-usage',
      bundle,
      endpoints: [await served('client-usage', { usages: [clientAuth] })],
      status: 'fail',
      findings: ['not-for-servers'],
    },
    {
      name: 'go-refuses',
      bundle,
      endpoints: [await served('go-refuses', { extensions: [unknownCritical()] })],
      status: 'fail',
      findings: ['refused-by-go'],
      says: 'unhandled critical extension',
    },
    {
      name: 'expired',
      bundle,
      endpoints: [await served('expired', { fromDays: -90, toDays: -1 })],
      status: 'fail',
      findings: ['expired'],
    },
    {
      name: 'early',
      bundle,
      endpoints: [await served('early', { fromDays: 1 })],
      status: 'fail',
      findings: ['not-yet-valid'],
    },
    {
      name: 'expires-soon',
      bundle,
      endpoints: [await served('expires-soon', { toDays: 12 })],
      annotations: INJECTED,
      manager: CAINJECTOR,
      status: 'warn',
      findings: ['expires-soon'],
      failsInDays: 12,
    },
    {
      name: 'ca-ends-first',
      bundle: ending.pem,
      endpoints: [await served('ca-ends-first', { ca: ending })],
      status: 'warn',
      findings: ['ca-expires-soon', 'ca-ends-first'],
      says: 'CN=ending CA',
      failsInDays: 10,
    },
    {
      name: 'not-reloaded',
      bundle,
      endpoints: [
        { port: await servers.tls(newer) },
        { port: await servers.tls(older) },
        { port: await servers.tls(newer) },
      ],
      status: 'warn',
      findings: ['certificates-differ'],
      says: /^Pod not-reloaded-1 serves/,
      failsInDays: 200,
    },
    { name: 'no-service', bundle, service: null, status: 'fail', findings: ['service-missing'] },
    {
      name: 'no-port',
      bundle,
      service: { port: 8443 },
      endpoints: [await served('no-port')],
      status: 'fail',
      findings: ['port-missing'],
      says: 'its ports are 8443',
    },
    { name: 'no-endpoint', bundle, status: 'fail', findings: ['no-endpoint'], says: 'no Pod matches its selector' },
    {
      name: 'none-ready',
      bundle,
      endpoints: [{ port: await servers.closed(), ready: false }],
      status: 'fail',
      findings: ['no-endpoint'],
      says: '1 Pod matches its selector, none is Ready',
    },
    {
      name: 'ignored',
      bundle,
      webhook: { failurePolicy: 'Ignore' },
      status: 'warn',
      findings: ['no-endpoint'],
      says: 'failurePolicy Ignore',
    },
    {
      name: 'closed',
      bundle,
      endpoints: [{ port: await servers.closed() }],
      status: 'fail',
      findings: ['port-closed'],
    },
    {
      name: 'silent',
      bundle,
      endpoints: [{ port: await servers.silent() }],
      status: 'warn',
      findings: ['unreachable'],
    },
    { name: 'plain', bundle, endpoints: [{ port: await servers.http() }], status: 'fail', findings: ['plain-http'] },
    { name: 'ssh', bundle, endpoints: [{ port: await servers.ssh() }], status: 'fail', findings: ['no-handshake'] },
    {
      name: 'old-tls',
      bundle,
      endpoints: [
        {
          port: await servers.tls(await leafFor('old-tls'), {
            minVersion: 'TLSv1',
            maxVersion: 'TLSv1.1',
            ciphers: 'DEFAULT:@SECLEVEL=0',
          }),
        },
      ],
      status: 'fail',
      findings: ['tls-too-old'],
      says: 'TLSv1.1',
    },
    {
      name: 'tls-12',
      bundle,
      endpoints: [{ port: await servers.tls(await leafFor('tls-12'), { maxVersion: 'TLSv1.2' }) }],
      status: 'ok',
      findings: ['tls-1.2-only'],
    },
    {
      name: 'blocks-itself',
      bundle,
      endpoints: [await served('blocks-itself')],
      // In force on a real API server: it must match the writes of this namespace and no request of the spec.
      webhook: {
        rules: [repairRule],
        namespaceSelector: { matchLabels: { 'plants.test/repair': 'true' } },
        objectSelector: { matchLabels: { app: 'blocks-itself' } },
      },
      status: 'warn',
      findings: ['blocks-own-repair'],
      says: `Pods in its own namespace ${NAMESPACE}`,
    },
    {
      name: 'two-managers',
      bundle,
      endpoints: [await served('two-managers')],
      annotations: INJECTED,
      manager: 'helm',
      status: 'warn',
      findings: ['two-managers'],
      says: 'asks cert-manager for it, but helm wrote it last',
    },
    {
      name: 'applied-again',
      bundle,
      endpoints: [await served('applied-again')],
      annotations: {
        'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify({
          webhooks: [{ clientConfig: { caBundle: 'Cg==' } }],
        }),
      },
      status: 'warn',
      findings: ['two-managers'],
      says: 'the last kubectl apply wrote an empty placeholder',
    },
    {
      name: 'mounts-what-it-serves',
      bundle,
      endpoints: [{ port: await servers.tls(mounted), secret: 'mounted' }],
      secrets: { mounted: mounted.pem },
      status: 'ok',
      findings: [],
    },
    {
      name: 'stale',
      bundle,
      endpoints: [{ port: await servers.tls(stale), secret: 'renewed' }],
      secrets: { renewed: renewed.pem },
      status: 'ok',
      findings: [],
      withSecrets: ['secret-differs'],
    },
    {
      name: 'unverified-api',
      kind: 'apiservice',
      bundle: null,
      skipsVerification: true,
      endpoints: [await served('unverified-api')],
      status: 'warn',
      findings: ['verification-skipped'],
    },
  ];
};

/** The same servers as Go has them. */
const goPlantsOf = async (servers: PlantedServers, program: string): Promise<readonly Plant[]> => {
  const ca = await makeCa();
  const plant = async (mode: string, expected: Pick<Plant, 'status' | 'findings'>): Promise<Plant> => {
    const name = `go-${mode}`;
    const port = await servers.go(program, mode, await makeLeaf({ ca, names: [serviceName(name)] }));
    return { name, bundle: ca.pem, endpoints: [{ port }], ...expected };
  };
  const healthy = { status: 'ok', findings: [] } as const;
  return Promise.all([
    plant('tls', healthy),
    plant('mtls', healthy),
    plant('mtls12', { status: 'ok', findings: ['tls-1.2-only'] }),
    plant('tls12', { status: 'ok', findings: ['tls-1.2-only'] }),
    plant('tls11', { status: 'fail', findings: ['tls-too-old'] }),
    plant('http', { status: 'fail', findings: ['plain-http'] }),
  ]);
};

describe('check --cluster names what is wrong with each webhook, and nothing else', function () {
  this.timeout(120_000);
  const opened = new AsyncDisposableStack();
  let api: ApiUnderTest;
  let plants: readonly Plant[];
  let report: ClusterReport;
  /** As whoever the rules allow, or as the administrator. */
  let surveyAs: (rules: readonly ClusterRule[] | null, secrets: boolean) => Promise<ClusterReport>;
  const go = goBinary();

  before(async () => {
    api = opened.use(await startApiUnderTest());
    const servers = opened.use(plantServers());
    const folder = opened.use(await temporaryDirectory());
    const fromGo = go === null ? [] : await goPlantsOf(servers, await buildGoServer(go, folder.path));
    plants = [...(await plantsOf(servers)), ...fromGo];
    await api.createNamespace(NAMESPACE);
    const labels = { 'plants.test/repair': 'true', spares: 'true' };
    await api.admin.patch('merge', `/api/v1/namespaces/${NAMESPACE}`, { metadata: { labels } });
    await plantAll(api, plants);
    let user = 0;
    surveyAs = async (rules, secrets) => {
      user += 1;
      const granted = (rules ?? []).map(({ group, ...rule }) => ({ apiGroups: [group], ...rule }));
      const kubeconfig =
        rules === null ? api.adminKubeconfig() : await api.userWithRules(`cluster-checker-${user}`, granted);
      await using client = await openKubeClient({
        kubeconfig: await folder.write(`kubeconfig-${user}`, kubeconfig),
        userAgent: 'cluster-check-spec',
      });
      const survey = await surveyCluster({ client, reach: onLoopback, namespace: null, secrets });
      return reportCluster(survey, { warnBeforeMs: 30 * DAY_MS });
    };
    report = await surveyAs(null, false);
  });
  after(() => opened.disposeAsync());

  const reported = (plant: Plant, by = report): ReportedHook => {
    const found = by.hooks.find(({ hook }) => hook.id === idOf(plant));
    if (found === undefined) throw new Error(`the report lacks ${idOf(plant)}`);
    return found;
  };
  const named = (name: string): Plant => plants.find((plant) => plant.name === name)!;

  it('finds exactly what was planted, and nothing at the healthy ones', () => {
    const found = plants.map((plant) => [
      plant.name,
      reported(plant).status,
      reported(plant).findings.map(({ id }) => id),
    ]);
    const expected = plants.map(({ name, status, findings }) => [name, status, findings]);
    expect(found).to.deep.equal(expected);
  });

  it('says what it found in words that name the Pod, the name and the cause', () => {
    for (const plant of plants.filter(({ says }) => says !== undefined)) {
      const [first] = reported(plant).findings;
      if (typeof plant.says === 'string') expect(first?.detail, plant.name).to.contain(plant.says);
      else expect(first?.detail, plant.name).to.match(plant.says!);
    }
  });

  it('finds with --secrets which Pod serves another certificate than it mounts', async () => {
    const withSecrets = await surveyAs(clusterRules({ portForward: false, secrets: true }), true);
    const found = plants.map((plant) => [plant.name, reported(plant, withSecrets).findings.map(({ id }) => id)]);
    expect(found).to.deep.equal(plants.map(({ name, findings, withSecrets: ids = findings }) => [name, ids]));
    const [first] = reported(named('stale'), withSecrets).findings;
    expect(first?.detail).to.match(/^Pod stale-0 serves [0-9a-f]{12}, Secret renewed holds [0-9a-f]{12}/);
    expect(first?.remedy).to.equal(`kubectl delete pod -n ${NAMESPACE} stale-0`);
  });

  it('finds the same with no more than the permissions that --rbac prints', async () => {
    const { hooks, unreadable } = await surveyAs(clusterRules({ portForward: false, secrets: false }), false);
    expect(unreadable).to.deep.equal([]);
    const found = (each: readonly ReportedHook[]) =>
      each.map(({ hook, findings }) => [hook.id, findings.map(({ id }) => id)]);
    expect(found(hooks)).to.deep.equal(found(report.hooks));
  });

  it('says what it may not read, and does not take it for sound', async () => {
    const all = clusterRules({ portForward: false, secrets: false });
    const limited = await surveyAs(
      all.filter(
        ({ resources }) => !['endpointslices', 'customresourcedefinitions'].some((each) => resources.includes(each)),
      ),
      false,
    );
    expect(limited.unreadable.map(({ path }) => path)).to.deep.equal([
      '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
    ]);
    expect(isSound(limited)).to.equal(false);
    const { status, findings } = reported(named('healthy'), limited);
    expect({ status, ids: findings.map(({ id }) => id) }).to.deep.equal({ status: 'unknown', ids: ['not-inspected'] });
    expect(findings[0]?.detail).to.contain('endpointslices');
  });

  it('gives each finding a page, and each failure a command', () => {
    const found = plants.flatMap((plant) => reported(plant).findings.map((each) => ({ plant: plant.name, ...each })));
    for (const { plant, page, severity, remedy, id } of found) {
      expect(page, plant).to.not.equal('');
      if (severity !== 'note') expect(remedy, `${plant}: ${id}`).to.match(/^(?:kubectl|cmctl|helm|webhook-certd) /);
    }
  });

  it('knows when each of them fails', () => {
    for (const plant of plants.filter(({ failsInDays }) => failsInDays !== undefined)) {
      const { failsAtMs } = reported(plant);
      expect(((failsAtMs ?? 0) - report.nowMs) / DAY_MS, plant.name).to.be.closeTo(plant.failsInDays!, 0.1);
    }
  });

  it('sorts by what fails first', () => {
    const order = report.hooks.map(({ status, failsAtMs }) => (status === 'fail' ? 0 : (failsAtMs ?? Infinity)));
    expect(order).to.deep.equal(order.toSorted((left, right) => left - right));
  });

  it('names the issuer as far as it can be told', () => {
    expect(reported(named('healthy')).issuer).to.include({ name: 'cert-manager' });
    expect(reported(named('healthy-mutating')).issuer).to.include({
      name: 'operator',
      toldFrom: 'field manager operator',
    });
  });

  it('prints one line a webhook, the details, a calendar, and what is out of reach', () => {
    const text = clusterText(report, false);
    for (const plant of plants) expect(text).to.match(new RegExp(`^[✘⚠✔?] .*${idOf(plant)}`, 'm'));
    expect(text).to.contain('\ncalendar\n').and.to.contain('.static.k8s.io');
    expect(text.split('\n').at(-1)).to.match(/^✘ \d+ webhooks: \d+ failing/);
  });

  it('prints the same as JSON', () => {
    const json = JSON.parse(clusterJson(report)) as { readonly webhooks: readonly { readonly id: string }[] };
    expect(json.webhooks.map(({ id }) => id)).to.deep.equal(report.hooks.map(({ hook }) => hook.id));
  });
});
