import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { type ApiUnderTest, startApiUnderTest } from '../support/api-under-test.ts';
import type { Scene } from './scene.ts';

const run = promisify(execFile);

/** With kubectl and a server that understands all it says: the embedded one knows neither Deployments nor roles. */
export const describeOnRealServer = (
  title: string,
  timeoutMs: number,
  body: (api: () => ApiUnderTest) => void,
): void => {
  if (process.env['SPEC_API'] !== 'kube-apiserver') return;
  describe(title, function () {
    this.timeout(timeoutMs);
    let api: ApiUnderTest;
    before(async () => {
      api = await startApiUnderTest();
    });
    after(() => api[Symbol.asyncDispose]());
    body(() => api);
  });
};

/** Runs a remedy as an administrator who pastes it into a shell; rejects with what it printed when it fails. */
export const pasted = async (api: ApiUnderTest, { folder }: Scene, remedy: string | null): Promise<void> => {
  const kubeconfig = join(folder, 'administrator');
  await writeFile(kubeconfig, api.adminKubeconfig());
  const path = [process.env['KUBEBUILDER_ASSETS'] ?? '', process.env['PATH'] ?? ''].join(delimiter);
  const env = { PATH: path, HOME: folder, KUBECONFIG: kubeconfig };
  await run('sh', ['-c', remedy ?? 'false'], { cwd: folder, env });
};
