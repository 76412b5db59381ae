import net, { type AddressInfo, type Server } from 'node:net';
import { Problem } from '../../streams/problem.ts';
import { messageOf } from './errors.ts';

/** The address a server listens on. */
export interface BindAddress {
  /** Null: every address of the machine. */
  readonly host: string | null;
  /** 0: any free port. */
  readonly port: number;
}

/** Absent before Node 26, where importing it by name would fail to link. */
const Bound = net.BoundSocket as typeof net.BoundSocket | undefined;

/**
 * The argument of `Server.listen` for an address. An IPv4 address is bound without Node's lookup, which compiles Node's
 * IPv6 pattern and takes 8 ms of the start.
 */
const listenArgument = ({ host, port }: BindAddress): Parameters<Server['listen']>[0] => {
  if (host === null) return { port };
  return Bound !== undefined && net.isIPv4(host) ? new Bound({ host, port }) : { host, port };
};

/**
 * Starts listening and returns the address in use.
 *
 * @throws Problem that names the address when it cannot be bound
 */
export const listen = (server: Server, bind: BindAddress): Promise<AddressInfo> =>
  new Promise((resolve, reject) => {
    const fail = (error: unknown) => {
      server.close();
      reject(new Problem(`cannot listen on ${bind.host ?? ''}:${bind.port}: ${messageOf(error)}`));
    };
    server.once('error', fail);
    try {
      server.listen(listenArgument(bind), () => {
        server.off('error', fail);
        // The address of a TCP server is an AddressInfo; only a pipe has a string.
        resolve(server.address() as AddressInfo);
      });
    } catch (error) {
      fail(error);
    }
  });
