import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { openDesk } from '../../src/commands/desk.ts';
import { program } from '../support/program.ts';
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

  it('takes ~/.kube/config and the namespace of its context when nothing is said', async () => {
    const { flags, namespace, kubectl } = await desk();
    expect(flags.get('kubeconfig')).to.equal(standard);
    expect({ namespace, kubectl }).to.deep.equal({ namespace: 'shop', kubectl: 'kubectl' });
  });

  it('takes KUBECONFIG over that, and --kubeconfig over both, and has kubectl take the same', async () => {
    const byVariable = await desk({ KUBECONFIG: other });
    expect(byVariable.flags.get('kubeconfig')).to.equal(other);
    expect(byVariable).to.include({ namespace: 'default', kubectl: 'kubectl' });
    const byFlag = await desk({ KUBECONFIG: '/none' }, { kubeconfig: other });
    expect(byFlag).to.include({ namespace: 'default', kubectl: `KUBECONFIG='${other}' kubectl` });
  });

  it('takes the context that is named, and -n over its namespace', async () => {
    const byContext = await desk({ KUBECONFIG: other }, {}, { context: 'shop' });
    expect(byContext).to.include({ context: 'shop', namespace: 'shop', kubectl: 'kubectl --context=shop' });
    const byNamespace = await desk({}, {}, { context: 'shop', namespace: 'billing' });
    expect(byNamespace.flags.get('pod-namespace')).to.equal('billing');
  });

  it('takes the service account in a Pod, where a kubeconfig is not said', async () => {
    const inPod = { KUBERNETES_SERVICE_HOST: '10.0.0.1' };
    const { flags, inCluster, kubectl } = await desk(inPod);
    expect(flags.has('kubeconfig')).to.equal(false);
    expect(inCluster).to.deep.equal({ host: '10.0.0.1', port: '443' });
    expect(kubectl).to.equal('kubectl');
    expect((await desk({ ...inPod, KUBECONFIG: other })).inCluster).to.equal(null);
  });

  it('leaves it to the first request to report a kubeconfig that cannot be used', async () => {
    await writeFile(other, 'nothing: [');
    expect(await desk({ KUBECONFIG: other })).to.include({ namespace: 'default' });
    expect(await desk({}, {}, { context: 'no-such' })).to.include({ namespace: 'default', context: 'no-such' });
  });
});

/** Runs its argument on a terminal of its own; of util-linux, other systems have another one. */
const TERMINAL = '/usr/bin/script';
const ON_LINUX = process.platform === 'linux' && existsSync(TERMINAL);

describe('check colours what it prints on a terminal', () => {
  let home: TemporaryDirectory;
  before(async () => {
    home = await temporaryDirectory();
    await writeFile(join(home.path, 'config'), kubeconfig('shop'));
  });
  after(() => home[Symbol.asyncDispose]());

  const check = async (env: Readonly<Record<string, string>>): Promise<string> => {
    const command = `'${process.execPath}' '${program()}' check --kubeconfig '${join(home.path, 'config')}'; true`;
    const args = ['--quiet', '--command', command, '/dev/null'];
    const ran = await promisify(execFile)(TERMINAL, args, { env: { PATH: process.env['PATH'], ...env } });
    expect(ran.stdout).to.include('API server answers');
    return ran.stdout;
  };

  if (ON_LINUX) {
    it('a finding is red', async () => {
      expect(await check({})).to.include('\u001B[31m✘');
    });

    it('with NO_COLOR, nothing is coloured', async () => {
      expect(await check({ NO_COLOR: '1' })).not.to.include('\u001B');
    });
  }
});
