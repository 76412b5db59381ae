import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { load } from 'js-yaml';
import { of, throwError } from 'rxjs';
import { checkComponents } from '../../src/check/check-components.ts';
import { inspectComponents } from '../../src/check/inspect-components.ts';
import { inspectPod } from '../../src/check/inspect-pod.ts';
import { inspectTarget } from '../../src/check/inspect-target.ts';
import type { CheckResult } from '../../src/check/result.ts';
import type { ClusterSnapshot } from '../../src/check/snapshot.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { ApiError } from '../../src/kube/errors.ts';
import type { KubeRequest } from '../../src/kube/request.ts';
import { MANIFESTS } from '../manifests/rendered.ts';
import { configOf, textOf } from './snapshot-of.ts';

/** Lists by the last part of their path, or the status of the answer. */
type Objects = Readonly<Record<string, readonly unknown[] | number>>;

const policyFile = (name: string): unknown => load(readFileSync(join(MANIFESTS, 'components/policy', name), 'utf8'));
const POLICY = policyFile('validatingadmissionpolicy.yaml') as { readonly metadata: { readonly name: string } };
const BINDING = policyFile('validatingadmissionpolicybinding.yaml');
/** Of the account that the policy in the manifests is for. */
const ACCOUNT = /':([a-z-]+)'/.exec(JSON.stringify(POLICY))?.[1] ?? '';
const PREFIX = /'([\w.-]+)\/serving-hash'/.exec(JSON.stringify(POLICY))?.[1] ?? '';

const LABELS = { app: 'orders', 'app.kubernetes.io/name': 'orders' };
const SERVICE = {
  metadata: { name: 'orders', labels: LABELS },
  spec: { selector: LABELS, ports: [{ port: 443, targetPort: 'webhook' }] },
};
const OTHER_SERVICE = { metadata: { name: 'other' }, spec: {} };

const selecting = (name: string, selector: Readonly<Record<string, string>>, labels = {}) => ({
  metadata: { name, labels },
  spec: { selector: { matchLabels: selector }, podSelector: { matchLabels: selector } },
});

const ENV = { POD_NAMESPACE: 'shop', SERVICE_NAME: 'orders', ANNOTATION_PREFIX: PREFIX };

/** Answers a list by the last part of its path: with its objects, with a status, or with 404 where it has none. */
const clientOf = (objects: Objects): KubeClient => {
  const send = ({ path, query }: KubeRequest) => {
    const found = objects[path.split('/').at(-1) ?? ''] ?? 404;
    if (typeof found === 'number') return throwError(() => new ApiError(`status ${found}`, { status: found }));
    const name = query?.['fieldSelector']?.replace('metadata.name=', '');
    return of({
      items: found.filter((each) => name === undefined || (each as typeof POLICY).metadata.name === name),
    });
  };
  return { send } as unknown as KubeClient;
};

interface PodGiven {
  readonly labels?: Readonly<Record<string, string>>;
  readonly serviceAccountName?: string;
  readonly ports?: readonly object[];
}

const podOf = ({
  labels = LABELS,
  serviceAccountName = ACCOUNT,
  ports = [{ name: 'webhook', containerPort: 9443 }],
}: PodGiven = {}) =>
  inspectPod(
    PREFIX,
    configOf(ENV).secretName,
  )({
    metadata: { name: 'orders-0', labels },
    spec: {
      nodeName: 'node',
      serviceAccountName,
      containers: [{ name: 'webhook', ports }, { name: 'beside' }],
    },
  });

/** A target that calls these Services of the namespace, or URLs. */
const targetOf = (...services: readonly string[]) => ({
  object: {
    state: 'there',
    value: inspectTarget('validatingwebhookconfiguration')({
      metadata: { resourceVersion: '1' },
      webhooks: services.map((name, at) => ({
        name: String(at),
        clientConfig: name.startsWith('https:') ? { url: name } : { service: { name, namespace: 'shop' } },
      })),
    }),
  },
});

interface Given {
  readonly env?: Readonly<Record<string, string>>;
  readonly pods?: readonly PodGiven[];
  readonly targets?: readonly object[];
}

describe('check of the components', () => {
  const results = async (
    objects: Objects,
    {
      env = {},
      pods = [{}],
      targets = [{ object: { state: 'absent', why: '' } }, targetOf('other', 'orders')],
    }: Given = {},
  ): Promise<readonly CheckResult[]> => {
    const config = configOf({ ...ENV, ...env });
    const snapshot = {
      config,
      nowMs: 0,
      pods: { state: 'there', value: pods.map(podOf) },
      targets,
      components: await inspectComponents(clientOf(objects), config),
    } as unknown as ClusterSnapshot;
    return checkComponents(snapshot);
  };

  const whole = {
    services: [OTHER_SERVICE, SERVICE],
    poddisruptionbudgets: [selecting('orders', { app: 'orders' })],
    networkpolicies: [selecting('orders', { app: 'orders' })],
    servicemonitors: [selecting('orders', { app: 'orders' })],
    validatingadmissionpolicies: [POLICY],
    validatingadmissionpolicybindings: [BINDING],
    serviceaccounts: [{ metadata: { name: ACCOUNT } }],
  } satisfies Objects;
  const POLICY_NAME = `validatingadmissionpolicy ${POLICY.metadata.name} restricts replicas`;

  /** The results that are not ok, in short. */
  const bad = async (objects: Objects, given: Given = {}): Promise<readonly string[]> =>
    (await results({ ...whole, ...objects }, given)).filter(({ status }) => status !== 'ok').map(textOf);

  const remedies = async (objects: Objects, given: Given = {}): Promise<readonly string[]> =>
    (await results({ ...whole, ...objects }, given)).flatMap(({ remedy }) => remedy ?? []);

  it('finds nothing wrong where all match, and names each', async () => {
    expect(await bad({})).to.deep.equal([]);
    expect((await results(whole)).map(textOf)).to.deep.equal([
      'ok: Service exists: orders',
      'ok: Service selects the replicas: app=orders, app.kubernetes.io/name=orders',
      'ok: Service leads to the port of the webhook: 9443',
      'ok: poddisruptionbudget orders matches the replicas: ',
      'ok: networkpolicy orders matches the replicas: ',
      'ok: servicemonitor orders matches a Service: ',
      `ok: ${POLICY_NAME}: ServiceAccount ${ACCOUNT}`,
    ]);
  });

  it('finds a Service that does not exist, selects other Pods, or leads to another port', async () => {
    expect(await bad({ services: [] })).to.include(
      'fail: Service exists: there is no Service orders in shop, which the API server is to call',
    );
    const other = { ...SERVICE, spec: { ...SERVICE.spec, selector: { app: 'other' } } };
    expect(await bad({ services: [other] })).to.deep.equal([
      'fail: Service selects the replicas: it selects app=other, and the labels of Pod orders-0 are app=orders, app.kubernetes.io/name=orders',
    ]);
    expect(await bad({ services: [other] }, { pods: [{ labels: {} }] })).to.include(
      'fail: Service selects the replicas: it selects app=other, and the labels of Pod orders-0 are none',
    );
    const half = { ...SERVICE, spec: { ...SERVICE.spec, selector: { app: 'orders', tier: 'other' } } };
    expect(await bad({ services: [half] })).to.have.lengthOf(1);
    expect(await bad({}, { env: { WEBHOOK_BIND_ADDRESS: ':8443' } })).to.deep.equal([
      'fail: Service leads to the port of the webhook: none of its ports leads to 8443, the port of WEBHOOK_BIND_ADDRESS',
    ]);
  });

  it('follows the ports of a Service by number and by name', async () => {
    const wrong = 'fail: Service leads to the port of the webhook';
    for (const [ports, isGood] of [
      [[{ port: 443, targetPort: 9443 }], true],
      [[{ port: 443, targetPort: 8443 }], false],
      [[{ port: 9443 }], true],
      [[{ port: 443 }], false],
      [
        [
          { port: 80, targetPort: 8080 },
          { port: 443, targetPort: 'webhook' },
        ],
        true,
      ],
      [[{ port: 443, targetPort: 'metrics' }], false],
      [[], false],
      [null, false],
    ] as const) {
      const found = await bad({ services: [{ ...SERVICE, spec: { ...SERVICE.spec, ports } }] });
      expect(
        found.map((each) => each.slice(0, wrong.length)),
        JSON.stringify(ports),
      ).to.deep.equal(isGood ? [] : [wrong]);
    }
  });

  it('finds no missing Service where no target calls it', async () => {
    const objects = { ...whole, services: [], servicemonitors: [] };
    expect(await bad(objects, { targets: [targetOf('other')] })).to.deep.equal([]);
    expect(await bad(objects, { targets: [targetOf('https://localhost:9443')] })).to.deep.equal([]);
    expect(await bad(objects, { targets: [targetOf()] })).to.deep.equal([]);
    expect(await bad(objects, { targets: [] })).to.deep.equal([]);
  });

  it('asks no Pods of a Service without a selector, or where there are no replicas', async () => {
    const manual = { metadata: { name: 'orders', labels: LABELS }, spec: {} };
    const only = ['ok: Service exists: orders'];
    expect((await results({ services: [manual] })).map(textOf)).to.deep.equal(only);
    expect((await results({ services: [SERVICE] }, { pods: [] })).map(textOf)).to.deep.equal(only);
  });

  it('finds what selects nothing after the labels have changed, and leaves out what is of another program', async () => {
    const objects = { poddisruptionbudgets: [selecting('of-another-program', { app: 'other' })] };
    expect(await bad(objects)).to.deep.equal([]);
    const renamed = [selecting('orders-kubetemplater', { 'app.kubernetes.io/name': 'kubetemplater' })];
    expect(await bad({ poddisruptionbudgets: renamed, servicemonitors: renamed })).to.deep.equal([
      'warn: poddisruptionbudget orders-kubetemplater matches the replicas: its selector matches no replica, so it has no effect',
      'warn: servicemonitor orders-kubetemplater matches a Service: its selector matches no Service of the namespace, so it has no effect',
    ]);
  });

  it('says nothing of what selects Pods of another program, whatever its name', async () => {
    const ofApi = [selecting('orders-api', { app: 'orders-api' })];
    const none = { poddisruptionbudgets: ofApi, networkpolicies: ofApi };
    const podOfApi = { metadata: { name: 'orders-api-0', labels: { app: 'orders-api' } } };
    const podWithoutLabels = { metadata: { name: 'bare' } };
    expect(await bad({ ...none, pods: [podWithoutLabels, podOfApi] })).to.deep.equal([]);
    const useless = [
      'warn: poddisruptionbudget orders-api matches the replicas: its selector matches no replica, so it has no effect',
      'warn: networkpolicy orders-api matches the replicas: its selector matches no replica, so it has no effect',
    ];
    expect(await bad({ ...none, pods: [podWithoutLabels] })).to.deep.equal(useless);
    expect(await bad({ ...none, pods: 403 })).to.deep.equal(useless);
    // What a ServiceMonitor selects are Services.
    expect(await bad({ servicemonitors: ofApi, pods: [podOfApi] })).to.have.length(1);
  });

  it('takes what has the name of the program, of the Service or of the replicas for its own', async () => {
    const shop = { labels: { 'app.kubernetes.io/name': 'shop' } };
    for (const [name, labels, isOwn] of [
      ['my-kubetemplater-budget', {}, true],
      ['my-webhook-certd-budget', {}, true],
      ['my-orders-budget', {}, true],
      ['my-shop-budget', {}, true],
      ['my-budget', {}, false],
      ['my-budget', { 'app.kubernetes.io/name': 'shop' }, true],
      ['my-budget', { 'app.kubernetes.io/name': 'webhook-certd' }, true],
      ['my-budget', { 'app.kubernetes.io/name': 'webhook-certd-2' }, false],
      ['my-budget', { app: 'shop' }, false],
    ] as const) {
      const poddisruptionbudgets = [selecting(name, { app: 'other' }, labels)];
      const found = await results(
        { services: [], poddisruptionbudgets },
        { pods: [shop, { labels: {} }], targets: [] },
      );
      expect(found.length, `${name} ${JSON.stringify(labels)}`).to.equal(isOwn ? 1 : 0);
    }
  });

  it('is content with what selects one of the replicas', async () => {
    const pods = [{ labels: { app: 'old' } }, { labels: { app: 'orders' } }];
    const { poddisruptionbudgets } = whole;
    const found = await results({ services: [], poddisruptionbudgets }, { pods, targets: [] });
    expect(found.map(({ status }) => status)).to.deep.equal(['ok']);
    const absent = [{ matchExpressions: [{ key: 'tier', operator: 'DoesNotExist' }] }].map((selector) => ({
      metadata: { name: 'orders' },
      spec: { selector },
    }));
    expect(await bad({ poddisruptionbudgets: absent })).to.deep.equal([]);
  });

  it('matches nothing where there are no replicas, or Services cannot be read', async () => {
    const alone = { poddisruptionbudgets: whole.poddisruptionbudgets, servicemonitors: whole.servicemonitors };
    expect((await results({ services: [SERVICE], ...alone }, { pods: [] })).map(({ name }) => name)).to.deep.equal([
      'Service exists',
    ]);
    expect((await results(alone)).map(({ name }) => name)).to.deep.equal([
      'poddisruptionbudget orders matches the replicas',
    ]);
  });

  it('finds a policy that no binding applies, whose account does not exist, or that has another prefix', async () => {
    expect(await bad({ validatingadmissionpolicybindings: [] })).to.deep.equal([
      `warn: ${POLICY_NAME}: no binding applies it, so it has no effect`,
    ]);
    expect(await bad({ serviceaccounts: [{ metadata: { name: `orders-${ACCOUNT}` } }] })).to.deep.equal([
      `warn: ${POLICY_NAME}: it is for ServiceAccount ${ACCOUNT}, which no namespace has, so it has no effect`,
    ]);
    expect(await bad({}, { env: { ANNOTATION_PREFIX: 'orders.example.com' } })).to.deep.equal([
      `warn: ${POLICY_NAME}: it allows annotations of ${PREFIX}, and the replicas write those of orders.example.com: they are refused`,
    ]);
  });

  const policy = (accounts: readonly string[], prefixes: readonly string[] = [PREFIX]) => ({
    metadata: { name: 'own' },
    spec: {
      expressions: [
        ...accounts.map((name) => `user == 'system:serviceaccount:shop:${name}'`),
        ...prefixes.map((prefix) => `key == '${prefix}/serving-hash'`),
      ],
    },
  });

  for (const [what, given, accounts, pods, expected] of [
    ['names no account', policy([]), ['a'], ['a'], []],
    ['is for the account of others', policy(['b']), ['b'], ['a'], []],
    ['is for two accounts', policy(['a', 'b']), ['a', 'b'], ['c', 'b'], ['ok: own: ServiceAccount a, b']],
    [
      'is for one that exists, and one that does not',
      policy(['a', 'b']),
      ['b'],
      ['b'],
      ['ok: own: ServiceAccount a, b'],
    ],
    [
      'is for two that do not exist',
      policy(['a', 'b']),
      ['c'],
      ['c'],
      ['warn: own: it is for ServiceAccount a, b, which no namespace has, so it has no effect'],
    ],
    ['is for the standard account', policy(['default']), ['default'], [''], ['ok: own: ServiceAccount default']],
    ['allows the prefix beside others', policy(['a'], ['x', PREFIX]), ['a'], ['a'], ['ok: own: ServiceAccount a']],
    [
      'allows other prefixes',
      policy(['a'], ['x', 'y.z']),
      ['a'],
      ['a'],
      [`warn: own: it allows annotations of x, y.z, and the replicas write those of ${PREFIX}: they are refused`],
    ],
    ['is about no annotation', policy(['a'], []), ['a'], ['a'], []],
    ['is empty', { metadata: { name: 'own' } }, ['a'], ['a'], []],
  ] as const)
    it(`judges a policy that ${what}`, async () => {
      const objects = {
        services: [],
        validatingadmissionpolicies: [given],
        validatingadmissionpolicybindings: [{ spec: { policyName: 'own' } }],
        serviceaccounts: accounts.map((name) => ({ metadata: { name } })),
      };
      const found = await results(objects, {
        targets: [],
        pods: pods.map((serviceAccountName) => ({ serviceAccountName })),
      });
      expect(
        found.map((each) => textOf(each).replace('validatingadmissionpolicy own restricts replicas', 'own')),
      ).to.deep.equal(expected);
    });

  it('does not blame a policy for what cannot be read', async () => {
    expect(await bad({ validatingadmissionpolicybindings: 403 })).to.deep.equal([]);
    expect(await bad({ serviceaccounts: 403 })).to.deep.equal([]);
  });

  it('shows what is wrong', async () => {
    const name = "orders's budget";
    const show = 'kubectl get validatingadmissionpolicy,validatingadmissionpolicybinding -o yaml';
    for (const [objects, given, remedy] of [
      [{ services: [], servicemonitors: [] }, {}, 'kubectl get services -n shop --show-labels'],
      [
        { services: [{ ...SERVICE, spec: { ...SERVICE.spec, selector: { app: 'other' } } }] },
        {},
        'kubectl get pods -n shop --show-labels',
      ],
      [{}, { env: { WEBHOOK_BIND_ADDRESS: ':8443' } }, 'kubectl get service orders -n shop -o yaml'],
      [
        { poddisruptionbudgets: [selecting(name, { app: 'other' })] },
        {},
        String.raw`kubectl get poddisruptionbudget 'orders'\''s budget' -n shop -o yaml`,
      ],
      [{ validatingadmissionpolicybindings: [] }, {}, show],
      [{ serviceaccounts: [] }, {}, show],
      [{}, { env: { ANNOTATION_PREFIX: 'orders.example.com' } }, show],
    ] as const)
      expect(await remedies(objects, given)).to.deep.equal([remedy]);
  });

  it('says nothing of a cluster that has no such types', async () => {
    expect(await results({})).to.deep.equal([]);
  });

  it('says that it cannot be made where the Services cannot be read', async () => {
    const name = 'skipped: components match the replicas';
    expect((await results({ ...whole, services: 403 })).map(textOf)).to.deep.equal([
      `${name}: not readable with these permissions`,
    ]);
    expect((await results({ ...whole, services: 500 })).map(textOf)).to.deep.equal([`${name}: status 500`]);
  });
});

describe('the components of an installation', () => {
  it('are read where they are, by their parts', async () => {
    const asked: string[] = [];
    const client = clientOf({
      services: [OTHER_SERVICE, SERVICE],
      pods: [{ metadata: { name: 'd', labels: { app: 'x' } } }, { metadata: { name: 'e' } }],
      poddisruptionbudgets: [selecting('a', { app: 'x' }, { tier: 'y' })],
      networkpolicies: [{ metadata: { name: 'b' }, spec: {} }],
      servicemonitors: [selecting('c', {})],
      validatingadmissionpolicies: [POLICY, { metadata: { name: 'other' }, spec: {} }],
      validatingadmissionpolicybindings: [BINDING],
      serviceaccounts: [{ metadata: { name: ACCOUNT } }],
    });
    const send = (request: KubeRequest) => {
      asked.push(`${request.path} ${JSON.stringify(request.query)}`);
      return client.send(request);
    };
    const found = await inspectComponents({ send } as unknown as KubeClient, configOf(ENV));
    const all = { matchLabels: {}, matchExpressions: [] };
    expect(found).to.deep.equal({
      services: {
        state: 'there',
        value: [
          { name: 'other', labels: {}, selector: {}, targetPorts: [] },
          { name: 'orders', labels: LABELS, selector: LABELS, targetPorts: ['webhook'] },
        ],
      },
      selecting: [
        {
          type: 'poddisruptionbudget',
          name: 'a',
          labels: { tier: 'y' },
          selector: { ...all, matchLabels: { app: 'x' } },
          selects: 'Pods',
        },
        { type: 'networkpolicy', name: 'b', labels: {}, selector: all, selects: 'Pods' },
        { type: 'servicemonitor', name: 'c', labels: {}, selector: all, selects: 'Services' },
      ],
      podLabels: [{ app: 'x' }, {}],
      policies: [{ name: POLICY.metadata.name, accounts: [ACCOUNT], prefixes: [PREFIX] }],
      bound: new Set([POLICY.metadata.name]),
      accounts: new Set([ACCOUNT]),
    });
    expect(asked).to.deep.equal([
      '/api/v1/namespaces/shop/services {}',
      '/api/v1/namespaces/shop/pods {}',
      '/apis/policy/v1/namespaces/shop/poddisruptionbudgets {}',
      '/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies {}',
      '/apis/monitoring.coreos.com/v1/namespaces/shop/servicemonitors {}',
      '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies {}',
      '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings {}',
      `/api/v1/serviceaccounts {"fieldSelector":"metadata.name=${ACCOUNT}"}`,
    ]);
  });

  it('are none in a list without items, as API servers may answer an empty one', async () => {
    const client = { send: () => of({ items: null }) } as unknown as KubeClient;
    const { services, selecting: none } = await inspectComponents(client, configOf(ENV));
    expect([services, none]).to.deep.equal([{ state: 'there', value: [] }, []]);
  });

  it('are unknown where they cannot be read', async () => {
    const found = await inspectComponents(
      clientOf({ services: 403, validatingadmissionpolicies: [POLICY] }),
      configOf(ENV),
    );
    expect(found).to.deep.include({ selecting: [], podLabels: null, bound: null, accounts: null });
    expect(found.services.state).to.equal('forbidden');
  });

  it('are nothing but such objects', async () => {
    const stateOf = async (services: readonly unknown[]): Promise<string> =>
      (await inspectComponents(clientOf({ services }), configOf(ENV))).services.state;
    expect(await stateOf([SERVICE])).to.equal('there');
    for (const object of [{}, { metadata: {}, spec: {} }, { metadata: { name: 'a' } }])
      expect(await stateOf([object]), JSON.stringify(object)).to.equal('failed');
  });
});
