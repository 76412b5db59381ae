import { expect } from 'chai';
import { type ApiUnderTest, startApiUnderTest } from '../support/api-under-test.ts';
import type { Json } from '../support/raw-api.ts';
import { layOut, type Scene, type SceneOptions } from './scene.ts';

type Container = Readonly<Record<string, Json>>;

interface Template {
  readonly spec: { readonly containers: readonly Container[] };
}

/** The template of the scene whose only container is like this. */
const containing =
  (container: Container) =>
  (standard: object): Json => {
    const template = standard as unknown as Template;
    const containers = template.spec.containers.map((each) => ({ ...each, ...container }));
    return { ...template, spec: { ...template.spec, containers } };
  };

const variables = (env: Readonly<Record<string, string>>): Json =>
  Object.entries(env).map(([name, value]) => ({ name, value }));

/** An installation under names of its own, which its Pods alone say. */
const NAMED = {
  LEASE_NAME: 'orders',
  SECRET_NAME: 'orders-cert',
  SERVICE_NAME: 'orders',
  ANNOTATION_PREFIX: 'kubetemplater.io',
  WEBHOOK_BIND_ADDRESS: ':8443',
} as const;

describe('check finds the installation by its Pods', function () {
  this.timeout(60_000);
  let api: ApiUnderTest;
  before(async () => {
    api = await startApiUnderTest();
  });
  after(() => api[Symbol.asyncDispose]());

  /** With Pods that say everything, the flags and variables of `by` included. */
  const named = (container: (env: Readonly<Record<string, string>>) => Container, more: SceneOptions = {}) => {
    const template = (standard: object, env: Readonly<Record<string, string>>): Json =>
      containing(container(Object.fromEntries(Object.entries(env).filter(([name]) => name !== 'KUBECONFIG'))))(
        standard,
      );
    return layOut(api, { env: NAMED, template, ...more });
  };

  /** Names that the check was not told are the defaults. */
  const UNTOLD: Readonly<Record<string, string>> = Object.fromEntries(Object.keys(NAMED).map((name) => [name, '']));

  const bad = (run: Awaited<ReturnType<Scene['check']>>): readonly string[] =>
    run.checks
      .filter(({ status }) => status === 'fail' || status === 'warn')
      .map(({ name, detail }) => `${name}: ${detail}`);

  const ways: Readonly<Record<string, (env: Readonly<Record<string, string>>) => Container>> = {
    variables: (env) => ({ image: 'registry/webhook-certd:0.1.0', env: variables(env) }),
    'flags in args': (env) => ({
      image: 'webhook-certd',
      args: [
        'serve',
        ...Object.entries(env).map(([name, value]) => `--${name.toLowerCase().replaceAll('_', '-')}=${value}`),
      ],
    }),
    'flags behind a command': (env) => ({
      image: 'registry/of/somebody:1',
      command: ['node', '--disable-sigusr1', '/app/start.cjs', '--lease-name', env['LEASE_NAME'] ?? ''],
      args: ['--secret-name', env['SECRET_NAME'] ?? ''],
      env: variables({ ...env, LEASE_NAME: 'covered-by-the-flag', SECRET_NAME: 'this-one-too' }),
    }),
    'variables of other variables': (env) => ({
      image: 'webhook-certd',
      env: variables({
        BASE: 'orders',
        ...env,
        LEASE_NAME: '$(BASE)',
        SECRET_NAME: '$(BASE)-cert',
        SERVICE_NAME: '$(LEASE_NAME)',
      }),
    }),
  };
  for (const [way, container] of Object.entries(ways))
    it(`reads names and ports from ${way}, and finds nothing wrong`, async () => {
      await using scene = await named(container);
      const run = await scene.check(UNTOLD);
      expect(bad(run)).to.deep.equal([]);
      expect(run.code).to.equal(0);
      expect(run.named('configuration is complete').detail)
        .to.include('Lease orders, Secret orders-cert, Service orders')
        .and.to.include(`as Pod ${scene.podName} says`);
    });

  it('reads variables from a ConfigMap, and says which one comes from a Secret', async () => {
    await using scene = await named(
      (env) => ({
        image: 'webhook-certd',
        envFrom: [{ configMapRef: { name: 'settings' } }],
        env: [
          { name: 'SERVICE_NAME', valueFrom: { secretKeyRef: { name: 'hidden', key: 'service' } } },
          { name: 'LEASE_NAME', valueFrom: { configMapKeyRef: { name: 'settings', key: 'lease' } } },
          ...(variables(
            Object.fromEntries(Object.entries(env).filter(([name]) => !/^(LEASE|SECRET|SERVICE)_NAME$/.test(name))),
          ) as readonly Json[]),
        ],
      }),
      { rules: (granted) => [...granted, { apiGroups: [''], resources: ['configmaps'], verbs: ['get'] }] },
    );
    const path = `/api/v1/namespaces/${scene.namespace}/configmaps`;
    const created = await api.admin.post(path, {
      metadata: { name: 'settings' },
      data: { SECRET_NAME: 'orders-cert', lease: 'orders' },
    });
    const run = await scene.check({ ...UNTOLD, SERVICE_NAME: 'orders' });
    // The embedded API server has no ConfigMaps: what they hold is then unknown, and said to be.
    const isKnown = created.status < 300;
    expect(run.named('SERVICE_NAME of the replicas is known')).to.include({
      status: 'skipped',
      detail: 'Secret hidden has it, which is not read',
    });
    if (isKnown) expect(bad(run)).to.deep.equal([]);
    else
      expect(run.named('LEASE_NAME of the replicas is known').detail).to.equal(
        'ConfigMap settings has it, which is not read',
      );
  });

  it('says what the Pods say where it was told something else, and goes by the Pods', async () => {
    await using scene = await named(ways['variables']!);
    const wrong = {
      LEASE_NAME: 'other',
      SECRET_NAME: 'other-cert',
      SERVICE_NAME: 'other',
      WEBHOOK_BIND_ADDRESS: ':9999',
    };
    const run = await scene.check(wrong);
    expect(run.code).to.equal(0);
    expect(bad(run)).to.deep.equal(
      [
        ['LEASE_NAME', 'orders', 'other'],
        ['SECRET_NAME', 'orders-cert', 'other-cert'],
        ['SERVICE_NAME', 'orders', 'other'],
        ['WEBHOOK_BIND_ADDRESS', ':8443', ':9999'],
      ].map(
        ([name, pods, told]) =>
          `${name} is that of the replicas: your Pods say ${name}=${pods}, and this command was told ${told}: it goes by the Pods`,
      ),
    );
  });

  it('goes by what it was told where a Pod of another program says nothing', async () => {
    await using scene = await named(() => ({ image: 'registry/embedding:1', env: variables({ LOG_LEVEL: 'debug' }) }));
    const run = await scene.check();
    expect(bad(run)).to.deep.equal([]);
    expect(run.named('configuration is complete').detail).to.match(/Service orders, 1 caBundle target$/);
  });

  it('finds the only installation of a namespace under any label, and names its POD_SELECTOR', async () => {
    await using scene = await named((env) => ({
      image: 'webhook-certd',
      env: variables(env),
    }));
    const run = await scene.check({ ...UNTOLD, POD_SELECTOR: 'app=none' });
    expect(bad(run)).to.deep.equal([
      'POD_SELECTOR is that of the replicas: your Pods say POD_SELECTOR=app.kubernetes.io/name=kubetemplater, and this command was told app=none: it goes by the Pods',
    ]);
  });

  it('says that the POD_SELECTOR of the replicas does not match them', async () => {
    await using scene = await named((env) => ({
      image: 'webhook-certd',
      env: variables({ ...env, POD_SELECTOR: 'app=none' }),
    }));
    const { named: result } = await scene.check(UNTOLD);
    expect(result('POD_SELECTOR matches the replicas')).to.include({ status: 'fail' });
    expect(result('POD_SELECTOR matches the replicas').detail).to.include('its acknowledgements do not count');
  });

  it('lists the installations of a namespace where none was selected and there are two', async () => {
    await using scene = await named(ways['variables']!);
    const pod = {
      metadata: { name: 'second', labels: { app: 'second' } },
      spec: { containers: [{ name: 'webhook', image: 'webhook-certd', env: variables({ LEASE_NAME: 'second' }) }] },
    };
    expect((await api.admin.post(scene.paths.pods, pod)).status).to.be.below(300);
    const { named: result } = await scene.check({ ...UNTOLD, POD_SELECTOR: 'app=none' });
    const { status, detail } = result('one installation is meant');
    expect(status).to.equal('fail');
    expect(detail).to.match(
      /orders \(POD_SELECTOR=.*second \(POD_SELECTOR=|second \(POD_SELECTOR=.*orders \(POD_SELECTOR=/,
    );
  });

  it('names the problems of a Pod whose settings are bad', async () => {
    await using scene = await named((env) => ({
      image: 'webhook-certd',
      env: variables({ ...env, LEASE_DURATION: 'soon' }),
    }));
    const { named: result } = await scene.check();
    expect(result(`replica ${scene.podName} can read its settings`)).to.include({ status: 'fail' });
    expect(result(`replica ${scene.podName} can read its settings`).detail).to.match(
      /^LEASE_DURATION="soon": expected/,
    );
  });
});
