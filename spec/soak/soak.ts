import { setTimeout as delay } from 'node:timers/promises';
import { startCaller } from '../../src/demo/caller.ts';
import { demoNames } from '../../src/demo/cluster.ts';
import { ownFlags } from '../support/tool-flags.ts';
import { leastOf, type Sample } from './sample.ts';
import { startSoakFleet } from './soak-fleet.ts';
import { type Rest, soakVerdict, type Taken } from './soak-verdict.ts';

const about = `npm run soak -- [--minutes M] [--json]

Runs the demo's fleet from the bundle: a rotation asked for every second, once a minute of the CA, which then gets its
overlap before the next; two hundred calls a second. Memory is compared between minute five and the last minute (the
middle and the end of a shorter run), each the median of a minute; handles and watches between the rest before and the
rest after. Ends with 1 when a call failed or something was left behind, with 2 for a bad flag.`;
const flags = ownFlags(about, {
  minutes: {
    standard: '30',
    accepts: 'minutes, more than 0',
    isGood: (text) => Number(text) > 0,
    help: 'how long, the rests not counted',
  },
});
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const minutes = Number(flags.asked.minutes);

const CALL_EVERY_MS = 5;
const ROTATE_EVERY_MS = 1_000;
const CA_EVERY_MS = 60_000;
/** An overlap of 3 s, on a machine that has other things to do. */
const CA_WITHIN_MS = 30_000;
/** Kept connections to the API server are closed after 60 s without use, and a watch that says nothing is replaced. */
const REST_MS = 70_000;
const LOOKS = 20;
const endMs = minutes * 60_000;
const baselineMs = Math.min(5 * 60_000, endMs / 2);

await using soaked = await startSoakFleet();
const { cluster, fleet } = soaked;
const rest = async (): Promise<Rest> => {
  await delay(REST_MS);
  const looks: (readonly Sample[])[] = [];
  const apiWatches: number[] = [];
  for (let look = 0; look < LOOKS; look += 1) {
    await delay(1_000);
    looks.push(soaked.samples());
    apiWatches.push(cluster.openWatches());
  }
  return { samples: leastOf(looks), apiWatches: Math.min(...apiWatches) };
};
say(`at rest for ${REST_MS / 1000} s, to count handles and watches`);
const before = await rest();

using caller = startCaller({
  caBundle$: cluster.caBundle$,
  endpoints: fleet.endpoints,
  serverName: `${demoNames.service}.${demoNames.namespace}.svc`,
  everyMs: CALL_EVERY_MS,
  onFailure: ({ name }, reason) => say(`CALL FAILED at ${name}: ${reason}`),
});

const startMs = performance.now();
const taken: Taken[] = [];
let heapsAtBaseline: readonly number[] = [];
let rotations = 0;
let nextCaMs = CA_EVERY_MS;
for (let atMs = 0; atMs < endMs; atMs = performance.now() - startMs) {
  rotations += 1;
  if (atMs >= nextCaMs) {
    nextCaMs += CA_EVERY_MS;
    const { narrowed } = fleet;
    await cluster.rotate('ca');
    // On a machine that is late the older CA stays longer: the bundle grows, and is narrowed later.
    await fleet.until(() => fleet.narrowed > narrowed, CA_WITHIN_MS).catch(() => say('the older CA is still trusted'));
    say(
      `${Math.round(atMs / 1000)} s  ${caller.calls} calls, ${caller.failed} failed, ${JSON.stringify(taken.at(-1)?.samples)}`,
    );
  } else await cluster.rotate('leaf');
  taken.push({ atMs, samples: soaked.samples() });
  if (heapsAtBaseline.length === 0 && atMs >= baselineMs) heapsAtBaseline = await soaked.heapsMiB();
  await delay(Math.max(0, startMs + atMs + ROTATE_EVERY_MS - performance.now()));
}
const heapsAtEnd = await soaked.heapsMiB();
caller[Symbol.dispose]();
say(`calls and rotations are over; at rest for ${REST_MS / 1000} s`);
const after = await rest();

const verdict = soakVerdict({ taken, baselineMs, endMs, before, after, heapsAtBaseline, heapsAtEnd });
const { calls, failed } = caller;
const counts = { rotations, adoptions: fleet.adoptionsMs.length, narrowed: fleet.narrowed, calls, failed };
const result = { minutes, ...counts, ...verdict };
say(flags.json ? JSON.stringify(result) : JSON.stringify(result, null, 1));
process.exitCode = failed > 0 || verdict.leftBehind.length > 0 ? 1 : 0;
