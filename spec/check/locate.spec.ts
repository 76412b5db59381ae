import { expect } from 'chai';
import { locateInstallation, unlocated } from '../../src/check/locate.ts';
import { configOf } from './snapshot-of.ts';
import { answering, type Answers } from './surveyed.ts';

type Env = Readonly<Record<string, string>>;

const PODS = '/api/v1/namespaces/hooks/pods';
const CONFIG_MAPS = '/api/v1/namespaces/hooks/configmaps';
const SELECTED = `${PODS}?labelSelector=app=web`;

interface GivenPod {
  readonly env?: Env;
  readonly created?: string;
  readonly phase?: string;
  /** Default: of this program, with the POD_SELECTOR of the command. */
  readonly image?: string;
  readonly envFrom?: readonly object[];
}

const podNamed = (name: string, { env = {}, image, ...given }: GivenPod = {}): object => ({
  metadata: { name, namespace: 'hooks', creationTimestamp: given.created ?? '2026-01-01T00:00:00Z' },
  spec: {
    containers: [
      {
        image: image ?? 'webhook-certd',
        env: Object.entries(image === undefined ? { POD_SELECTOR: 'app=web', ...env } : env).map(
          ([variable, value]) => ({
            name: variable,
            value,
          }),
        ),
        envFrom: given.envFrom ?? [],
      },
    ],
  },
  status: { phase: given.phase ?? 'Running' },
});

const items = (...pods: readonly object[]) => ({ items: pods });

/** What a command with these variables locates, and what it asks. It is told the selector `app=web`. */
const locate = async (answers: Answers, env: Env = {}) => {
  const own = configOf({ POD_NAMESPACE: 'hooks', POD_SELECTOR: 'app=web', ...env });
  const { client, asked } = answering(answers);
  return { own, asked, located: await locateInstallation(client, own) };
};

describe('an installation', () => {
  it('has the settings of the Pods that POD_SELECTOR selects', async () => {
    const env = { LEASE_NAME: 'orders', SECRET_NAME: 'orders-cert' };
    const { located, own, asked } = await locate({ [SELECTED]: items(podNamed('web-0', { env })) });
    expect(located.config).to.deep.equal({ ...own, leaseName: 'orders', secretName: 'orders-cert' });
    expect(located.pod?.name).to.equal('web-0');
    expect([...located.byPod]).to.deep.equal([['web-0', located.config]]);
    expect(located).to.deep.include({
      isSelected: true,
      differences: [],
      disagreement: null,
      broken: null,
      candidates: [],
      unread: new Map(),
    });
    expect(asked).to.deep.equal([SELECTED]);
  });

  it('has names that follow from those of its Pods', async () => {
    const { located } = await locate({ [SELECTED]: items(podNamed('web-0', { env: { SERVICE_NAME: 'orders' } })) });
    expect(located.config.serviceNames).to.include('orders.hooks.svc');
  });

  it('keeps what is asked of the command itself', async () => {
    const env = { POD_NAMESPACE: 'other', POD_NAME: 'web-0', LOG_LEVEL: 'debug', LOG_FORMAT: 'json', KUBECONFIG: '/a' };
    const { located, own } = await locate(
      { [SELECTED]: items(podNamed('web-0', { env })) },
      { LOG_LEVEL: 'error', LOG_FORMAT: 'pretty' },
    );
    expect(located.config).to.deep.equal(own);
    expect(located.differences).to.deep.equal([]);
  });

  it('is read at a directory that the command was told, since that is one of its own machine', async () => {
    const answers = { [SELECTED]: items(podNamed('web-0', { env: { CERT_DIR: '/of-the-pod' } })) };
    const told = await locate(answers, { CERT_DIR: '/here' });
    expect(told.located.config.certDir).to.equal('/here');
    expect(told.located.differences).to.deep.equal([]);
    expect((await locate(answers)).located.config.certDir).to.equal('/of-the-pod');
  });

  it('goes by the newest Pod, of those that have not finished', async () => {
    const at = (lease: string, day: number, phase?: string) =>
      podNamed(lease, {
        env: { LEASE_NAME: lease },
        created: `2026-01-0${day}T00:00:00Z`,
        ...(phase ? { phase } : {}),
      });
    const { located } = await locate({
      [SELECTED]: items(
        at('old', 1),
        at('new', 3),
        at('middle', 2),
        at('done', 5, 'Succeeded'),
        at('dead', 6, 'Failed'),
      ),
    });
    expect(located.config.leaseName).to.equal('new');
    expect([...located.byPod].map(([pod, { leaseName }]) => [pod, leaseName])).to.deep.equal([
      ['new', 'new'],
      ['middle', 'middle'],
      ['old', 'old'],
    ]);
  });

  it('is told of where another Pod says something else, with what', async () => {
    const pod = (name: string, day: number, env: Env) => podNamed(name, { env, created: `2026-01-0${day}T00:00:00Z` });
    const { located } = await locate({
      [SELECTED]: items(
        pod('web-2', 3, { TICK_INTERVAL: '10s', LOG_LEVEL: 'debug' }),
        pod('web-1', 2, { TICK_INTERVAL: '10s' }),
        pod('web-0', 1, { TICK_INTERVAL: '20s' }),
      ),
    });
    expect(located.disagreement).to.deep.equal({
      pod: 'web-0',
      differences: [{ field: 'tickMs', own: 10_000, pods: 20_000 }],
    });
  });

  it('does not disagree in what one of its Pods does not decide', async () => {
    const old = podNamed('web-0', {
      env: { TICK_INTERVAL: '20s' },
      image: 'embedding',
      created: '2025-01-01T00:00:00Z',
    });
    const { located } = await locate({
      [SELECTED]: items(podNamed('web-1', { env: { LEASE_NAME: 'orders', TICK_INTERVAL: '20s' } }), old),
    });
    expect(located.disagreement).to.equal(null);
  });

  it('differs from what the command was told, field by field', async () => {
    const env = { LEASE_NAME: 'orders', SERVICE_NAME: 'orders', TICK_INTERVAL: '20s' };
    const { located } = await locate(
      { [SELECTED]: items(podNamed('web-0', { env })) },
      { LEASE_NAME: 'other', SERVICE_NAME: 'orders' },
    );
    expect(located.differences).to.deep.equal([{ field: 'leaseName', own: 'other', pods: 'orders' }]);
    expect(located.config).to.include({ leaseName: 'orders', tickMs: 20_000 });
  });

  it('does not differ in WATCH_STALE_AFTER where that follows LEASE_DURATION', async () => {
    const answers = { [SELECTED]: items(podNamed('web-0')) };
    const fieldsOf = async (env: Env) => (await locate(answers, env)).located.differences.map(({ field }) => field);
    expect(await fieldsOf({ LEASE_DURATION: '90s' })).to.deep.equal(['leaseDurationMs']);
    expect(await fieldsOf({ LEASE_DURATION: '90s', WATCH_STALE_AFTER: '100s' })).to.have.members([
      'leaseDurationMs',
      'watchStaleAfterMs',
    ]);
  });

  it('is selected by the POD_SELECTOR of its own Pods', async () => {
    const pod = podNamed('web-0', { env: { POD_SELECTOR: 'app=orders' } });
    const ofOther = `${PODS}?labelSelector=app=orders`;
    const selected = await locate({ [SELECTED]: items(pod), [ofOther]: items(podNamed('web-1'), pod) });
    expect(selected.located.isSelected).to.equal(true);
    expect(selected.asked).to.deep.equal([SELECTED, ofOther]);
    const strange = await locate({ [SELECTED]: items(pod), [ofOther]: items(podNamed('web-1')) });
    expect(strange.located.isSelected).to.equal(false);
  });

  it('is found among all Pods of the namespace where none is selected, if there is only one', async () => {
    const pods = items(
      podNamed('other', { image: 'another-program', env: {} }),
      podNamed('web-0', { env: { LEASE_NAME: 'orders', POD_SELECTOR: 'app=orders' } }),
      podNamed('web-1', { env: { LEASE_NAME: 'orders', POD_SELECTOR: 'app=orders' } }),
    );
    const { located, asked } = await locate({ [SELECTED]: items(), [PODS]: pods });
    expect(located.config.leaseName).to.equal('orders');
    expect(located.isSelected).to.equal(true);
    expect(asked).to.deep.equal([SELECTED, PODS, `${PODS}?labelSelector=app=orders`]);
  });

  it('is one of several candidates where none is selected, and none is taken', async () => {
    const pods = items(
      podNamed('web-0', { env: { LEASE_NAME: 'orders', POD_SELECTOR: 'app=orders' }, created: '2026-01-02T00:00:00Z' }),
      podNamed('web-1', { env: { LEASE_NAME: 'bills', POD_SELECTOR: 'app=bills' } }),
      podNamed('web-2', { env: { LEASE_NAME: 'bills', POD_SELECTOR: 'app=bills' } }),
    );
    const { located, own } = await locate({ [SELECTED]: items(), [PODS]: pods });
    expect(located).to.deep.equal({
      ...unlocated(own),
      candidates: [
        { lease: 'orders', selector: 'app=orders' },
        { lease: 'bills', selector: 'app=bills' },
      ],
    });
    const chosen = await locate({
      [SELECTED]: items(podNamed('web-1', { env: { LEASE_NAME: 'bills' } })),
      [PODS]: pods,
    });
    expect(chosen.located.config.leaseName).to.equal('bills');
    expect(chosen.located.candidates).to.deep.equal([]);
  });

  it('is not located where no Pod says anything, or Pods cannot be read', async () => {
    for (const answers of [
      {},
      { [PODS]: 403 },
      { [PODS]: 500 },
      { [PODS]: {} },
      { [PODS]: { items: null } },
      { [PODS]: items(podNamed('a', { image: 'another-program' })) },
    ]) {
      const { located, own } = await locate(answers);
      expect(located, JSON.stringify(answers)).to.deep.equal(unlocated(own));
      expect(located).to.deep.equal({
        config: own,
        pod: null,
        isSelected: true,
        byPod: new Map(),
        differences: [],
        disagreement: null,
        unread: new Map(),
        broken: null,
        candidates: [],
      });
    }
  });

  it('names a Pod whose settings are bad, beside one whose are good or without', async () => {
    const broken = podNamed('web-1', { env: { LEASE_DURATION: 'soon' }, created: '2026-01-02T00:00:00Z' });
    const alone = await locate({ [SELECTED]: items(broken) });
    expect(alone.located.broken?.pod).to.equal('web-1');
    expect(alone.located.broken?.problems.join()).to.match(/^LEASE_DURATION="soon": expected /);
    expect({ ...alone.located, broken: null }).to.deep.equal(unlocated(alone.own));
    for (const created of ['2026-01-01T00:00:00Z', '2026-01-03T00:00:00Z']) {
      const good = podNamed('web-0', { env: { LEASE_NAME: 'orders' }, created });
      const { located } = await locate({ [SELECTED]: items(good, broken) });
      expect(located.broken?.pod).to.equal('web-1');
      expect(located.config.leaseName).to.equal('orders');
    }
  });
});

describe('the ConfigMaps of an installation', () => {
  const envFrom = [{ configMapRef: { name: 'orders/settings' } }];
  const path = `${CONFIG_MAPS}/orders%2Fsettings`;

  it('are read once, and hold settings of its Pods', async () => {
    const { located, asked } = await locate({
      [SELECTED]: items(podNamed('web-0', { envFrom }), podNamed('web-1', { envFrom })),
      [path]: { data: { LEASE_NAME: 'orders' } },
    });
    expect(located.config.leaseName).to.equal('orders');
    expect(located.unread.size).to.equal(0);
    expect(new Set(asked)).to.deep.equal(new Set([SELECTED, path]));
  });

  it('hold nothing where they have no data, and what cannot be read is named', async () => {
    const unreadIn = async (answer: unknown) => {
      const { located } = await locate({ [SELECTED]: items(podNamed('web-0', { envFrom })), [path]: answer });
      return located.unread.get('leaseName');
    };
    for (const answer of [{}, { data: null }, { data: {} }]) expect(await unreadIn(answer)).to.equal(undefined);
    for (const answer of [403, 404, { data: 'text' }])
      expect(await unreadIn(answer)).to.equal('ConfigMap orders/settings');
  });
});
