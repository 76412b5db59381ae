import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer as createHttp } from 'node:http';
import { createServer as createTcp, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { createServer as createTls, type TlsOptions } from 'node:tls';
import { promisify } from 'node:util';
import { firstLine } from '../support/first-line.ts';
import { freePort } from '../support/free-port.ts';
import type { MadeLeaf } from '../support/made-certificates.ts';

/** Opens servers on free loopback ports; all of them end together. */
export interface PlantedServers extends AsyncDisposable {
  /** A TLS server of Node. */
  tls(leaf: MadeLeaf, options?: TlsOptions): Promise<number>;
  /** HTTP without TLS. */
  http(): Promise<number>;
  /** Accepts connections and says nothing. */
  silent(): Promise<number>;
  /** Greets like an SSH server. */
  ssh(): Promise<number>;
  /** A port at which nothing listens. */
  closed(): Promise<number>;
  /** A server of Go: `tls`, `tls12`, `tls11`, `mtls`, `mtls12` or `http`. */
  go(program: string, mode: string, leaf: MadeLeaf): Promise<number>;
}

const portOf = async (server: Server): Promise<number> => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
};

/** Builds the servers of Go and returns the program. */
export const buildGoServer = async (go: string, folder: string): Promise<string> => {
  const program = join(folder, 'cluster-server');
  const source = join(import.meta.dirname, 'cluster-server.go');
  const env = { ...process.env, GOFLAGS: '-mod=mod', GOCACHE: join(folder, 'cache'), GO111MODULE: 'off' };
  await promisify(execFile)(go, ['build', '-o', program, source], { env });
  return program;
};

export const plantServers = (): PlantedServers => {
  const opened = new AsyncDisposableStack();
  const sockets = new Set<Socket>();
  const listen = (server: Server): Promise<number> => {
    server.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    });
    opened.defer(async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close').catch(() => undefined);
    });
    return portOf(server);
  };
  return {
    tls: ({ pem, key }, options = {}) => {
      const server = createTls({ cert: pem, key, ...options });
      server.on('tlsClientError', () => undefined);
      return listen(server);
    },
    http: () => listen(createHttp((_request, response) => response.end('plain'))),
    silent: () => listen(createTcp()),
    ssh: () => listen(createTcp((socket) => socket.write('SSH-2.0-OpenSSH_9.2\r\n'))),
    closed: () => freePort(),
    go: async (program, mode, { pem, key }) => {
      const child = spawn(program, [mode], { stdio: ['pipe', 'pipe', 'ignore'] });
      opened.defer(async () => {
        child.kill();
        if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      });
      // A program that ends before it has read it is told of by `firstLine`.
      child.stdin.on('error', () => undefined).end(JSON.stringify({ certificate: pem, key }));
      return Number(await firstLine(child.stdout, `${program} ${mode}`));
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
};
