import { expect } from 'chai';
import { checkNetwork } from '../../src/check/check-network.ts';
import { inspectNetworkPolicy } from '../../src/check/inspect-components.ts';
import { inspectPod } from '../../src/check/inspect-pod.ts';
import type { CheckResult } from '../../src/check/result.ts';
import type { ClusterSnapshot } from '../../src/check/snapshot.ts';

describe('a NetworkPolicy that check reads', () => {
  const read = (spec: object) => inspectNetworkPolicy({ metadata: { name: 'restrict' }, spec });

  it('has its name and selector', () => {
    expect(read({ podSelector: { matchLabels: { app: 'a' } } })).to.deep.equal({
      name: 'restrict',
      podSelector: { matchLabels: { app: 'a' }, matchExpressions: [] },
      ingress: [],
      egress: null,
    });
    for (const object of [{}, { metadata: {}, spec: {} }, { metadata: { name: 'a' } }])
      expect(() => inspectNetworkPolicy(object), JSON.stringify(object)).to.throw();
  });

  it('restricts what its types name; without types ingress, and egress where it has rules for it', () => {
    const rules = { ingress: [{}], egress: [{}] };
    for (const [spec, ingress, egress] of [
      [{ ...rules, policyTypes: ['Ingress'] }, [null], null],
      [{ ...rules, policyTypes: ['Egress'] }, null, [null]],
      [{ policyTypes: ['Ingress', 'Egress'] }, [], []],
      [rules, [null], [null]],
      [{ egress: [] }, [], []],
      [{ egress: null }, [], null],
    ] as const)
      expect(read(spec), JSON.stringify(spec)).to.deep.include({ ingress, egress });
  });

  it('allows every port where a rule has none, and else those from and to', () => {
    for (const [ports, allowed] of [
      [null, null],
      [[], null],
      [[{ port: 443 }, {}], null],
      [[{ port: null }], null],
      [[{ port: 443 }], [{ from: 443, to: 443 }]],
      [
        [{ port: 8000, endPort: 9000 }, { port: 443 }],
        [
          { from: 8000, to: 9000 },
          { from: 443, to: 443 },
        ],
      ],
      [[{ port: 'webhook' }], [{ from: 'webhook', to: NaN }]],
    ] as const)
      expect(read({ ingress: [{ ports }] }).ingress, JSON.stringify(ports)).to.deep.equal([allowed]);
  });
});

describe('check of NetworkPolicies', () => {
  const LABELS = { app: 'web', 'pod-template-hash': 'abc', 'controller-revision-hash': 'def' };
  const policy = (name: string, spec: object) => inspectNetworkPolicy({ metadata: { name }, spec });
  const pod = inspectPod(
    'p',
    'certs',
  )({ metadata: { name: 'web-0', labels: LABELS }, spec: { nodeName: 'n', containers: [] } });

  const results = (
    policies: readonly ReturnType<typeof policy>[] | 'absent' | 'forbidden',
    { server = 'https://10.0.0.1:8443', pods = [pod] } = {},
  ): readonly CheckResult[] =>
    checkNetwork({
      config: { namespace: 'hooks', serviceName: 'web', webhookBind: { port: 9443 } },
      server,
      nowMs: 0,
      pods: { state: 'there', value: pods },
      policies: typeof policies === 'string' ? { state: policies, why: '' } : { state: 'there', value: policies },
    } as unknown as ClusterSnapshot);
  const texts = (...given: Parameters<typeof results>): readonly string[] =>
    results(...given).map(({ status, name, detail }) => `${status}: ${name}: ${detail}`);

  const OUT = 'replicas may reach the API server';
  const IN = 'the API server may reach the replicas';
  const egress = (...ports: readonly object[]) => policy('out', { policyTypes: ['Egress'], egress: [{ ports }] });
  const ingress = (...ports: readonly object[]) => policy('in', { policyTypes: ['Ingress'], ingress: [{ ports }] });

  it('finds nothing wrong where none applies to the replicas', () => {
    const nothing = [`ok: ${OUT}: no NetworkPolicy applies`, `ok: ${IN}: no NetworkPolicy applies`];
    expect(texts([])).to.deep.equal(nothing);
    const types = { policyTypes: ['Ingress', 'Egress'] };
    expect(texts([policy('other', { ...types, podSelector: { matchLabels: { app: 'other' } } })])).to.deep.equal(
      nothing,
    );
    expect(texts([policy('none', { policyTypes: [] })])).to.deep.equal(nothing);
  });

  it('finds nothing wrong where one of them allows one of the ports', () => {
    const closed = policy('closed', {
      podSelector: { matchLabels: { app: 'web' } },
      policyTypes: ['Ingress', 'Egress'],
    });
    for (const port of [443, 6443, 8443, 'https'])
      expect(texts([closed, egress({ port: 80 }, { port })])[0], String(port)).to.equal(
        `ok: ${OUT}: allowed by NetworkPolicy closed, out`,
      );
    for (const allowed of [{ port: 9443 }, { port: 9000, endPort: 9443 }, { port: 9443, endPort: 9500 }, {}])
      expect(texts([closed, ingress(allowed)])[1], JSON.stringify(allowed)).to.equal(
        `ok: ${IN}: allowed by NetworkPolicy closed, in`,
      );
  });

  it('follows a selector by the labels that the replicas lack, too', () => {
    const podSelector = { matchExpressions: [{ key: 'tier', operator: 'DoesNotExist' }] };
    expect(texts([policy('closed', { podSelector })])[1]).to.match(/^fail: .*: NetworkPolicy closed allows nothing/);
  });

  it('finds what allows none of them, and adds one that does as long as the other one is there', () => {
    const added = (direction: string, type: string, ports: readonly number[]) =>
      JSON.stringify({
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        metadata: { name: `web-${direction}`, namespace: 'hooks' },
        spec: {
          podSelector: { matchLabels: { app: 'web' } },
          policyTypes: [type],
          [direction]: [{ ports: ports.map((port) => ({ port })) }],
        },
      });
    const restricting = [
      egress({ port: 80 }),
      ingress({ port: 9444 }, { port: 80, endPort: 9442 }),
      policy('deny', {}),
    ];
    expect(results(restricting)).to.deep.equal([
      {
        name: OUT,
        status: 'fail',
        detail: 'NetworkPolicy out allows nothing on port 443, 6443, 8443',
        remedy: `kubectl get networkpolicy out -n hooks && echo '${added('egress', 'Egress', [443, 6443, 8443])}' | kubectl create -f -`,
      },
      {
        name: IN,
        status: 'fail',
        detail: 'NetworkPolicy in, deny allows nothing on port 9443',
        remedy: `kubectl get networkpolicy in -n hooks && echo '${added('ingress', 'Ingress', [9443])}' | kubectl create -f -`,
      },
    ]);
  });

  it('names the port of the API server once, which is 443 where its URL has none', () => {
    for (const server of ['https://10.0.0.1', 'https://10.0.0.1:6443'])
      expect(texts([egress({ port: 80 })], { server })[0], server).to.match(/on port 443, 6443$/);
  });

  it('is not made without replicas, nor where they cannot be read', () => {
    expect(results([], { pods: [] })).to.deep.equal([]);
    const name = 'skipped: NetworkPolicies allow the connections';
    expect(texts('absent')).to.deep.equal([`${name}: this cluster has none`]);
    expect(texts('forbidden')).to.deep.equal([`${name}: not readable with these permissions`]);
  });
});
