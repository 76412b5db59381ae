import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startCaller } from '../../src/demo/caller.ts';
import { startCluster } from '../../src/demo/cluster.ts';
import { demoNames } from '../../src/demo/demo-objects.ts';
import { followFleet } from '../../src/demo/fleet.ts';
import { freePorts } from '../../src/demo/free-ports.ts';
import { startReplica } from '../../src/demo/start-replica.ts';
import { sample } from './sample.ts';

/**
 * `npm run soak -- --minutes M --json`: the demo's fleet, a rotation asked for every second, calls all the time; memory,
 * handles and watches counted. Ends with 1 when a call failed, or when memory or handles at the end exceed those of
 * minute five by more than 5 % (by half, for a run too short to have a minute five).
 */
const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '30' }, json: { type: 'boolean', default: false } },
});
const minutes = Number(values.minutes);
const say = (text: string): void => void process.stdout.write(`${text}\n`);

const CALL_EVERY_MS = 5;
const ROTATE_EVERY_MS = 1_000;
/** One rotation in so many is of the CA. */
const CA_EVERY = 30;
const BASELINE_MINUTE = 5;
const NAMES = ['replica-0', 'replica-1', 'replica-2'];
const script = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

await using opened = new AsyncDisposableStack();
const cluster = opened.use(await startCluster(NAMES, 500));
const ports = await freePorts(2 * NAMES.length);
const replicas = NAMES.map((name, at) => {
  const [webhookPort = 0, probePort = 0] = ports.slice(2 * at);
  const env = cluster.replicaEnv(name);
  return opened.use(startReplica({ name, webhookPort, probePort, env }, { node: process.execPath, script }));
});
const failures: string[] = [];
const fleet = opened.use(followFleet(replicas, () => undefined));
await fleet.until(() => fleet.servedByAll() !== null && fleet.endpoints().length === NAMES.length, 60_000);
const caller = opened.use(
  startCaller({
    caBundle$: cluster.caBundle$,
    endpoints: fleet.endpoints,
    serverName: `${demoNames.service}.${demoNames.namespace}.svc`,
    everyMs: CALL_EVERY_MS,
    onFailure: ({ name }, reason) => {
      failures.push(`${name}: ${reason}`);
      say(`CALL FAILED at ${name}: ${reason}`);
    },
  }),
);

const startMs = performance.now();
const endMs = startMs + minutes * 60_000;
const baselineMs = startMs + Math.min(BASELINE_MINUTE, minutes / 2) * 60_000;
const samples = () => replicas.map(({ pid }) => sample(pid));
let baseline: ReturnType<typeof samples> | null = null;
let rotations = 0;
for (let nextMs = startMs + ROTATE_EVERY_MS; performance.now() < endMs; nextMs += ROTATE_EVERY_MS) {
  rotations += 1;
  await cluster.rotate(rotations % CA_EVERY === 0 ? 'ca' : 'leaf');
  if (baseline === null && performance.now() >= baselineMs) baseline = samples();
  if (rotations % 60 === 0)
    say(`${rotations} s  ${caller.calls} calls, ${failures.length} failed, ${JSON.stringify(samples())}`);
  await delay(Math.max(0, nextMs - performance.now()));
}

const end = samples();
const slack = minutes > 2 * BASELINE_MINUTE ? 1.05 : 1.5;
const grown = end.some((now, at) => {
  const before = baseline?.[at];
  return before !== undefined && (now.rssMiB > before.rssMiB * slack || now.handles > before.handles + 8);
});
const { calls } = caller;
const result = {
  minutes,
  rotations,
  adoptions: fleet.adoptionsMs.length,
  calls,
  failed: failures.length,
  baseline,
  end,
};
say(
  values.json
    ? JSON.stringify(result)
    : `${calls} calls, ${failures.length} failed, ${rotations} rotations\n${JSON.stringify({ baseline, end })}`,
);
process.exitCode = failures.length > 0 || grown ? 1 : 0;
