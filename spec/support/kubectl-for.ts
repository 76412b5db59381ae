import { writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { ApiUnderTest } from './api-under-test.ts';
import { runToolWithInput } from './run-tool.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** Runs the kubectl of KUBEBUILDER_ASSETS, else that of PATH, as the administrator of a server under test. */
export interface Kubectl extends AsyncDisposable {
  /** Resolves with what it prints; rejects with what it printed to stderr. */
  run(args: readonly string[], input?: string): Promise<string>;
}

export const kubectlFor = async (api: ApiUnderTest): Promise<Kubectl> => {
  const folder = await temporaryDirectory();
  const kubeconfig = join(folder.path, 'kubeconfig');
  await writeFile(kubeconfig, api.adminKubeconfig());
  const path = [process.env['KUBEBUILDER_ASSETS'] ?? '', process.env['PATH'] ?? ''].join(delimiter);
  const env = { PATH: path, HOME: folder.path, KUBECONFIG: kubeconfig };
  return {
    run: (args, input = '') => runToolWithInput(input, 'kubectl', args, { env }),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
};
