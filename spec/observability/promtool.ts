import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tool } from './tool.ts';

/** Runs promtool; its exit code and all that it says. */
export const promtool = async (
  args: readonly string[],
  input = '',
): Promise<{ readonly code: number | null; readonly said: string }> => {
  const child = spawn(await tool('promtool'), args, { stdio: 'pipe' });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  child.stdin.on('error', () => undefined).end(input);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, said };
};
