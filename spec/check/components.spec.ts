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
import { parseConfig } from '../../src/config/config.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { ApiError } from '../../src/kube/errors.ts';
import type { KubeRequest } from '../../src/kube/request.ts';
import { MANIFESTS } from '../manifests/rendered.ts';

type Objects = Readonly<Record<string, readonly unknown[]>>;

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

const selecting = (name: string, selector: Readonly<Record<string, string>>, labels = {}) => ({
  metadata: { name, labels },
  spec: { selector: { matchLabels: selector }, podSelector: { matchLabels: selector } },
});

describe('check of the components', () => {
  /** Answers a list by the last part of its path, and 404 for what a cluster does not know. */
  const results = async (
    objects: Objects,
    env: Readonly<Record<string, string>> = {},
  ): Promise<readonly CheckResult[]> => {
    const answer = ({ path, query }: KubeRequest) => {
      const found = objects[path.split('/').at(-1) ?? ''];
      if (found === undefined) return throwError(() => new ApiError('not found', { status: 404 }));
      const name = query?.['fieldSelector']?.replace('metadata.name=', '');
      return of({
        items: found.filter((each) => name === undefined || (each as typeof POLICY).metadata.name === name),
      });
    };
    const client = { send: answer } as unknown as KubeClient;
    const parsed = parseConfig({
      env: { POD_NAMESPACE: 'shop', SERVICE_NAME: 'orders', ANNOTATION_PREFIX: PREFIX, ...env },
      flags: new Map(),
      serves: false,
      read: { namespace: () => null, hostname: () => 'desk' },
    });
    if (!parsed.ok) throw new Error(parsed.problems.join());
    const { config } = parsed;
    const pod = inspectPod(
      PREFIX,
      config.secretName,
    )({
      metadata: { name: 'orders-0', labels: LABELS },
      spec: {
        nodeName: 'node',
        serviceAccountName: ACCOUNT,
        containers: [{ name: 'webhook', ports: [{ name: 'webhook', containerPort: 9443 }] }],
      },
    });
    const target = inspectTarget('validatingwebhookconfiguration')({
      metadata: { resourceVersion: '1' },
      webhooks: [{ name: 'a', clientConfig: { service: { name: config.serviceName, namespace: 'shop' } } }],
    });
    const snapshot = {
      config,
      nowMs: 0,
      pods: { state: 'there', value: [pod] },
      targets: [{ object: { state: 'there', value: target } }],
      components: await inspectComponents(client, config),
    } as unknown as ClusterSnapshot;
    return checkComponents(snapshot);
  };

  const whole: Objects = {
    services: [SERVICE],
    poddisruptionbudgets: [selecting('orders', { app: 'orders' })],
    networkpolicies: [selecting('orders', { app: 'orders' })],
    servicemonitors: [selecting('orders', { app: 'orders' })],
    validatingadmissionpolicies: [POLICY],
    validatingadmissionpolicybindings: [BINDING],
    serviceaccounts: [{ metadata: { name: ACCOUNT } }],
  };

  /** The results that are not ok, in short. */
  const bad = async (objects: Objects, env = {}): Promise<readonly string[]> =>
    (await results({ ...whole, ...objects }, env))
      .filter(({ status }) => status !== 'ok')
      .map(({ status, name, detail }) => `${status}: ${name}: ${detail}`);

  it('finds nothing wrong where all match, and names each', async () => {
    expect(await bad({})).to.deep.equal([]);
    expect((await results(whole)).map(({ name }) => name)).to.deep.equal([
      'Service exists',
      'Service selects the replicas',
      'Service leads to the port of the webhook',
      'poddisruptionbudget orders matches the replicas',
      'networkpolicy orders matches the replicas',
      'servicemonitor orders matches a Service',
      `validatingadmissionpolicy ${POLICY.metadata.name} restricts replicas`,
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
    expect(await bad({}, { WEBHOOK_BIND_ADDRESS: ':8443' })).to.deep.equal([
      'fail: Service leads to the port of the webhook: none of its ports leads to 8443, the port of WEBHOOK_BIND_ADDRESS',
    ]);
    const numbered = { ...SERVICE, spec: { ...SERVICE.spec, ports: [{ port: 443, targetPort: 8443 }] } };
    expect(await bad({ services: [numbered] }, { WEBHOOK_BIND_ADDRESS: ':8443' })).to.deep.equal([]);
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

  it('finds a policy that no binding applies, whose account does not exist, or that has another prefix', async () => {
    const name = `validatingadmissionpolicy ${POLICY.metadata.name} restricts replicas`;
    expect(await bad({ validatingadmissionpolicybindings: [] })).to.deep.equal([
      `warn: ${name}: no binding applies it, so it has no effect`,
    ]);
    expect(await bad({ serviceaccounts: [{ metadata: { name: `orders-${ACCOUNT}` } }] })).to.deep.equal([
      `warn: ${name}: it is for ServiceAccount ${ACCOUNT}, which no namespace has, so it has no effect`,
    ]);
    expect(await bad({}, { ANNOTATION_PREFIX: 'orders.example.com' })).to.deep.equal([
      `warn: ${name}: it allows annotations of ${PREFIX}, and the replicas write those of orders.example.com: they are refused`,
    ]);
  });

  it('says nothing of a cluster that has no such types', async () => {
    expect(await results({})).to.deep.equal([]);
  });
});
