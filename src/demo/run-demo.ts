import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { listen } from '../util/listen.ts';
import { startCaller } from './caller.ts';
import { demoNames, startCluster } from './cluster.ts';
import { followFleet, type LogLine, type Program, startReplica } from './fleet.ts';
import { startFleetPage } from './fleet-page.ts';
import { type HandlerOptions, openHandler } from './handler.ts';

const short = (hash: unknown): string => (typeof hash === 'string' ? hash.slice(0, 8) : 'none');

const countCas = (count: unknown): string => (count === 1 ? '1 CA' : `${String(count)} CAs`);

/** Wording of log lines for the timeline, by their event id. Other lines are left out. */
const WORDINGS: Readonly<Record<string, (line: LogLine) => string>> = {
  'leadership-acquired': () => 'is the leader',
  'leadership-lost': ({ reason }) => `lost leadership (${String(reason)})`,
  'leadership-released': () => 'released the Lease',
  'ca-issued': ({ reason }) => `issued a new CA (${String(reason)})`,
  'target-written': ({ certificates }) => `wrote the caBundle: it trusts ${countCas(certificates)}`,
  'certificate-issued': ({ hash, reason }) => `issued certificate ${short(hash)} (${String(reason)})`,
  'certificate-announced': ({ hash }) => `announced ${short(hash)} on the Lease`,
  'certificate-mismatch': ({ hash, filesystemHash }) =>
    `waits for ${short(hash)}: still mounted is ${short(filesystemHash)}`,
  'kubelet-nudged': () => 'nudged its kubelet',
  'certificate-loaded': ({ hash, elapsedMs }) =>
    `serves ${short(hash)}, ${String(elapsedMs)} ms after it was announced`,
  'certificate-rejected': ({ hash, reason }) => `rejected ${short(hash)}: ${String(reason)}`,
  'ca-bundle-pruned': () => 'removed the older CA: every replica acknowledged the new certificate',
  'watch-failed': ({ error }) => `cannot watch: ${String(error)}`,
  'fatal-error': ({ error }) => `fatal error: ${String(error)}`,
};

/** Prints one line per event: seconds since the start, source, event. */
export const timeline = (startedMs: number, print: (text: string) => void) => {
  const say = (who: string, what: string): void => {
    const seconds = ((Date.now() - startedMs) / 1000).toFixed(1);
    print(`${seconds.padStart(6)} s  ${who.padEnd(10)}  ${what}`);
  };
  return {
    say,
    tell: (who: string, line: LogLine): void => {
      const wording = WORDINGS[String(line['event'])];
      if (wording !== undefined) say(who, wording(line));
    },
  };
};

const CALL_EVERY_MS = 10;
const ROTATE_EVERY_MS = 20_000;
const FIRST_ROTATION_MS = 3_000;
/** Timeout of each step, in addition to the kubelet's delay. */
const TIMEOUT_MS = 60_000;

/** Every third rotation replaces the CA. */
const kindOf = (rotation: number): 'leaf' | 'ca' => (rotation % 3 === 0 ? 'ca' : 'leaf');

/**
 * Runs replicas, an API server, kubelets and a caller on this machine, and rotates a certificate every 20 s.
 *
 * @returns the exit code: 1 when a call failed or a rotation did not finish
 */
export const runDemo = async (
  options: DemoOptions,
  { program, directory, print, stopped }: DemoDependencies,
): Promise<number> => {
  await using opened = new AsyncDisposableStack();
  const { say, tell } = timeline(Date.now(), print);
  const names = Array.from({ length: options.replicas }, (_, at) => `replica-${at}`);
  const timeoutMs = TIMEOUT_MS + options.kubeletDelayMs;

  const handler = await openHandler(options, directory);
  const cluster = opened.use(await startCluster(names, options.kubeletDelayMs));
  const free = await freePorts(2 * names.length);
  const replicas = names.map((name, at) => {
    const place = {
      name,
      webhookPort: free[2 * at + 1] ?? 0,
      probePort: free[2 * at] ?? 0,
      env: { ...cluster.replicaEnv(name), ...(handler === null ? {} : { WEBHOOK_HANDLER: handler.module }) },
    };
    return opened.use(startReplica(place, program));
  });
  const fleet = opened.use(followFleet(replicas, tell));
  const { port } = opened.use(await startFleetPage(replicas, options.port ?? 0));
  say('demo', `status page of all replicas: http://127.0.0.1:${port}/`);
  for (const { name, probePort } of replicas) say(name, `own status page: http://127.0.0.1:${probePort}/`);
  for (const line of handler?.answer ?? []) say('handler', line);
  say('kubelet', `delivers a changed Secret after ${options.kubeletDelayMs / 1000} s, or at once when nudged`);

  const caller = opened.use(
    startCaller({
      caBundle$: cluster.caBundle$,
      endpoints: fleet.endpoints,
      serverName: `${demoNames.service}.${demoNames.namespace}.svc`,
      everyMs: CALL_EVERY_MS,
      ...(handler === null ? {} : { question: handler.question }),
      onFailure: ({ name }, reason) => say('caller', `CALL FAILED at ${name}: ${reason}`),
    }),
  );

  const rotate = async (rotation: number): Promise<void> => {
    const what = kindOf(rotation);
    const [before, narrowed] = [fleet.servedByAll(), fleet.narrowed];
    say('demo', `rotation ${rotation}: requesting a new ${what === 'ca' ? 'CA' : 'certificate'}`);
    await cluster.rotate(what);
    const done = (): boolean => {
      const now = fleet.servedByAll();
      return now !== null && now !== before && (what === 'leaf' || fleet.narrowed > narrowed);
    };
    await fleet.until(done, timeoutMs);
    say('caller', `rotation ${rotation} done; calls so far ${caller.calls}, failed ${caller.failed}`);
  };

  const isEveryReplicaReady = (): boolean => fleet.servedByAll() !== null && fleet.endpoints().length === names.length;
  const over = new AbortController();
  const rotateRepeatedly = async (): Promise<void> => {
    await fleet.until(isEveryReplicaReady, timeoutMs);
    say('caller', 'every replica is ready; calling them continuously from now on');
    firstLoads = fleet.adoptionsMs.length;
    await delay(FIRST_ROTATION_MS, undefined, { signal: over.signal });
    for (let next = 1; next <= (options.rotations ?? Infinity); next += 1) {
      // Unreferenced, so that the pause after the last rotation does not keep the process alive.
      const started = delay(ROTATE_EVERY_MS, undefined, { ref: false });
      await rotate(next);
      rotations = next;
      if (next !== options.rotations) await started;
    }
  };

  let rotations = 0;
  let firstLoads = 0;
  let timeouts = 0;
  await Promise.race([stopped, rotateRepeatedly()]).catch((error: unknown) => {
    timeouts += 1;
    say('demo', `stopped waiting: ${error instanceof Error ? error.message : String(error)}`);
  });
  over.abort();
  caller[Symbol.dispose]();

  const { calls, failed } = caller;
  const adoptions = fleet.adoptionsMs.slice(firstLoads);
  const adoptionMs = { median: percentile(adoptions, 0.5), p99: percentile(adoptions, 0.99) };
  say('caller', `${calls} calls, ${failed} failed, ${rotations} rotations`);
  // All at the same time, so that no replica takes over leadership in between.
  for (const each of replicas) each.stop();
  await opened.disposeAsync();
  if (options.json) print(JSON.stringify({ replicas: options.replicas, rotations, calls, failed, adoptionMs }));
  return failed > 0 || timeouts > 0 ? 1 : 0;
};

interface DemoOptions extends HandlerOptions {
  readonly replicas: number;
  /** Null: until stopped. */
  readonly rotations: number | null;
  readonly kubeletDelayMs: number;
  /** Port of the status page of all replicas; null or 0: any free port. */
  readonly port: number | null;
  readonly json: boolean;
}

interface DemoDependencies {
  readonly program: Program;
  /** The directory that a relative handler is resolved from. */
  readonly directory: string;
  readonly print: (text: string) => void;
  /** Settles when the demo is to end. */
  readonly stopped: Promise<void>;
}

/** The percentile of values by nearest rank; null without values. */
export const percentile = (values: readonly number[], share: number): number | null => {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null;
};

/** Finds distinct loopback ports that are free now. */
export const freePorts = async (count: number): Promise<readonly number[]> => {
  const servers = Array.from({ length: count }, () => createServer());
  const addresses: readonly AddressInfo[] = await Promise.all(
    servers.map((server) => listen(server, { host: '127.0.0.1', port: 0 })),
  );
  await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
  return addresses.map(({ port }) => port);
};
