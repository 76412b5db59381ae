import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { startKubelet } from '../../src/dev-cluster/kubelet.ts';
import type { Rule } from '../../src/dev-cluster/users.ts';
import { pki } from '../support/pki.ts';
import { until, waitLimit } from '../support/until.ts';
import { describeOnRealServer, pasted } from './pasted.ts';
import { rollOut } from './roll-out.ts';
import { layOut, type Scene, type SceneOptions, withoutElection } from './scene.ts';
import { CERT_DIR } from './scene-objects.ts';

const DAY_MS = 86_400_000;

const without = (resource: string, verb: string) => (granted: readonly Rule[]) =>
  granted
    .map((rule) =>
      rule.resources[0] === resource ? { ...rule, verbs: rule.verbs.filter((each) => each !== verb) } : rule,
    )
    .filter(({ verbs }) => verbs.length > 0);

describeOnRealServer('a mend of check, pasted', 120_000, (api) => {
  /** The check with this name fails or warns; its remedy is pasted; then it is good. */
  const mended = async (scene: Scene, name: string) => {
    const { remedy, status } = (await scene.check()).named(name);
    expect(status, name).to.be.oneOf(['fail', 'warn']);
    await pasted(api(), scene, remedy);
    // The API server's authorizer hears of roles a moment later.
    await until(async () => (await scene.check()).named(name).status === 'ok', 40_000);
  };

  const good = async (scene: Scene, withinMs = 30_000): Promise<void> => {
    const endMs = performance.now() + waitLimit(withinMs);
    for (;;) {
      const { code, checks } = await scene.check();
      const bad = checks.filter(({ status }) => status === 'fail' || status === 'warn');
      if (bad.length > 0 && performance.now() < endMs) continue;
      expect(bad).to.deep.equal([]);
      expect(code).to.equal(0);
      return;
    }
  };

  it('1: grants the verb', async () => {
    await using scene = await layOut(api(), { rules: without('leases', 'watch') });
    await mended(scene, 'may get, list, watch, patch leases');
    await good(scene);
  });

  it('1: grants a verb at the cluster scope, and one on a subresource', async () => {
    await using scene = await layOut(api(), {
      rules: (granted) => without('validatingwebhookconfigurations', 'patch')(without('pods/status', 'patch')(granted)),
    });
    await mended(scene, 'may get, list, watch, patch validatingwebhookconfigurations');
    await mended(scene, 'may patch pods/status');
    await good(scene);
  });

  it("1: from a desk, asks about the replicas' account and grants it what it lacks", async () => {
    const template = (standard: object) =>
      JSON.parse(
        JSON.stringify(standard).replace('"containers"', '"serviceAccountName":"webhook","containers"'),
      ) as never;
    await using scene = await layOut(api(), { template });
    await writeFile(scene.kubeconfig, api().adminKubeconfig());
    const lacking = (await scene.check()).checks.filter(
      ({ category, status }) => category === 'permissions' && status !== 'ok',
    );
    expect(lacking.length).to.be.above(6);
    expect(lacking[0]!.detail).to.match(new RegExp(`^ServiceAccount ${scene.namespace}/webhook may not get, list`));
    for (const { remedy } of lacking) await pasted(api(), scene, remedy);
    await good(scene);
  });

  for (const [what, alter] of Object.entries({
    '2: mounts the directory in the place of a subPath': (text: string) =>
      text.replace(`"mountPath":"${CERT_DIR}"`, `"mountPath":"${CERT_DIR}/tls.crt","subPath":"tls.crt"`),
    '2: mounts the directory without its subPath': (text: string) =>
      text.replace(`"mountPath":"${CERT_DIR}"`, `"mountPath":"${CERT_DIR}","subPath":"tls"`),
    '12: mounts what is not mounted': (text: string) =>
      text.replace(/"(volumeMounts|volumes)":\[.*?\],?(?=[}"])/g, '').replaceAll(',}', '}'),
  }))
    it(what, async () => {
      const template = (standard: object) => JSON.parse(alter(JSON.stringify(standard))) as never;
      await using scene = await layOut(api(), { template });
      const { remedy, status } = (await scene.check()).named('replica webhook-');
      expect(status).to.equal('fail');
      await pasted(api(), scene, remedy);
      await using rolledOut = await rollOut(api(), scene, false);
      expect((await scene.check()).named(`replica ${rolledOut.podName} mounts`).status).to.equal('ok');
    });

  it('3: issues the right names by hand with an external issuer', async () => {
    await using scene = await layOut(api(), {
      env: { CERT_ISSUER: 'external' },
      leaf: { names: ['other.ns.svc'] },
      isLed: false,
      holder: '',
    });
    await mended(scene, 'certificate carries the names of the Service');
    await using rolledOut = await rollOut(api(), scene, true);
    expect(rolledOut.podName).to.be.a('string');
    await good(scene);
  });

  it('4: puts our CA in the place of a foreign one, under our name', async () => {
    await using scene = await layOut(api());
    const [target] = scene.paths.targets;
    const value = Buffer.from((await pki.authority()).certificatePem).toString('base64');
    const operation = { op: 'replace', path: '/webhooks/0/clientConfig/caBundle', value };
    await api().admin.patch('json', `${target!.path}?fieldManager=helm`, [operation]);
    await mended(scene, `${target!.id} trusts the serving certificate`);
    await good(scene);
  });

  it('4: takes the field away from another manager that wrote the same', async () => {
    await using scene = await layOut(api());
    const [target] = scene.paths.targets;
    const { webhooks } = JSON.parse((await api().admin.get(target!.path)).text) as { readonly webhooks: never };
    await api().admin.delete(target!.path);
    const [collection, name] = [target!.collection, target!.name];
    await api().admin.post(`${collection}?fieldManager=helm`, { metadata: { name }, webhooks });
    await mended(scene, `no other field manager writes caBundle of ${target!.id}`);
    await good(scene);
  });

  const leaderless: Readonly<Record<string, readonly [string, SceneOptions]>> = {
    '5: shows the log of replicas that let their Lease go stale': ['Lease is renewed', {}],
    '6: shows the log of replicas that let their certificate expire': [
      'certificate is valid',
      { leaf: { nowMs: Date.now() - 3 * DAY_MS, validityMs: DAY_MS } },
    ],
    '7: shows the log of replicas that let a pair stand whose key does not fit': [
      "Secret's key matches",
      { broken: async (pair) => ({ ...pair, key: (await pki.pair()).key }) },
    ],
    '9: shows the log of replicas of which none leads': ['Lease is held', { holder: '' }],
    '9: gets a leader where no replica may lead': [
      'Lease is held',
      {
        holder: '',
        template: withoutElection,
      },
    ],
  };
  for (const [what, [name, options]] of Object.entries(leaderless))
    it(what, async () => {
      await using scene = await layOut(api(), { ...options, isLed: false });
      const { remedy, status } = (await scene.check()).named(name);
      expect(status).to.equal('fail');
      if (options.template === undefined) {
        expect(remedy).to.match(/^kubectl logs /);
        return;
      }
      expect(remedy).to.match(/^kubectl set env deployment\/webhook/);
      await pasted(api(), scene, remedy);
      await using rolledOut = await rollOut(api(), scene, true);
      expect(rolledOut.podName).to.be.a('string');
      await good(scene);
    });

  it('8: lets the leader issue a Secret that is missing', async () => {
    const rules = (granted: readonly Rule[]) =>
      granted.filter(({ resources, verbs }) => resources[0] !== 'secrets' || !verbs.includes('create'));
    await using scene = await layOut(api(), { isLed: false, holder: '', rules });
    await api().admin.delete(scene.paths.secret.path);
    await using rolledOut = await rollOut(api(), scene, true);
    expect(rolledOut.podName).to.be.a('string');
    await until(async () => (await scene.check()).named('Lease is renewed').status === 'ok', 30_000);
    await mended(scene, 'Secret exists');
    await good(scene);
  });

  it('8: asks a living leader for another leaf', async () => {
    await using scene = await layOut(api(), { isLed: false, holder: '' });
    await using rolledOut = await rollOut(api(), scene, true);
    expect(rolledOut.podName).to.be.a('string');
    await good(scene);
    const before = (await scene.check()).named('Lease announces').detail;
    const remedy = `kubectl annotate --overwrite lease ${scene.paths.lease.name} -n ${scene.namespace} kubetemplater.io/rotate=leaf`;
    await pasted(api(), scene, remedy);
    await until(async () => (await scene.check()).named('Lease announces').detail !== before);
    await good(scene);
  });

  it('11: keeps the webhook away from what repairs it', async () => {
    await using scene = await layOut(api());
    const rules = [
      { apiGroups: [''], apiVersions: ['v1'], operations: ['UPDATE'], resources: ['secrets', 'pods/status'] },
    ];
    const [target] = scene.paths.targets;
    const operation = { op: 'replace', path: '/webhooks/0/rules', value: rules };
    await api().admin.patch('json', `${target!.path}?fieldManager=webhook-certd`, [operation]);
    await writeFile(scene.kubeconfig, api().adminKubeconfig());
    await mended(scene, `${target!.id} cannot block its own repair`);
    await good(scene);
  });

  it('11: confines a webhook that stops the API server from answering who may do what', async () => {
    await using scene = await layOut(api());
    const rules = [{ apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*'] }];
    const [target] = scene.paths.targets;
    const operation = { op: 'replace', path: '/webhooks/0/rules', value: rules };
    await api().admin.patch('json', `${target!.path}?fieldManager=webhook-certd`, [operation]);
    await until(async () => (await scene.check()).checks.some(({ name }) => name === 'permissions can be reviewed'));
    await pasted(api(), scene, (await scene.check()).named('permissions can be reviewed').remedy);
    await until(async () =>
      (await scene.check()).checks.every(({ category, status }) => category !== 'permissions' || status === 'ok'),
    );
  });

  for (const which of ['secret', 'ca'] as const)
    it(`recreates an immutable ${which === 'ca' ? 'SECRET_NAME-ca' : 'Secret'} with the same data`, async () => {
      await using scene = await layOut(api());
      const { path, name } = scene.paths[which];
      const data = (await api().admin.get(path)).at('data');
      await api().admin.patch('merge', path, { immutable: true });
      const { remedy } = (await scene.check()).named(`Secret ${name} can be changed`);
      await pasted(api(), scene, remedy);
      expect((await api().admin.get(path)).at('data')).to.deep.equal(data);
      await good(scene);
    });

  it('sets aside a SECRET_NAME-ca of another program', async () => {
    await using scene = await layOut(api());
    const { path, collection, name } = scene.paths.ca;
    await api().admin.delete(path);
    await api().admin.post(collection, { metadata: { name }, data: { 'tls.crt': 'YQ==' } });
    await pasted(api(), scene, (await scene.check()).named('CA is usable').remedy);
    expect((await scene.check()).named('CA exists').detail).to.match(/^there is no Secret/);
  });

  it('nudges the kubelet that has not delivered', async () => {
    await using scene = await layOut(api());
    const { namespace, podName, paths, folder } = scene;
    const directory = join(folder, 'volume');
    const secretName = paths.secret.name;
    const slow = { server: api(), namespace, podName, secretName, directory, delayMs: Infinity };
    await using kubelet = await startKubelet(slow);
    const next = await pki.pair();
    const value = next.certificate.toString('base64');
    await api().admin.patch('merge', paths.secret.path, { data: { 'tls.crt': value } });
    const annotations = { 'kubetemplater.io/cert-hash': next.hash };
    await api().admin.patch('merge', paths.lease.path, { metadata: { annotations } });
    const own = { CERT_DIR: directory, POD_NAME: podName };
    const here = async () => (await scene.check(own)).named('local CERT_DIR is the mounted Secret');
    const { status, remedy } = await here();
    expect(status).to.equal('warn');
    await pasted(api(), scene, remedy);
    await until(async () => (await here()).status === 'ok');
    expect(kubelet.deliveries).to.equal(2);
  });

  it('opens a NetworkPolicy that shuts the replicas in', async () => {
    await using scene = await layOut(api());
    const spec = { podSelector: {}, policyTypes: ['Ingress', 'Egress'] };
    const path = `/apis/networking.k8s.io/v1/namespaces/${scene.namespace}/networkpolicies`;
    await api().admin.post(path, { metadata: { name: 'deny-all' }, spec });
    await writeFile(scene.kubeconfig, api().adminKubeconfig());
    await mended(scene, 'replicas may reach the API server');
    await mended(scene, 'the API server may reach the replicas');
    await good(scene);
  });
});
