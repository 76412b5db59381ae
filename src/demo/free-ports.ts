import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { listen } from '../listen.ts';

/** Loopback ports that are free now, all different. */
export const freePorts = async (count: number): Promise<readonly number[]> => {
  const servers = Array.from({ length: count }, () => createServer());
  const addresses: readonly AddressInfo[] = await Promise.all(
    servers.map((server) => listen(server, { host: '127.0.0.1', port: 0 })),
  );
  await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
  return addresses.map(({ port }) => port);
};
