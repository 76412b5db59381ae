import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { percentile } from '../../src/demo/run-demo.ts';
import { freePort } from '../support/free-port.ts';
import { firstAnswer } from './calls.ts';
import { type Installed, installed } from './installed.ts';
import type { LoadOrder, LoadResult } from './load-generator.ts';
import { podReview } from './pod-review.ts';
import { pin, procReading, type StartedProgram, startProgram, startReplica } from './programs.ts';
import type { Bench, Figure, Finding } from './report.ts';

export interface Load extends AsyncDisposable {
  readonly pid: number;
  /** One at a time. */
  run(order: LoadOrder): Promise<LoadResult>;
}

/** Starts the load generator in a process of its own. */
export const startLoad = (): Load => {
  const child = fork(fileURLToPath(new URL('load-generator.ts', import.meta.url)));
  const ended = once(child, 'exit');
  const failed = ended.then(() => Promise.reject(new Error('the load generator has ended, its stderr says why')));
  failed.catch(() => undefined);
  return {
    pid: child.pid ?? 0,
    run: async (order) => {
      const replied = once(child, 'message') as Promise<[LoadResult]>;
      child.send(order);
      const [result] = await Promise.race([replied, failed]);
      return result;
    },
    [Symbol.asyncDispose]: async () => {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
};

export type ServerName = 'bare' | 'raw' | 'express' | 'host' | 'front' | 'go';

export interface AdmissionServer {
  readonly port: number;
  readonly program: StartedProgram;
}

export interface AdmissionServers extends AsyncDisposable {
  /** Without the Go program where there is none. */
  readonly servers: ReadonlyMap<ServerName, AdmissionServer>;
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
  { production, build, peer }: Bench,
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
  const baseline = async (script: string, args: readonly string[] = []): Promise<AdmissionServer> => {
    const port = await freePort();
    const program = startProgram(script, [...args, String(port), directory], { NODE_ENV: 'production' });
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

  const plainServers = await build('plain-servers');
  const upstreamPort = await freePort();
  await launch(startProgram(plainServers, ['upstream', String(upstreamPort)]), cores.upstream);
  const servers = new Map<ServerName, AdmissionServer>([
    ['bare', await baseline(plainServers, ['bare'])],
    ['raw', await baseline(plainServers, ['raw'])],
    ['express', await baseline(await build('express-server'))],
    ['host', await daemon({ WEBHOOK_HANDLER: handler })],
    ['front', await daemon({ UPSTREAM_URL: `http://127.0.0.1:${upstreamPort}` })],
  ]);
  if (peer !== null) {
    const port = await freePort();
    servers.set('go', { port, program: await launch(peer.start(port, directory), cores.server) });
  }
  const everything = started.move();
  return { servers, pinned, [Symbol.asyncDispose]: () => everything.disposeAsync() };
};

const BARE = 'bare node:https';
const CONNECTIONS = 16;
/** By then V8 has compiled what it will compile; on a slow machine, not after more turns than this. */
const [WARM_REQUESTS, WARM_TIMES] = [40_000, 20];
/** Callers and the front's upstream share a core, so that what is measured has one to itself. */
const [SERVER_CORE, CALLER_CORE] = [0, 1];

interface Turn extends LoadResult {
  readonly cpuUsPerRequest: number;
}

/** V8 compiles each process its own way, and lays it out so: the same program started again may be a seventh slower. */
const [LAUNCHES, ROUNDS, TURN_MS] = [5, 8, 1_000];

/**
 * CPU time of a review, requests a second and latency over TLS, as many as one core of the server can take, one server after
 * the other in short turns: host and front, bare node:https that parses JSON and answers, a TLS socket that does, express, and the same in
 * Go. All of them are started anew several times, since one process is not another.
 */
export const admission: Figure = async (bench) => {
  const { quick, folder, say } = bench;
  await using place = await installed(folder);
  await using load = startLoad();
  let apart = await pin(load.pid, CALLER_CORE);
  const body = JSON.stringify(podReview);
  const { serverName, ca } = place;
  const turns: Record<ServerName, Turn[]> = { bare: [], raw: [], express: [], host: [], front: [], go: [] };

  const launchAll = async (): Promise<void> => {
    await place.renew();
    await using started = await startAdmissionServers(bench, place, { server: SERVER_CORE, upstream: CALLER_CORE });
    const { servers, pinned } = started;
    apart &&= pinned;
    const orderFor = ({ port }: AdmissionServer): LoadOrder => {
      const target = { port, servername: serverName, caPem: ca.toString(), path: '/?timeout=10s', body };
      return { target, connections: CONNECTIONS, ms: quick ? 100 : TURN_MS };
    };
    const warmUp = async (server: AdmissionServer): Promise<void> => {
      let requests = 0;
      for (let times = 0; requests < (quick ? 1 : WARM_REQUESTS) && times < WARM_TIMES; times += 1)
        requests += (await load.run(orderFor(server))).requests;
    };
    const takeTurn = async (server: AdmissionServer): Promise<Turn> => {
      const { pid } = server.program;
      const before = procReading(pid).cpuMs;
      const ran = await load.run(orderFor(server));
      return { ...ran, cpuUsPerRequest: ((procReading(pid).cpuMs - before) * 1_000) / ran.requests };
    };

    for (const server of servers.values()) {
      await firstAnswer({ port: server.port, serverName, ca }, server.program);
      await warmUp(server);
    }
    for (let round = 0; round < (quick ? 1 : ROUNDS); round += 1) {
      await place.renew();
      for (const [name, server] of servers) turns[name].push(await takeTurn(server));
    }
  };
  for (let launch = 0; launch < (quick ? 1 : LAUNCHES); launch += 1) await launchAll();

  const of = (name: ServerName, what: keyof Turn): readonly number[] => turns[name].map((turn) => turn[what]);
  const typical = (name: ServerName, what: keyof Turn): number => percentile(of(name, what), 0.5) ?? NaN;
  say(
    `admission: ${body.length} bytes, ${CONNECTIONS} keep-alive connections, ${turns.host.length} turns, ` +
      (apart
        ? `servers on core ${SERVER_CORE}, load generator and the front's upstream on core ${CALLER_CORE}`
        : 'NOT on cores of their own (no taskset, or one core): servers and load generator compete'),
  );
  for (const name of (Object.keys(turns) as ServerName[]).filter((each) => turns[each].length > 0))
    say(
      `  ${name}: ${typical(name, 'requestsPerSecond').toFixed()}/s, p50 ${typical(name, 'p50Ms').toFixed(2)} ms, ` +
        `p99 ${typical(name, 'p99Ms').toFixed(2)} ms, ${typical(name, 'cpuUsPerRequest').toFixed()} µs of CPU a request, ` +
        `load generator busy ${(typical(name, 'generatorBusy') * 100).toFixed()} %`,
    );

  const compared = (name: string, own: ServerName, baseline: ServerName, atLeast: number): Finding => ({
    name,
    unit: '1/s',
    values: of(own, 'requestsPerSecond'),
    moreIsBetter: true,
    baseline: { name: baseline === 'bare' ? BARE : baseline, values: of(baseline, 'requestsPerSecond') },
    ...(baseline === 'bare' ? { go: of('go', 'requestsPerSecond') } : {}),
    limits: [{ of: 'ratio', atLeast }],
  });
  const latency = (own: ServerName, what: 'p50' | 'p99'): Finding => ({
    name: `admission-${own}-${what}`,
    unit: 'ms',
    values: of(own, `${what}Ms`),
    baseline: { name: BARE, values: of('bare', `${what}Ms`) },
    ...(own === 'host' ? { go: of('go', `${what}Ms`) } : {}),
    limits: [],
  });
  return [
    {
      name: 'admission-cpu',
      unit: 'µs/review',
      values: of('host', 'cpuUsPerRequest'),
      baseline: { name: BARE, values: of('bare', 'cpuUsPerRequest') },
      go: of('go', 'cpuUsPerRequest'),
      limits: [
        { of: 'ratio', atMost: 1.1 },
        { of: 'go', atMost: 0.85 },
      ],
    },
    {
      name: 'admission-cpu-raw',
      unit: 'µs/review',
      values: of('raw', 'cpuUsPerRequest'),
      baseline: { name: BARE, values: of('bare', 'cpuUsPerRequest') },
      limits: [],
    },
    compared('admission-host', 'host', 'bare', 0.85),
    compared('admission-host-express', 'host', 'express', 1.6),
    compared('admission-front', 'front', 'host', 0.6),
    latency('host', 'p50'),
    latency('host', 'p99'),
    latency('front', 'p99'),
  ];
};
