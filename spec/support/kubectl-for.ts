import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { ApiUnderTest } from './api-under-test.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** Runs the kubectl of KUBEBUILDER_ASSETS, else that of PATH, as the administrator of a server under test. */
export interface Kubectl extends AsyncDisposable {
  /** Resolves with what it prints; rejects with what it prints to stderr. */
  run(args: readonly string[], input?: string): Promise<string>;
}

export const kubectlFor = async (api: ApiUnderTest): Promise<Kubectl> => {
  const folder = await temporaryDirectory();
  const kubeconfig = join(folder.path, 'kubeconfig');
  await writeFile(kubeconfig, api.adminKubeconfig());
  const path = [process.env['KUBEBUILDER_ASSETS'] ?? '', process.env['PATH'] ?? ''].join(delimiter);
  const env = { PATH: path, HOME: folder.path, KUBECONFIG: kubeconfig };
  return {
    run: (args, input = '') =>
      new Promise((resolve, reject) => {
        const child = execFile('kubectl', args, { env }, (error, stdout, stderr) =>
          error === null ? resolve(stdout) : reject(new Error(stderr)),
        );
        child.stdin?.end(input);
      }),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
};
