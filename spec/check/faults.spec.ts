import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Rule } from '../../src/dev-cluster/users.ts';
import { type ApiUnderTest, startApiUnderTest } from '../support/api-under-test.ts';
import { pki } from '../support/pki.ts';
import { layOut, type Scene } from './scene.ts';
import { CERT_DIR } from './scene-objects.ts';
import { startSkewedServer } from './skewed-server.ts';

const DAY_MS = 86_400_000;

/** The one webhook of the scene, with these fields on top. */
const reconfigure = async (api: ApiUnderTest, { paths }: Scene, fields: object): Promise<void> => {
  const [target] = paths.targets;
  const webhooks = (await api.admin.get(target!.path)).at('webhooks') as readonly object[];
  const answer = await api.admin.patch('merge', `${target!.path}?fieldManager=webhook-certd`, {
    webhooks: [{ ...webhooks[0], ...fields }] as never,
  });
  expect(answer.status, answer.text).to.equal(200);
};

describe('what check says', function () {
  this.timeout(60_000);
  let api: ApiUnderTest;
  before(async () => {
    api = await startApiUnderTest();
  });
  after(() => api[Symbol.asyncDispose]());

  it('finds nothing wrong with an installation that works, and ends with 0', async () => {
    await using scene = await layOut(api);
    const { code, checks } = await scene.check();
    expect(checks.filter(({ status }) => status === 'fail' || status === 'warn')).to.deep.equal([]);
    expect(code).to.equal(0);
    expect(checks.filter(({ status }) => status === 'ok').length).to.be.above(25);
  });

  it('1: names the verb that RBAC withholds and the account it withholds it from', async () => {
    const rules = (granted: readonly Rule[]) =>
      granted.map((rule) =>
        rule.resources[0] === 'leases' ? { ...rule, verbs: rule.verbs.filter((verb) => verb !== 'watch') } : rule,
      );
    await using scene = await layOut(api, { rules });
    const { code, named } = await scene.check();
    const { status, detail, remedy } = named('may get, list, watch, patch leases');
    expect(status).to.equal('fail');
    expect(detail).to.match(/^ServiceAccount default\/checker-\w+ may not watch leases "8377a775\.my\.company\.com"/);
    expect(remedy).to.match(
      new RegExp(
        `^kubectl create role (webhook-certd-watch-leases-default-checker-\\w+) -n ${scene.namespace} --verb=watch ` +
          '--resource=leases.coordination.k8s.io --resource-name=8377a775.my.company.com && ' +
          `kubectl create rolebinding \\1 -n ${scene.namespace} ` +
          '--role=\\1 --serviceaccount=default:checker-\\w+$',
      ),
    );
    expect(named('Lease can be watched').status).to.equal('fail');
    expect(code).to.equal(1);
  });

  it('1b: only warns of a permission that replicas can do without', async () => {
    const rules = (granted: readonly Rule[]) => granted.filter(({ resources }) => resources[0] !== 'pods/status');
    await using scene = await layOut(api, { rules });
    const { code, named } = await scene.check();
    expect(named('may patch pods/status').status).to.equal('warn');
    expect(code).to.equal(0);
  });

  it('2: sees a subPath mount, and patches the directory in its place', async () => {
    const path = `${CERT_DIR}/tls.crt`;
    const template = (standard: object) =>
      JSON.parse(
        JSON.stringify(standard).replace(`"mountPath":"${CERT_DIR}"`, `"mountPath":"${path}","subPath":"tls.crt"`),
      ) as never;
    await using scene = await layOut(api, { template });
    const { status, detail, remedy } = (await scene.check()).named('replica webhook-abc');
    expect([status, detail]).to.deep.equal(['fail', `${path} is mounted with subPath, which kubelets never update`]);
    expect(remedy).to.include(`kubectl patch deployment/webhook -n ${scene.namespace} -p '{"spec":`);
    expect(remedy).to.include(`{"mountPath":"${path}","$patch":"delete"},{"mountPath":"${CERT_DIR}"`);
  });

  it('3: sees that the certificate lacks the names of the Service', async () => {
    await using scene = await layOut(api, { leaf: { names: ['other.ns.svc'] } });
    const { named } = await scene.check();
    const { status, detail, remedy } = named('certificate carries the names of the Service');
    expect([status, detail.split(',')[0]]).to.deep.equal(['fail', 'it lacks kubetemplater-webhook-service']);
    expect(remedy).to.equal(
      `kubectl annotate --overwrite lease 8377a775.my.company.com -n ${scene.namespace} kubetemplater.io/rotate=leaf`,
    );
  });

  it('3b: sees that a target calls only another Service, and does not add its name to the certificate', async () => {
    await using scene = await layOut(api);
    const service = { name: 'renamed', namespace: scene.namespace };
    await reconfigure(api, scene, {
      clientConfig: { service, caBundle: Buffer.from(scene.pair.trust).toString('base64') },
    });
    const { checks, named } = await scene.check();
    const { status, detail } = named(`${scene.paths.targets[0]!.id} calls the Service of this installation`);
    expect(status).to.equal('fail');
    expect(detail).to.include(`it calls renamed.${scene.namespace}.svc only`);
    expect(checks.filter(({ remedy }) => remedy?.includes('EXTRA_DNS_NAMES'))).to.deep.equal([]);
  });

  it('4: sees a caBundle that does not trust what is served, and whose it is', async () => {
    await using scene = await layOut(api);
    const foreign = await pki.authority();
    const [target] = scene.paths.targets;
    const value = Buffer.from(foreign.certificatePem).toString('base64');
    const path = '/webhooks/0/clientConfig/caBundle';
    await api.admin.patch('json', `${target!.path}?fieldManager=helm`, [{ op: 'replace', path, value }]);
    const { named } = await scene.check();
    const trust = named(`${target!.id} trusts the serving certificate`);
    expect(trust.status).to.equal('fail');
    expect(trust.remedy).to.equal(
      `CA=$(kubectl get secret kubetemplater-webhook-cert -n ${scene.namespace} -o jsonpath='{.data.ca\\.crt}') && ` +
        `test -n "$CA" && kubectl patch validatingwebhookconfiguration ${target!.name} --field-manager=webhook-certd --type=json ` +
        `-p '[{"op":"add","path":"${path}","value":"'"$CA"'"}]'`,
    );
    expect(named(`${target!.id} has no unknown CAs`).detail).to.match(/^its caBundle contains CN=spec CA/);
    const rival = named(`no other field manager writes caBundle of ${target!.id}`);
    expect(rival.status).to.equal('warn');
    expect(rival.detail).to.match(/^helm owns/);
  });

  it('5: reports that the Lease is not renewed, without relying on any clock', async () => {
    await using scene = await layOut(api, { isLed: false });
    // As a holder whose clock is a day ahead would have left it.
    const renewTime = new Date(Date.now() + DAY_MS).toISOString().replace('Z', '000Z');
    await api.admin.patch('merge', scene.paths.lease.path, { spec: { renewTime } });
    const { status, detail, remedy } = (await scene.check()).named('Lease is renewed');
    expect(status).to.equal('fail');
    expect(detail).to.match(/^no renewal in 5(\.\d)? s, last at /);
    expect(remedy).to.equal(
      `kubectl logs -n ${scene.namespace} -l app.kubernetes.io/name=kubetemplater --all-containers --prefix --tail=50`,
    );
  });

  it('6: sees an expired certificate', async () => {
    await using scene = await layOut(api, { leaf: { nowMs: Date.now() - 3 * DAY_MS, validityMs: DAY_MS } });
    const { status, detail } = (await scene.check()).named('certificate is valid');
    expect(status).to.equal('fail');
    expect(detail).to.match(/^expired at .*, 2 d ago$|^expired at .*, 47 h ago$/);
  });

  it('6b: warns of a certificate whose renewal is overdue', async () => {
    await using scene = await layOut(api, { leaf: { nowMs: Date.now() - 355 * DAY_MS, validityMs: 365 * DAY_MS } });
    const { code, named } = await scene.check();
    expect(named('certificate is valid').status).to.equal('warn');
    expect(code).to.equal(0);
  });

  it('7: sees a key that belongs to another certificate', async () => {
    await using scene = await layOut(api, {
      broken: async (pair) => ({ ...pair, key: (await pki.pair()).key }),
    });
    const { status, detail } = (await scene.check()).named("Secret's key matches");
    expect([status, detail]).to.deep.equal(['fail', 'tls.key belongs to another certificate']);
  });

  it('8: sees that the Secret is missing, and what keeps the leader from issuing it', async () => {
    const rules = (granted: readonly Rule[]) =>
      granted.filter(({ resources, verbs }) => resources[0] !== 'secrets' || !verbs.includes('create'));
    await using scene = await layOut(api, { rules });
    await api.admin.delete(scene.paths.secret.path);
    const { status, detail, remedy } = (await scene.check()).named('Secret exists');
    expect([status, detail]).to.deep.equal([
      'fail',
      `there is no Secret kubetemplater-webhook-cert in ${scene.namespace}: the leader has not issued it`,
    ]);
    expect(remedy).to.match(/^kubectl create role webhook-certd-create-secrets-default-checker-\w+ /);
  });

  it('9: reports that no replica leads, and that none may', async () => {
    const env = [{ name: 'LEADER_ELECTION', value: 'false' }];
    const template = (standard: object) =>
      JSON.parse(
        JSON.stringify(standard).replace('"name":"webhook"', `"name":"webhook","env":${JSON.stringify(env)}`),
      ) as never;
    await using scene = await layOut(api, { isLed: false, holder: '', template });
    const { status, detail, remedy } = (await scene.check()).named('Lease is held by a replica');
    expect(status).to.equal('fail');
    expect(detail).to.include('every replica has LEADER_ELECTION=false');
    const set = `kubectl set env deployment/webhook -n ${scene.namespace}`;
    expect(remedy).to.equal(`${set} --list | grep -qx LEADER_ELECTION=false && ${set} LEADER_ELECTION=true`);
  });

  it('9b: sees that there has never been a leader', async () => {
    await using scene = await layOut(api, { isLed: false, isDeployed: false });
    await api.admin.delete(scene.paths.lease.path);
    const { named } = await scene.check();
    expect(named('Lease exists').remedy).to.equal(
      `kubectl get deployments,statefulsets,daemonsets,pods -n ${scene.namespace} --show-labels`,
    );
    expect(named('replicas exist').status).to.equal('fail');
  });

  for (const [skewMs, status] of [
    [60_000, 'warn'],
    [-600_000, 'fail'],
  ] as const)
    it(`10: says ${status} of a clock that is ${Math.abs(skewMs) / 1000} s off`, async () => {
      await using scene = await layOut(api);
      await using skewed = await startSkewedServer(api, skewMs);
      const kubeconfig = join(scene.folder, 'skewed');
      await writeFile(kubeconfig, skewed.kubeconfig(api.adminToken));
      const { named } = await scene.check({ KUBECONFIG: kubeconfig });
      const clock = named("this machine's clock is right");
      expect(clock.status).to.equal(status);
      expect(clock.detail).to.match(/^it is (5\d|60|10|9) (s|min) (behind|ahead of) the API server's$/);
      expect(clock.remedy).to.match(/chronyc|timedatectl/);
    });

  const repairs = [
    { apiGroups: ['', 'coordination.k8s.io'], resources: ['pods', 'secrets', 'leases'] },
    { apiGroups: ['*'], resources: ['*'], scope: 'Namespaced' },
  ].map((rule) => ({ ...rule, apiVersions: ['*'], operations: ['*'] }));

  it('11: warns of a webhook that would be asked about what repairs it', async () => {
    await using scene = await layOut(api);
    await reconfigure(api, scene, { rules: repairs });
    const { named } = await scene.check();
    const { status, detail, remedy } = named(`${scene.paths.targets[0]!.id} cannot block its own repair`);
    expect(status).to.equal('warn');
    expect(detail).to.include('Secrets, Leases, Pods of its own namespace');
    expect(remedy).to.include(
      `[{"key":"kubernetes.io/metadata.name","operator":"NotIn","values":["${scene.namespace}"]}]`,
    );
  });

  it('11b: leaves open what hangs on labels of a namespace that it must not read', async () => {
    await using scene = await layOut(api);
    const namespaceSelector = { matchExpressions: [{ key: 'kubetemplater.io/webhook', operator: 'DoesNotExist' }] };
    await reconfigure(api, scene, { rules: repairs, namespaceSelector });
    const name = `${scene.paths.targets[0]!.id} cannot block its own repair`;
    expect((await scene.check()).named(name).status).to.equal('skipped');
    await writeFile(scene.kubeconfig, api.adminKubeconfig());
    expect((await scene.check()).named(name).status).to.equal('warn');
    const metadata = { labels: { 'kubetemplater.io/webhook': 'ignore' } };
    await api.admin.patch('merge', `/api/v1/namespaces/${scene.namespace}`, { metadata });
    expect((await scene.check()).named(name).status).to.equal('ok');
  });

  it('11c: names a change of ANNOTATION_PREFIX on a running installation, and changes it back', async () => {
    const env = [{ name: 'ANNOTATION_PREFIX', value: 'webhook-certd' }];
    const template = (standard: object) =>
      JSON.parse(
        JSON.stringify(standard).replace('"name":"webhook"', `"name":"webhook","env":${JSON.stringify(env)}`),
      ) as never;
    await using scene = await layOut(api, { template });
    const { named } = await scene.check();
    const { status, detail, remedy } = named('Lease announces a certificate');
    expect([status, detail]).to.deep.equal([
      'fail',
      'ANNOTATION_PREFIX is webhook-certd, but the Lease carries an announcement under kubetemplater.io',
    ]);
    expect(remedy).to.equal(
      `kubectl set env deployment/webhook -n ${scene.namespace} ANNOTATION_PREFIX=kubetemplater.io`,
    );
    // Where the Pods say nothing, the check itself is more likely to be wrong.
    await using silent = await layOut(api);
    const told = (await silent.check({ ANNOTATION_PREFIX: 'webhook-certd' })).named('Lease announces a certificate');
    expect(told.remedy).to.match(/^kubectl describe lease /);
  });

  it('12: sees that the Secret is not mounted at all', async () => {
    const template = (standard: object) => {
      const { spec, ...rest } = standard as { readonly spec: { readonly containers: readonly object[] } };
      const containers = spec.containers.map((container) => ({ ...container, volumeMounts: [] }));
      return { ...rest, spec: { containers } } as never;
    };
    await using scene = await layOut(api, { template });
    const { status, detail, remedy } = (await scene.check()).named('replica webhook-abc');
    expect([status, detail]).to.deep.equal(['fail', 'it has no volume of Secret kubetemplater-webhook-cert']);
    expect(remedy).to.include('"volumes":[{"name":"serving-certs","secret":{"secretName":"kubetemplater-webhook-cert"');
  });

  it('sees which replica lags behind, and nudges its kubelet', async () => {
    await using scene = await layOut(api, { leaf: { nowMs: Date.now() - DAY_MS, validityMs: 365 * DAY_MS } });
    const [pod] = (await api.admin.get(scene.paths.pods)).at('items') as readonly { metadata: { name: string } }[];
    const path = `${scene.paths.pods}/${pod!.metadata.name}`;
    const annotations = { 'kubetemplater.io/serving-hash': 'f'.repeat(64) };
    await api.admin.patch('merge', path, { metadata: { annotations } });
    const { status, detail, remedy } = (await scene.check()).named(`replica ${pod!.metadata.name} serves`);
    expect(status).to.equal('fail');
    expect(detail).to.match(
      /^it serves ffffffffffff, announced: \w{12}, and its kubelet should have delivered by now$/,
    );
    expect(remedy).to.include(`kubetemplater.io/expected-hash=${scene.pair.hash}`);
  });

  it('says that the API server does not answer, and leaves the rest unsaid', async () => {
    await using scene = await layOut(api);
    const nowhere = JSON.stringify({ ...(JSON.parse(api.adminKubeconfig()) as object) }).replace(
      api.url,
      'https://127.0.0.1:1',
    );
    await writeFile(scene.kubeconfig, nowhere);
    const { code, checks, named } = await scene.check();
    expect(code).to.equal(1);
    expect(named('API server answers').status).to.equal('fail');
    expect(checks.filter(({ status }) => status === 'fail')).to.have.length(1);
    expect(checks.filter(({ status }) => status === 'skipped')).to.have.length(9);
  });
});
