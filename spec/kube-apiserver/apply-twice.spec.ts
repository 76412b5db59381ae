import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { expect } from 'chai';
import { type Manifest, rendered } from '../manifests/rendered.ts';
import type { Json } from '../support/raw-api.ts';
import { type RealApi, startRealApi } from '../support/real-api.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

describe('the manifests, applied again to a real API server', function () {
  this.timeout(120_000);
  const opened = new AsyncDisposableStack();
  let api: RealApi;
  let kubeconfig: string;
  let versions: readonly string[];
  before(async () => {
    const folder = opened.use(await temporaryDirectory()).path;
    api = opened.use(await startRealApi());
    kubeconfig = join(folder, 'kubeconfig');
    await writeFile(kubeconfig, api.adminKubeconfig());
    versions = (await kubectl(['api-versions'])).split('\n');
  });
  after(() => opened.disposeAsync());

  const kubectl = (args: readonly string[], input = ''): Promise<string> =>
    new Promise((resolve, reject) => {
      const path = [process.env['KUBEBUILDER_ASSETS'] ?? '', process.env['PATH'] ?? ''].join(delimiter);
      const env = { PATH: path, HOME: '/nonexistent', KUBECONFIG: kubeconfig };
      const child = execFile('kubectl', args, { env }, (error, stdout, stderr) =>
        error === null ? resolve(stdout) : reject(new Error(stderr)),
      );
      child.stdin?.end(input);
    });

  /** Base and policy, as far as this version of Kubernetes knows their kinds. */
  const list = (): string => {
    const items = [...rendered(), ...rendered('policy').filter(({ kind }) => kind.startsWith('ValidatingAdmission'))]
      .map(({ json }: Manifest) => json as Readonly<Record<string, Json>>)
      .map((json) =>
        json['apiVersion'] === 'policy/v1' && !versions.includes('policy/v1')
          ? { ...json, apiVersion: 'policy/v1beta1' }
          : json,
      )
      .filter(({ kind }) => !String(kind).startsWith('ValidatingAdmission') || versions.includes('resource.k8s.io/v1'));
    return JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  };

  it('do not conflict between two field managers that both apply server-side', async () => {
    await kubectl(['apply', '--server-side', '--field-manager=first', '-f', '-'], list());
    await kubectl(['apply', '--server-side', '--field-manager=second', '-f', '-'], list());
  });

  it('are unchanged by a second kubectl apply', async () => {
    await kubectl(['apply', '-f', '-'], list());
    const lines = (await kubectl(['apply', '-f', '-'], list())).trim().split('\n');
    expect(lines.filter((line) => !line.endsWith(' unchanged'))).to.deep.equal([]);
  });

  it('do not conflict with a server-side apply after kubectl apply', async () => {
    await kubectl(['apply', '--server-side', '--field-manager=other', '-f', '-'], list());
  });
});
