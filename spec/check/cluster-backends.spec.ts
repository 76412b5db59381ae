import { expect } from 'chai';
import { readBackends } from '../../src/check/cluster-backends.ts';
import type { ServiceReference } from '../../src/check/cluster-hooks.ts';
import { openSpecClient } from '../kube/open-spec-client.ts';
import { json, scriptedApi } from '../kube/scripted-api.ts';

type Answers = Readonly<Record<string, unknown>>;

const REFERENCE: ServiceReference = { namespace: 'ns', name: 'svc', port: 443 };
const service = (spec: object = {}) => ({
  spec: { selector: { app: 'a' }, ports: [{ name: 'https', port: 443 }], ...spec },
});
const podReference = { kind: 'Pod', name: 'a-0' };
const slice = (addressType: string, address: string, conditions: object = {}) => ({
  addressType,
  ports: [{ name: 'https', port: 8443 }],
  endpoints: [{ addresses: [address], conditions, targetRef: podReference }],
});

/** Reads the Service from an API server that answers these paths and knows no other. */
const readFrom = async (answers: Answers, references = [REFERENCE]) => {
  await using api = await scriptedApi();
  const asked: string[] = [];
  api.answer((response, { url }) => {
    const path = url.split('?', 1)[0] ?? '';
    asked.push(path);
    if (path in answers) json(response, answers[path]);
    else json(response, { kind: 'Status', code: 404, message: `no ${path}` }, 404);
  });
  await using client = await openSpecClient(api);
  const backendOf = await readBackends(client, references);
  const backends = references.map(backendOf);
  const endpoints = backends.map((backend) =>
    backend.endpoints.state === 'there' ? backend.endpoints.value : backend.endpoints.state,
  );
  return { asked, endpoints, backends };
};

const ROOT = '/api/v1/namespaces/ns';
const SLICES = (version: string) => `/apis/discovery.k8s.io/${version}/namespaces/ns/endpointslices`;
const PODS = { [`${ROOT}/pods`]: { items: [] } };

describe('the endpoints behind a Service are read', () => {
  it('from EndpointSlices', async () => {
    const answers = {
      ...PODS,
      [`${ROOT}/services/svc`]: service(),
      [SLICES('v1')]: { items: [slice('IPv4', '10.0.0.1'), slice('IPv4', '10.0.0.2', { ready: false })] },
    };
    const { endpoints } = await readFrom(answers);
    expect(endpoints[0]).to.deep.equal([
      { address: '10.0.0.1', port: 8443, ready: true, pod: 'a-0' },
      { address: '10.0.0.2', port: 8443, ready: false, pod: 'a-0' },
    ]);
  });

  it('from EndpointSlices v1beta1 before Kubernetes 1.21', async () => {
    const answers = {
      ...PODS,
      [`${ROOT}/services/svc`]: service(),
      [SLICES('v1beta1')]: { items: [slice('IPv4', '10.0.0.1')] },
    };
    const { endpoints } = await readFrom(answers);
    expect(endpoints[0]).to.have.length(1);
  });

  it('from Endpoints where there is no other API, which is found out once', async () => {
    const subsets = [
      {
        addresses: [{ ip: '10.0.0.1', targetRef: podReference }],
        notReadyAddresses: [{ ip: '10.0.0.2' }],
        ports: [{ name: 'https', port: 8443 }],
      },
    ];
    const references = Array.from({ length: 20 }, (_, at) => ({ namespace: 'ns', name: `svc-${at}`, port: 443 }));
    const answers = {
      ...PODS,
      ...Object.fromEntries<unknown>(
        references.flatMap(({ name }): [string, unknown][] => [
          [`${ROOT}/services/${name}`, service()],
          [`${ROOT}/endpoints/${name}`, { subsets }],
        ]),
      ),
    };
    const { endpoints, asked } = await readFrom(answers, references);
    for (const each of endpoints)
      expect(each).to.deep.equal([
        { address: '10.0.0.1', port: 8443, ready: true, pod: 'a-0' },
        { address: '10.0.0.2', port: 8443, ready: false, pod: null },
      ]);
    // Those that were under way when the first answer came have asked too.
    expect(asked.filter((path) => path === SLICES('v1')).length).to.be.at.most(8);
  });

  it('once for hooks of one Service', async () => {
    const answers = {
      ...PODS,
      [`${ROOT}/services/svc`]: service(),
      [SLICES('v1')]: { items: [slice('IPv4', '10.0.0.1')] },
    };
    const { asked } = await readFrom(answers, [REFERENCE, { ...REFERENCE }, { ...REFERENCE }]);
    expect(asked).to.have.length(3);
  });

  it('in one family of addresses, that of the Service', async () => {
    const answers = {
      ...PODS,
      [`${ROOT}/services/svc`]: service({ ipFamilies: ['IPv6', 'IPv4'] }),
      [SLICES('v1')]: { items: [slice('IPv4', '10.0.0.1'), slice('IPv6', 'fd00::1')] },
    };
    const { endpoints } = await readFrom(answers);
    expect(endpoints[0]).to.deep.equal([{ address: 'fd00::1', port: 8443, ready: true, pod: 'a-0' }]);
  });

  it('at the port of that name', async () => {
    const other = { ...slice('IPv4', '10.0.0.9'), ports: [{ name: 'metrics', port: 8080 }] };
    const answers = {
      ...PODS,
      [`${ROOT}/services/svc`]: service(),
      [SLICES('v1')]: { items: [other, slice('IPv4', '10.0.0.1')] },
    };
    const { endpoints } = await readFrom(answers);
    expect(endpoints[0]).to.deep.equal([{ address: '10.0.0.1', port: 8443, ready: true, pod: 'a-0' }]);
  });

  it('as the host of a Service of type ExternalName', async () => {
    const answers = { [`${ROOT}/services/svc`]: service({ type: 'ExternalName', externalName: 'hook.example.com' }) };
    const { endpoints, asked } = await readFrom(answers);
    expect(endpoints[0]).to.deep.equal([{ address: 'hook.example.com', port: 443, ready: true, pod: null }]);
    expect(asked).to.have.length(1);
  });
});

describe('a Pod behind a Service is read', () => {
  it('with its native sidecars: the Secret that one mounts, when it was started, and why it is not running', async () => {
    const mounting = (secret: string) => ({ volumeMounts: [{ name: secret }] });
    const pod = {
      metadata: { name: 'a-0', labels: { app: 'a' } },
      spec: {
        containers: [mounting('app')],
        initContainers: [{ ...mounting('hook'), restartPolicy: 'Always' }, mounting('once')],
        volumes: ['app', 'hook', 'once'].map((name) => ({ name, secret: { secretName: name } })),
      },
      status: {
        initContainerStatuses: [{ state: { running: { startedAt: '2030-01-02T00:00:00Z' } } }],
        containerStatuses: [{ state: { running: { startedAt: '2030-01-01T00:00:00Z' } } }],
      },
    };
    const waiting = { initContainerStatuses: [{ state: { waiting: { reason: 'CrashLoopBackOff' } } }] };
    const read = async (status: object) => {
      const answers = {
        [`${ROOT}/pods`]: { items: [{ ...pod, status }] },
        [`${ROOT}/services/svc`]: service(),
        [SLICES('v1')]: { items: [] },
      };
      const [backend] = (await readFrom(answers)).backends;
      if (backend?.pods.state !== 'there') throw new Error('no Pods were read');
      return backend.pods.value[0];
    };
    expect(await read(pod.status)).to.deep.include({
      secrets: ['app', 'hook'].map((name) => ({ name, isSubPath: false })),
      startedMs: Date.parse('2030-01-02T00:00:00Z'),
      problem: null,
    });
    expect(await read(waiting)).to.include({ problem: 'CrashLoopBackOff' });
  });
});
