import { runToolWithInput } from '../support/run-tool.ts';

/** Runs kubectl against the cluster of KUBECONFIG and returns what it printed; rejects with what it complained of. */
export const kubectl = (args: readonly string[], input = ''): Promise<string> =>
  runToolWithInput(input, 'kubectl', args);
