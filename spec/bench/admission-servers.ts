import { freePort } from '../support/free-port.ts';
import type { Bench } from './figure.ts';
import type { Installed } from './installed.ts';
import { pin } from './pin.ts';
import { type StartedProgram, startProgram, startReplica } from './start-program.ts';

export type ServerName = 'bare' | 'express' | 'host' | 'front';

export interface AdmissionServer {
  readonly port: number;
  readonly program: StartedProgram;
}

export interface AdmissionServers extends AsyncDisposable {
  readonly servers: Readonly<Record<ServerName, AdmissionServer>>;
  /** All of them run on the cores they were to run on. */
  readonly pinned: boolean;
}

export interface Cores {
  /** Of what is measured. */
  readonly server: number;
  /** Of what the front forwards to. */
  readonly upstream: number;
}

/** Starts the two sides of the daemon and what they are compared with, each a process of its own. */
export const startAdmissionServers = async (
  { production, build }: Bench,
  { env, directory }: Installed,
  cores: Cores,
): Promise<AdmissionServers> => {
  await using started = new AsyncDisposableStack();
  let pinned = true;
  const launch = async (program: StartedProgram, core: number): Promise<StartedProgram> => {
    const launched = started.use(program);
    pinned = (await pin(launched.pid, core)) && pinned;
    return launched;
  };
  const baseline = async (name: string): Promise<AdmissionServer> => {
    const port = await freePort();
    const program = startProgram(await build(name), [String(port), directory], { NODE_ENV: 'production' });
    return { port, program: await launch(program, cores.server) };
  };
  const { WEBHOOK_HANDLER: handler = '', ...common } = env;
  const daemon = async (side: Readonly<Record<string, string>>): Promise<AdmissionServer> => {
    const port = await freePort();
    const binds = {
      HEALTH_PROBE_BIND_ADDRESS: '127.0.0.1:0',
      METRICS_BIND_ADDRESS: '127.0.0.1:0',
      WEBHOOK_BIND_ADDRESS: `127.0.0.1:${port}`,
    };
    const own = { ...common, ...binds, ...side };
    return { port, program: await launch(startReplica(production, own), cores.server) };
  };

  const upstreamPort = await freePort();
  await launch(startProgram(await build('plain-upstream'), [String(upstreamPort)]), cores.upstream);
  const servers = {
    bare: await baseline('bare-server'),
    express: await baseline('express-server'),
    host: await daemon({ WEBHOOK_HANDLER: handler }),
    front: await daemon({ UPSTREAM_URL: `http://127.0.0.1:${upstreamPort}` }),
  };
  const everything = started.move();
  return { servers, pinned, [Symbol.asyncDispose]: () => everything.disposeAsync() };
};
