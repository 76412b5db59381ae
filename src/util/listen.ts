import net, { type AddressInfo, type Server } from 'node:net';
import { Problem } from '../../streams/problem.ts';

/** Where to listen. `host` null means every address; port 0 any free one. */
export interface Bind {
  readonly host: string | null;
  readonly port: number;
}

/** Absent before Node 26; an import by its name would not even link there. */
const Bound = net.BoundSocket as typeof net.BoundSocket | undefined;

/**
 * What `Server.listen` is given. An address by name is looked up, and so is one that is none: Node then compiles its pattern
 * of an IPv6 address, 8 ms of a start.
 */
const placeOf = ({ host, port }: Bind): Parameters<Server['listen']>[0] => {
  if (host === null) return { port };
  return Bound !== undefined && net.isIPv4(host) ? new Bound({ host, port }) : { host, port };
};

/** @throws Problem naming the address when it cannot be had. */
export const listen = (server: Server, bind: Bind): Promise<AddressInfo> =>
  new Promise((resolve, reject) => {
    const fail = (error: unknown) => {
      server.close();
      reject(new Problem(`cannot listen on ${bind.host ?? ''}:${bind.port}: ${(error as Error).message}`));
    };
    server.once('error', fail);
    try {
      server.listen(placeOf(bind), () => {
        server.off('error', fail);
        // A TCP server's address is an AddressInfo; only pipes have a string.
        resolve(server.address() as AddressInfo);
      });
    } catch (error) {
      fail(error);
    }
  });
