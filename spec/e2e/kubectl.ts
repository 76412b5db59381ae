import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Runs kubectl against the cluster of KUBECONFIG and returns what it printed; rejects with what it complained of. */
export const kubectl = async (args: readonly string[], input = ''): Promise<string> => {
  const child = spawn('kubectl', args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdin.end(input);
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
  return stdout;
};
