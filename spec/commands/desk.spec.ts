import fs from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Desk, openDesk } from '../../src/commands/desk.ts';
import { replaceBuiltin } from '../support/replace-builtin.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';

const kubeconfig = (current: string): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': current,
    clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }],
    users: [{ name: 'u', user: { token: 't' } }],
    contexts: [
      { name: 'shop', context: { cluster: 'c', user: 'u', namespace: 'shop' } },
      { name: 'bare', context: { cluster: 'c', user: 'u' } },
    ],
  });

/** What a kubelet sets in every container. */
const IN_POD = { KUBERNETES_SERVICE_HOST: '10.0.0.1' };
const POD = { host: '10.0.0.1', port: '443' };

describe('a command at a desk finds cluster and namespace as kubectl does', () => {
  let home: TemporaryDirectory;
  let standard: string;
  let other: string;
  beforeEach(async () => {
    home = await temporaryDirectory();
    standard = join(home.path, '.kube', 'config');
    other = join(home.path, 'other config');
    await mkdir(join(home.path, '.kube'));
    await writeFile(standard, kubeconfig('shop'));
    await writeFile(other, kubeconfig('bare'));
  });
  afterEach(() => home[Symbol.asyncDispose]());

  const desk = (
    env: Readonly<Record<string, string>> = {},
    flags: Readonly<Record<string, string>> = {},
    options: { readonly namespace?: string; readonly context?: string } = {},
  ) => openDesk({ env, flags: new Map(Object.entries(flags)), options, home: home.path });

  /** A desk where nothing is said, with ~/.kube/config, and where it differs from that. */
  const deskOf = ({ flags = {}, ...rest }: Partial<Omit<Desk, 'flags'>> & { readonly flags?: object } = {}): Desk => ({
    flags: new Map(Object.entries({ kubeconfig: standard, ...flags })),
    context: null,
    inCluster: null,
    namespace: 'shop',
    kubectl: 'kubectl',
    ...rest,
  });
  /** Without a kubeconfig. */
  const bareDesk = (rest: Partial<Desk> = {}): Desk => ({
    ...deskOf(),
    flags: new Map(),
    namespace: 'default',
    ...rest,
  });

  it('takes ~/.kube/config and the namespace of its context when nothing is said', async () => {
    expect(await desk()).to.deep.equal(deskOf());
    expect(await desk({}, { 'lease-name': 'other' })).to.deep.equal(deskOf({ flags: { 'lease-name': 'other' } }));
  });

  it('takes KUBECONFIG over that, and --kubeconfig over both, and has kubectl take the same', async () => {
    const ofOther = { flags: { kubeconfig: other }, namespace: 'default' };
    expect(await desk({ KUBECONFIG: other })).to.deep.equal(deskOf(ofOther));
    expect(await desk({ KUBECONFIG: '/none' }, { kubeconfig: other })).to.deep.equal(
      deskOf({ ...ofOther, kubectl: `KUBECONFIG='${other}' kubectl` }),
    );
    expect(await desk({}, { kubeconfig: other })).to.deep.equal(
      deskOf({ ...ofOther, kubectl: `KUBECONFIG='${other}' kubectl` }),
    );
    expect(await desk({ KUBECONFIG: other }, { kubeconfig: standard })).to.deep.equal(
      deskOf({ kubectl: `KUBECONFIG=${standard} kubectl` }),
    );
  });

  it('leaves out what kubectl finds by itself', async () => {
    expect(await desk({}, { kubeconfig: standard })).to.deep.equal(deskOf());
    expect(await desk({ KUBECONFIG: other }, { kubeconfig: other })).to.deep.equal(
      deskOf({ flags: { kubeconfig: other }, namespace: 'default' }),
    );
  });

  it('takes several files that are joined in KUBECONFIG, and the current context of the first that names one', async () => {
    const joined = `${other}:${standard}`;
    expect(await desk({ KUBECONFIG: joined })).to.deep.equal(
      deskOf({ flags: { kubeconfig: joined }, namespace: 'default' }),
    );
  });

  it('takes a variable and a flag that are empty or blank for not set', async () => {
    for (const blank of ['', ' \t'])
      expect(await desk({ KUBECONFIG: blank }, { kubeconfig: blank }), JSON.stringify(blank)).to.deep.equal(deskOf());
  });

  it('takes the context that is named, and -n over its namespace', async () => {
    const context = 'shop';
    expect(await desk({ KUBECONFIG: other }, {}, { context })).to.deep.equal(
      deskOf({ flags: { kubeconfig: other }, context, kubectl: 'kubectl --context=shop' }),
    );
    expect(await desk({}, {}, { context, namespace: 'billing' })).to.deep.equal(
      deskOf({ flags: { 'pod-namespace': 'billing' }, context, kubectl: 'kubectl --context=shop' }),
    );
    expect(await desk({}, { kubeconfig: other }, { context: "arn:aws:eks/it's" })).to.deep.equal(
      deskOf({
        flags: { kubeconfig: other },
        context: "arn:aws:eks/it's",
        namespace: 'default',
        kubectl: `KUBECONFIG='${other}' kubectl --context='arn:aws:eks/it'\\''s'`,
      }),
    );
  });

  it('takes the service account in a Pod where there is no kubeconfig', async () => {
    expect(await desk(IN_POD)).to.deep.equal(deskOf());
    expect(await desk({ ...IN_POD, KUBECONFIG: other })).to.deep.equal(
      deskOf({ flags: { kubeconfig: other }, namespace: 'default' }),
    );
    await rm(standard);
    expect(await desk(IN_POD)).to.deep.equal(bareDesk({ inCluster: POD }));
  });

  it('takes the namespace of the Pod there', async () => {
    const mounted = replaceBuiltin(fs, {
      readFileSync: (path: string) => {
        expect(path).to.equal('/var/run/secrets/kubernetes.io/serviceaccount/namespace');
        return 'hooks';
      },
    });
    await rm(standard);
    try {
      expect(await desk(IN_POD)).to.deep.equal(bareDesk({ inCluster: POD, namespace: 'hooks' }));
    } finally {
      mounted[Symbol.dispose]();
    }
  });

  // A context is one of a kubeconfig: the cluster of the Pod is another one than was named.
  it('takes ~/.kube/config in a Pod where a context is named, though there is none', async () => {
    const named = { context: 'shop', kubectl: 'kubectl --context=shop' };
    expect(await desk(IN_POD, {}, { context: 'shop' })).to.deep.equal(deskOf(named));
    await rm(standard);
    expect(await desk(IN_POD, {}, { context: 'shop' })).to.deep.equal(deskOf({ ...named, namespace: 'default' }));
    expect(await desk({}, {}, { context: 'shop' })).to.deep.equal(deskOf({ ...named, namespace: 'default' }));
  });

  it('knows no cluster where there is neither a kubeconfig nor a Pod', async () => {
    await rm(standard);
    expect(await desk()).to.deep.equal(bareDesk());
  });

  it('leaves it to the first request to report a kubeconfig that cannot be used', async () => {
    await writeFile(other, 'nothing: [');
    expect(await desk({ KUBECONFIG: other })).to.deep.equal(
      deskOf({ flags: { kubeconfig: other }, namespace: 'default' }),
    );
    expect(await desk({}, {}, { context: 'no-such' })).to.deep.equal(
      deskOf({ context: 'no-such', namespace: 'default', kubectl: 'kubectl --context=no-such' }),
    );
  });

  it('does not hide where this program is wrong', async () => {
    const notText = { trim: () => 'no text' } as unknown as string;
    const error: unknown = await desk({ KUBECONFIG: notText }).catch((each: unknown) => each);
    expect(error).to.be.instanceOf(TypeError);
  });
});
