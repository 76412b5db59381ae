import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type RawApi, rawApi } from '../support/raw-api.ts';

export interface BenchApi extends AsyncDisposable {
  readonly port: number;
  readonly caPem: string;
  readonly adminToken: string;
  readonly admin: RawApi;
}

/** Starts the embedded API server beside us, so that its work is not ours. */
export const startApi = async (): Promise<BenchApi> => {
  const script = fileURLToPath(new URL('api-server.ts', import.meta.url));
  const child = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const told = JSON.parse(line) as Pick<BenchApi, 'port' | 'caPem' | 'adminToken'> & { readonly url: string };
  const admin = rawApi({ url: told.url, caPem: told.caPem, token: told.adminToken });
  return {
    ...told,
    admin,
    [Symbol.asyncDispose]: async () => {
      admin[Symbol.dispose]();
      child.stdin.end();
      await ended;
    },
  };
};
