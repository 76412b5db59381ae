import { expect } from 'chai';
import { readBackends } from '../../src/check/cluster-backends.ts';
import type { ServiceReference } from '../../src/check/cluster-hooks.ts';
import { answering, type Answers } from './surveyed.ts';

const REFERENCE: ServiceReference = { namespace: 'ns', name: 'svc', port: 443 };
const ROOT = '/api/v1/namespaces/ns';
const SERVICE = `${ROOT}/services/svc`;
const ENDPOINTS = `${ROOT}/endpoints/svc`;
const PODS = `${ROOT}/pods`;
const slicesPath = (version: string): string => `/apis/discovery.k8s.io/${version}/namespaces/ns/endpointslices`;
const V1 = slicesPath('v1');
const BETA = slicesPath('v1beta1');

const service = (spec: object = {}) => ({
  spec: { selector: { app: 'a' }, ports: [{ name: 'https', port: 443 }], ...spec },
});
const podReference = { kind: 'Pod', name: 'a-0' };
const slice = (addressType: string, address: string, rest: object = {}) => ({
  addressType,
  ports: [{ name: 'https', port: 8443 }],
  endpoints: [{ addresses: [address], targetRef: podReference, ...rest }],
});
const endpoint = (address: string, rest: object = {}) => ({ address, port: 8443, ready: true, pod: 'a-0', ...rest });
const items = (...each: readonly unknown[]) => ({ items: each });

/** Reads the Service from an API server that answers these paths beside an ordinary Service without Pods. */
const readFrom = async (answers: Answers = {}, references = [REFERENCE]) => {
  const { client, asked, most } = answering({ [SERVICE]: service(), [PODS]: items(), ...answers });
  const backendOf = await readBackends(client, references);
  const backends = references.map(backendOf);
  return { asked, most, backendOf, backends, backend: backends[0]! };
};
/** The endpoints, or what kept them from being read. */
const endpointsOf = async (answers: Answers) => {
  const { endpoints } = (await readFrom(answers)).backend;
  return endpoints.state === 'there' ? endpoints.value : endpoints.state;
};
const ofSlices = (...slices: readonly unknown[]) => endpointsOf({ [V1]: items(...slices) });

describe('the endpoints behind a Service are read', () => {
  it('from EndpointSlices, of which each address is one', async () => {
    expect(await ofSlices(slice('IPv4', '10.0.0.1'), slice('IPv4', '10.0.0.2'))).to.deep.equal([
      endpoint('10.0.0.1'),
      endpoint('10.0.0.2'),
    ]);
    const twice = [slice('IPv4', '10.0.0.1'), slice('IPv4', '10.0.0.1', { conditions: { ready: false } })];
    expect(await ofSlices(...twice)).to.deep.equal([endpoint('10.0.0.1', { ready: false })]);
    const ports = [443, 8443].map((port) => ({ name: 'https', port }));
    expect(await ofSlices({ ...slice('IPv4', '10.0.0.1'), ports })).to.deep.equal([
      endpoint('10.0.0.1', { port: 443 }),
      endpoint('10.0.0.1'),
    ]);
    expect(await ofSlices()).to.deep.equal([]);
    expect(await ofSlices({ addressType: 'IPv4' }, { ...slice('IPv4', ''), endpoints: null })).to.deep.equal([]);
  });

  it('as ready unless their condition says no', async () => {
    const ready = async (conditions: object | undefined) => ofSlices(slice('IPv4', '10.0.0.1', { conditions }));
    for (const conditions of [undefined, {}, { ready: null }, { ready: true }])
      expect(await ready(conditions), JSON.stringify(conditions)).to.deep.equal([endpoint('10.0.0.1')]);
    expect(await ready({ ready: false })).to.deep.equal([endpoint('10.0.0.1', { ready: false })]);
  });

  it('with the Pod that each is, if it is one', async () => {
    const podOf = async (targetRef: object | undefined) => {
      const [first] = await ofSlices(slice('IPv4', '10.0.0.1', { targetRef }));
      return (first as ReturnType<typeof endpoint>).pod;
    };
    expect(await podOf(podReference)).to.equal('a-0');
    for (const none of [undefined, { kind: 'Node', name: 'a' }, { kind: 'Pod' }])
      expect(await podOf(none), JSON.stringify(none)).to.equal(null);
  });

  it('at the first of several addresses, which is the one that is used', async () => {
    expect(await ofSlices(slice('IPv4', '', { addresses: ['10.0.0.1', '10.0.0.2'] }))).to.deep.equal([
      endpoint('10.0.0.1'),
    ]);
    expect(await ofSlices(slice('IPv4', '', { addresses: [] }))).to.deep.equal([]);
  });

  it('in one family of addresses, that of the Service', async () => {
    const both = [slice('IPv4', '10.0.0.1'), slice('IPv6', 'fd00::1')];
    const read = (spec: object, ...slices: readonly unknown[]) =>
      endpointsOf({ [SERVICE]: service(spec), [V1]: items(...slices) });
    expect(await read({ ipFamilies: ['IPv6', 'IPv4'] }, ...both)).to.deep.equal([endpoint('fd00::1')]);
    expect(await read({ ipFamilies: ['IPv4'] }, ...both)).to.deep.equal([endpoint('10.0.0.1')]);
    // Where it has none in that family, or does not say which it has, any is better than none.
    expect(await read({ ipFamilies: ['IPv6'] }, ...both.slice(0, 1))).to.deep.equal([endpoint('10.0.0.1')]);
    for (const spec of [{}, { ipFamilies: [] }])
      expect(await read(spec, ...both)).to.deep.equal([endpoint('10.0.0.1'), endpoint('fd00::1')]);
  });

  it('at the port with the name that it has in the Service', async () => {
    const slices = (name?: string) =>
      items(
        { ...slice('IPv4', '10.0.0.1'), ports: [{ name, port: 8443 }] },
        { ...slice('IPv4', '10.0.0.9'), ports: [{ name: 'metrics', port: 8080 }, { name }] },
      );
    const named = (name?: string) =>
      service({
        ports: [
          { name: 'metrics', port: 80 },
          { name, port: 443 },
        ],
      });
    for (const name of ['https', '', undefined])
      expect(await endpointsOf({ [SERVICE]: named(name), [V1]: slices(name) }), name).to.deep.equal([
        endpoint('10.0.0.1'),
      ]);
    expect(await endpointsOf({ [SERVICE]: named('https'), [V1]: slices('http') })).to.deep.equal([]);
  });

  it('from EndpointSlices v1beta1 before Kubernetes 1.21', async () => {
    expect(await endpointsOf({ [BETA]: items(slice('IPv4', '10.0.0.1')) })).to.deep.equal([endpoint('10.0.0.1')]);
  });

  it('from Endpoints before Kubernetes 1.17', async () => {
    const ports = [{ name: 'https', port: 8443 }];
    const subsets = [
      { addresses: [{ ip: '10.0.0.1', targetRef: podReference }], notReadyAddresses: [{ ip: '10.0.0.2' }], ports },
      { addresses: [{ ip: '10.0.0.3' }], ports: [{ port: 8443 }] },
      { ports },
      {},
    ];
    expect(await endpointsOf({ [ENDPOINTS]: { subsets } })).to.deep.equal([
      endpoint('10.0.0.1'),
      endpoint('10.0.0.2', { ready: false, pod: null }),
    ]);
    expect(await endpointsOf({ [ENDPOINTS]: {} })).to.deep.equal([]);
    // A Service without Endpoints has none; one whose Endpoints may not be read is another matter.
    expect(await endpointsOf({})).to.deep.equal([]);
    expect(await endpointsOf({ [ENDPOINTS]: 403 })).to.equal('forbidden');
  });

  it('from one API, which is found out once', async () => {
    const references = Array.from({ length: 20 }, (_, at) => ({ namespace: 'ns', name: `svc-${at}`, port: 443 }));
    const services = references.map(({ name }) => [`${ROOT}/services/${name}`, service()] as const);
    const { asked } = await readFrom(Object.fromEntries<unknown>(services), references);
    for (const path of [V1, BETA]) {
      const times = asked.filter((each) => each.startsWith(path)).length;
      // Those that were under way when the first answer came have asked too.
      expect(times, path).to.be.within(1, 8);
    }
    const { asked: second } = await readFrom({ [V1]: items() }, [REFERENCE]);
    expect(second.filter((each) => each.startsWith(BETA))).to.deep.equal([]);
  });

  it('not at all where they may not be read: another API would say no more', async () => {
    expect(await endpointsOf({ [V1]: 403, [BETA]: items(slice('IPv4', '10.0.0.1')) })).to.equal('forbidden');
    expect(await endpointsOf({ [V1]: 500, [BETA]: items(slice('IPv4', '10.0.0.1')) })).to.equal('failed');
  });

  it('not at all where the Service has no such port', async () => {
    const { backend, asked } = await readFrom({ [SERVICE]: service({ ports: null }), [V1]: items(slice('IPv4', 'a')) });
    expect(backend.endpoints).to.deep.equal({ state: 'there', value: [] });
    expect(asked.filter((each) => each.startsWith(V1))).to.deep.equal([]);
  });

  it('as the host of a Service of type ExternalName', async () => {
    const spec = { type: 'ExternalName', externalName: 'hook.example.com' };
    const { backend, asked } = await readFrom({ [SERVICE]: service(spec) });
    expect(backend.endpoints).to.deep.equal({
      state: 'there',
      value: [{ address: 'hook.example.com', port: 443, ready: true, pod: null }],
    });
    expect(backend.pods).to.deep.equal({ state: 'there', value: [] });
    expect(asked).to.have.length(1);
    const other = service({ type: 'ClusterIP', externalName: 'hook.example.com' });
    expect(await endpointsOf({ [SERVICE]: other, [V1]: items() })).to.deep.equal([]);
  });
});

describe('a Service of a webhook is read', () => {
  it('with its ports, its selector and its family', async () => {
    const spec = { ports: [{ port: 443 }, { name: 'metrics', port: 80 }], ipFamilies: ['IPv6'] };
    const { service: whole } = (await readFrom({ [SERVICE]: service(spec), [V1]: items() })).backend;
    const ports = [
      { name: '', port: 443 },
      { name: 'metrics', port: 80 },
    ];
    expect(whole).to.deep.equal({
      state: 'there',
      value: { ports, selector: { app: 'a' }, externalName: null, family: 'IPv6' },
    });
    const { service: bare } = (await readFrom({ [SERVICE]: { spec: {} } })).backend;
    expect(bare).to.deep.include({ value: { ports: [], selector: {}, externalName: null, family: null } });
  });

  it('or with the reason why it cannot be, and nothing behind it', async () => {
    for (const [status, state] of [
      [404, 'absent'],
      [403, 'forbidden'],
      [500, 'failed'],
    ] as const) {
      const { backend, asked } = await readFrom({ [SERVICE]: status });
      const nothing = { state: 'there', value: [] };
      const why = `status ${status} for ${SERVICE}`;
      expect(backend).to.deep.equal({
        reference: REFERENCE,
        service: { state, why },
        endpoints: nothing,
        pods: nothing,
      });
      expect(asked).to.have.length(1);
    }
    const { service: malformed } = (await readFrom({ [SERVICE]: {} })).backend;
    expect(malformed.state).to.equal('failed');
  });

  it('once for the hooks that refer to the same port of it', async () => {
    const { asked, backends } = await readFrom({ [V1]: items() }, [REFERENCE, { ...REFERENCE }, { ...REFERENCE }]);
    expect(asked.toSorted()).to.deep.equal([
      `${PODS}?labelSelector=app=a`,
      SERVICE,
      `${V1}?labelSelector=kubernetes.io/service-name=svc`,
    ]);
    expect(new Set(backends).size).to.equal(1);
  });

  it('apart from any other, few at once', async () => {
    const others = [
      { ...REFERENCE, namespace: 'other' },
      { ...REFERENCE, name: 'other' },
      { ...REFERENCE, port: 8443 },
    ];
    const { backends } = await readFrom({}, [REFERENCE, ...others]);
    expect(backends.map(({ reference }) => reference)).to.deep.equal([REFERENCE, ...others]);
    const many = Array.from({ length: 30 }, (_, at) => ({ ...REFERENCE, name: `svc-${at}` }));
    expect((await readFrom({}, many)).most()).to.equal(8);
  });

  it('by its name, whatever that is', async () => {
    const { asked } = await readFrom({}, [{ namespace: 'a/b', name: 'c?d', port: 443 }]);
    expect(asked).to.deep.equal(['/api/v1/namespaces/a%2Fb/services/c%3Fd']);
    const answers = { '/api/v1/namespaces/a%2Fb/services/c%3Fd': service() };
    const { asked: more } = await readFrom(answers, [{ namespace: 'a/b', name: 'c?d', port: 443 }]);
    expect(more.map((each) => each.split('?')[0])).to.include.members([
      '/apis/discovery.k8s.io/v1/namespaces/a%2Fb/endpointslices',
      '/api/v1/namespaces/a%2Fb/endpoints/c%3Fd',
      '/api/v1/namespaces/a%2Fb/pods',
    ]);
  });

  it('before it is asked for, which is an error else', async () => {
    const { backendOf } = await readFrom();
    expect(() => backendOf({ ...REFERENCE, port: 80 })).to.throw('no backend was read for ns/svc:80');
  });
});

describe('the Pods behind a Service are read', () => {
  const podsOf = async (answers: Answers) => {
    const { backend, asked } = await readFrom({ [V1]: items(), ...answers });
    return { pods: backend.pods, asked: asked.filter((each) => each.startsWith(PODS)) };
  };
  /** The only Pod, of these parts. */
  const podOf = async (spec: object, rest: object = {}) => {
    const pod = { metadata: { name: 'a-0' }, spec: { containers: [], ...spec }, ...rest };
    const { pods } = await podsOf({ [PODS]: items(pod) });
    if (pods.state !== 'there') throw new Error(pods.why);
    return pods.value[0];
  };
  const mounting = (...names: readonly string[]) => ({ volumeMounts: names.map((name) => ({ name })) });
  const volume = (name: string) => ({ name, secret: { secretName: name } });

  it('by its selector, and not where it has none', async () => {
    const selecting = (selector: object | null) => podsOf({ [SERVICE]: service({ selector }) });
    expect((await selecting({ app: 'a', tier: 'b' })).asked).to.deep.equal([`${PODS}?labelSelector=app=a,tier=b`]);
    for (const none of [{}, null]) {
      const { asked, pods } = await selecting(none);
      expect(asked).to.deep.equal([]);
      expect(pods).to.deep.equal({ state: 'there', value: [] });
    }
  });

  it('or not, with the reason', async () => {
    expect((await podsOf({ [PODS]: 403 })).pods.state).to.equal('forbidden');
    expect((await podsOf({ [PODS]: items({ metadata: { name: 'a' } }) })).pods.state).to.equal('failed');
  });

  it('with their names and labels', async () => {
    const metadata = { name: 'a-1', labels: { app: 'a' } };
    expect(await podOf({}, { metadata })).to.deep.equal({ ...metadata, secrets: [], problem: null });
    expect(await podOf({})).to.deep.include({ name: 'a-0', labels: {} });
  });

  it('with the Secrets that their containers mount, native sidecars among them', async () => {
    const spec = {
      containers: [mounting('app'), {}],
      initContainers: [{ ...mounting('hook'), restartPolicy: 'Always' }, mounting('once')],
      volumes: [...['app', 'hook', 'once', 'unused'].map(volume), { name: 'scratch' }],
    };
    expect((await podOf(spec))?.secrets).to.deep.equal(['app', 'hook'].map((name) => ({ name, isSubPath: false })));
    expect((await podOf({ containers: [mounting('app')] }))?.secrets).to.deep.equal([]);
  });

  it('with the Secrets that they mount as subPath only, which the kubelet never updates', async () => {
    const isSubPath = async (...mounts: readonly object[]) =>
      (await podOf({ containers: [{ volumeMounts: mounts }], volumes: [volume('a')] }))?.secrets[0]?.isSubPath;
    const [whole, part, expression] = [{ name: 'a' }, { name: 'a', subPath: 'b' }, { name: 'a', subPathExpr: '$(C)' }];
    expect(await isSubPath(part)).to.equal(true);
    expect(await isSubPath(expression)).to.equal(true);
    expect(await isSubPath(part, expression, { name: 'other' })).to.equal(true);
    expect(await isSubPath(part, whole)).to.equal(false);
    expect(await isSubPath({ ...whole, subPath: '', subPathExpr: null })).to.equal(false);
  });

  it('with the reason why a container is not running, init containers first', async () => {
    const waiting = (reason?: string) => ({ state: { waiting: { reason } } });
    const running = { state: { running: { startedAt: '2030-01-01T00:00:00Z' } } };
    const problemOf = async (status: object | undefined) => (await podOf({}, { status }))?.problem;
    expect(await problemOf({ containerStatuses: [running, waiting('CrashLoopBackOff'), waiting('Other')] })).to.equal(
      'CrashLoopBackOff',
    );
    expect(
      await problemOf({
        containerStatuses: [waiting('PodInitializing')],
        initContainerStatuses: [waiting('ImagePullBackOff')],
      }),
    ).to.equal('ImagePullBackOff');
    for (const none of [undefined, {}, { containerStatuses: [running, {}] }, { containerStatuses: [waiting()] }])
      expect(await problemOf(none), JSON.stringify(none)).to.equal(null);
  });
});
