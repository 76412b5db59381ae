import { execFile } from 'node:child_process';
import { expect } from 'chai';
import { loadAll } from 'js-yaml';
import { program } from '../support/program.ts';

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> =>
  new Promise((resolve) => {
    execFile(process.execPath, [program(), 'manifests', ...args], { env }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });

describe('`webhook-certd manifests` as a program', function () {
  this.timeout(30_000);

  it('prints documents of YAML and nothing else, whatever the environment is', async () => {
    const { code, stdout, stderr } = await run(['--name', 'orders', '--namespace', 'shop']);
    expect([code, stderr]).to.deep.equal([0, '']);
    const kinds = (loadAll(stdout) as readonly { readonly kind: string }[]).map(({ kind }) => kind);
    expect(kinds).to.deep.equal([
      'ServiceAccount',
      'Role',
      'RoleBinding',
      'ClusterRole',
      'ClusterRoleBinding',
      'Deployment',
      'Service',
      'PodDisruptionBudget',
      'ValidatingWebhookConfiguration',
    ]);
    const env = { NAME: 'LAPTOP', POD_NAMESPACE: 'other', LOG_LEVEL: 'nonsense', KUBERNETES_SERVICE_HOST: '[bad]' };
    expect(await run(['--name', 'orders', '--namespace', 'shop'], env)).to.deep.equal({ code, stdout, stderr });
  });

  it('prints all problems together on stderr, and ends with 2', async () => {
    const { code, stdout, stderr } = await run(['--name', '1st', '--with', 'everything', '--pod-selector', 'a=b']);
    expect([code, stdout]).to.deep.equal([2, '']);
    expect(stderr).to.match(/^webhook-certd: 3 problems in the configuration:\n {2}/);
    for (const part of ['NAME="1st"', '--with="everything"', '--pod-selector: cannot be given here'])
      expect(stderr).to.include(part);
  });

  it('names a flag that there is not, and the one that was meant', async () => {
    const { code, stderr } = await run(['--nmae', 'orders']);
    expect(code).to.equal(2);
    expect(stderr).to.include('unknown flag --nmae: did you mean --name?');
  });
});
