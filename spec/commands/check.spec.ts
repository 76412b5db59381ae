import process from 'node:process';
import timers from 'node:timers/promises';
import { expect } from 'chai';
import { type Check, reportJson, reportText } from '../../src/check/report.ts';
import { runCheck } from '../../src/commands/check.ts';
import { layOut } from '../check/scene.ts';
import { configOf } from '../check/snapshot-of.ts';
import { base64 } from '../kube/kubeconfig.ts';
import { json, type ScriptedApi, scriptedApi } from '../kube/scripted-api.ts';
import { startEmbeddedApi } from '../support/embedded-api.ts';
import { replaceBuiltin } from '../support/replace-builtin.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';

type Dependencies = Parameters<typeof runCheck>[2];

/** How a replica reaches the API server, and a desk: by which of its contexts. */
interface Way {
  readonly from?: 'desk' | 'Pod' | 'neither';
  readonly json?: boolean;
  readonly around?: Partial<Dependencies>;
}

const LEASE = '/apis/coordination.k8s.io/v1/namespaces/hooks/leases/8377a775.my.company.com';
const ENV = {
  POD_NAMESPACE: 'hooks',
  CA_BUNDLE_TARGETS: 'validatingwebhookconfiguration/web',
  LEASE_DURATION: '4s',
  RENEW_DEADLINE: '3s',
  RETRY_PERIOD: '1s',
};

describe('webhook-certd check', () => {
  let api: ScriptedApi;
  let folder: TemporaryDirectory;
  let kubeconfig: string;
  before(async () => {
    api = await scriptedApi();
    folder = await temporaryDirectory();
    await folder.write('token', 'of the Pod');
    await folder.write('ca.crt', api.pki.ca);
    const ca = { 'certificate-authority-data': base64(api.pki.ca) };
    const parts = {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'current',
      clusters: [{ name: 'here', cluster: { server: api.url, ...ca } }],
      users: [
        { name: 'me', user: { token: 'mine' } },
        { name: 'other', user: { token: 'of another' } },
      ],
      contexts: [
        { name: 'current', context: { cluster: 'here', user: 'me' } },
        { name: 'named', context: { cluster: 'here', user: 'other' } },
      ],
    };
    kubeconfig = await folder.write('kubeconfig', JSON.stringify(parts));
  });
  after(async () => {
    await folder[Symbol.asyncDispose]();
    await api[Symbol.asyncDispose]();
  });
  /** It is there, and has nothing, or does not even say its version. */
  const answer = (objects: Readonly<Record<string, unknown>> = {}): void =>
    api.answer((response, { url }) => {
      const found = objects[url];
      json(response, found ?? { kind: 'Status', message: 'not there' }, found === undefined ? 404 : 200);
    });
  const fail = (): void => api.answer((response) => json(response, { kind: 'Status', message: 'broken' }, 500));
  beforeEach(fail);

  const check = async ({ from = 'desk', json: asJson = true, around = {} }: Way = {}) => {
    const printed: string[] = [];
    const before = api.asked.length;
    const inCluster = from === 'Pod' ? { host: '127.0.0.1', port: String(api.port), directory: folder.path } : null;
    const env = from === 'desk' ? { ...ENV, KUBECONFIG: kubeconfig } : ENV;
    const print = (text: string): void => void printed.push(text);
    const dependencies = { inCluster, version: '1.2.3', print, colours: false, ...around };
    const code = await runCheck(configOf(env), { json: asJson }, dependencies);
    return { code, printed, asked: api.asked.slice(before) };
  };
  const checksIn = ([text = '']: readonly string[]): readonly Check[] =>
    (JSON.parse(text) as { readonly checks: readonly Check[] }).checks;
  const remedyOf = ({ printed }: { readonly printed: readonly string[] }): string | null | undefined =>
    checksIn(printed).find(({ status }) => status === 'fail')?.remedy;
  const authorization = ({ asked }: Awaited<ReturnType<typeof check>>): readonly unknown[] => [
    ...new Set(asked.map(({ headers }) => headers.authorization)),
  ];

  it('ends with 0 when nothing is wrong', async () => {
    await using healthy = await startEmbeddedApi();
    await using scene = await layOut(healthy);
    expect((await scene.check()).code).to.equal(0);
  });

  it('ends with 1 when something is wrong, and prints one report: one JSON document with --json, else text, on a terminal with colours', async () => {
    const { code, printed } = await check();
    const checks = checksIn(printed);
    expect({ code, printed }).to.deep.equal({ code: 1, printed: [reportJson(checks)] });
    expect((await check({ json: false })).printed).to.deep.equal([reportText(checks, false)]);
    expect((await check({ json: false, around: { colours: true } })).printed).to.deep.equal([reportText(checks, true)]);
  });

  it('says who asks', async () => {
    const { asked } = await check();
    expect(asked.map(({ url, headers }) => [url, headers['user-agent']])).to.deep.equal([
      ['/version', 'webhook-certd-check/1.2.3'],
    ]);
  });

  it('asks by the context that is named, else by the current one, and in a Pod by its service account', async () => {
    expect(authorization(await check())).to.deep.equal(['Bearer mine']);
    expect(authorization(await check({ around: { context: 'named' } }))).to.deep.equal(['Bearer of another']);
    expect(authorization(await check({ from: 'Pod' }))).to.deep.equal(['Bearer of the Pod']);
  });

  it('prints remedies for the cluster that was asked', async () => {
    const command = `cluster-info --kubeconfig=${kubeconfig}`;
    expect(remedyOf(await check())).to.equal(`kubectl ${command}`);
    const production = { kubectl: 'kubectl --context=production' };
    expect(remedyOf(await check({ around: production }))).to.equal(`kubectl --context=production ${command}`);
  });

  it('takes the network of a replica for the cause only where it runs in a Pod and by its service account', async () => {
    const ofNetwork = 'kubectl get networkpolicy,endpoints -n hooks && kubectl get endpoints kubernetes';
    expect(remedyOf(await check({ from: 'Pod' }))).to.equal(ofNetwork);
    const inCluster = { host: '127.0.0.1', port: String(api.port), directory: folder.path };
    expect(remedyOf(await check({ around: { inCluster } }))).to.equal(
      `kubectl cluster-info --kubeconfig=${kubeconfig}`,
    );
    expect(remedyOf(await check({ from: 'neither' }))).to.equal(
      'kubectl cluster-info --kubeconfig="$HOME/.kube/config"',
    );
  });

  describe('while the Lease is not renewed', () => {
    let passedMs: number;
    let clock: readonly Disposable[];
    beforeEach(() => {
      passedMs = 0;
      const setTimeout = (ms: number): Promise<void> => {
        passedMs += ms;
        return Promise.resolve();
      };
      const hrtime = (): [number, number] => [Math.floor(passedMs / 1_000), (passedMs % 1_000) * 1_000_000];
      clock = [replaceBuiltin(timers, { setTimeout }), replaceBuiltin(process, { hrtime })];
      answer({
        '/version': { gitVersion: 'v1.35.0' },
        [LEASE]: {
          metadata: { uid: 'one', resourceVersion: '1' },
          spec: { holderIdentity: 'web-0', leaseDurationSeconds: 4, renewTime: '2026-11-23T12:00:00.000000Z' },
        },
      });
    });
    afterEach(() => clock.forEach((each) => each[Symbol.dispose]()));

    it('says once how long it waits', async () => {
      const [waiting, report, ...others] = (await check({ json: false })).printed;
      expect([waiting, others]).to.deep.equal(['Waiting for a renewal of the Lease, 3 s at most …\n', []]);
      expect(report).to.include('election');
    });

    it('says nothing beside a JSON document', async () => {
      const { printed } = await check();
      expect(printed).to.deep.equal([reportJson(checksIn(printed))]);
    });
  });
});
