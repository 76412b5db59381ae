import type { AddressInfo, Server } from 'node:net';
import { Problem } from '../streams/problem.ts';

/** Where to listen. `host` null means every address; port 0 any free one. */
export interface Bind {
  readonly host: string | null;
  readonly port: number;
}

/** @throws Problem naming the address when it cannot be had. */
export const listen = (server: Server, { host, port }: Bind): Promise<AddressInfo> =>
  new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      server.close();
      reject(new Problem(`cannot listen on ${host ?? ''}:${port}: ${error.message}`));
    };
    server.once('error', fail);
    server.listen({ port, ...(host === null ? {} : { host }) }, () => {
      server.off('error', fail);
      // A TCP server's address is an AddressInfo; only pipes have a string.
      resolve(server.address() as AddressInfo);
    });
  });
