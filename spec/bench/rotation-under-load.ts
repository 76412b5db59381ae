import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../support/free-port.ts';
import { callMany, firstAnswer } from './calls.ts';
import { installed } from './installed.ts';
import { ownPorts, procReading, startReplica } from './programs.ts';
import { type Figure, summary } from './report.ts';

const SWAP_EVERY_MS = 500;
const CALLERS = 16;
/** A swap must not be seen in the slowest answers. */
const P99_OF_P50 = 3;

/** 40,000 calls while the certificate changes every 500 ms; then what the replica holds on to. */
export const rotationUnderLoad: Figure = async ({ quick, folder, production, say }) => {
  await using place = await installed(folder);
  const port = await freePort();
  const { env, serverName, ca } = place;
  await using replica = startReplica(production, { ...env, ...ownPorts(port) });
  await firstAnswer({ port, serverName, ca }, replica);

  const calls = quick ? 400 : 40_000;
  const before = procReading(replica.pid);
  let done = false;
  let swaps = 0;
  const swapping = async (): Promise<void> => {
    for (let nextMs = performance.now(); !done; nextMs += SWAP_EVERY_MS) {
      const pair = await place.issue();
      const swap = await place.prepareMount(pair);
      await place.announce(pair);
      await swap();
      swaps += 1;
      await delay(Math.max(0, nextMs + SWAP_EVERY_MS - performance.now()));
    }
  };
  const swapped = swapping();
  const { latenciesMs, failures } = await callMany({ port, serverName, ca, calls, callers: CALLERS });
  done = true;
  await swapped;
  const { rssMiB } = procReading(replica.pid);
  say(`rotation-under-load: ${calls} calls, ${swaps} swaps; RSS ${before.rssMiB.toFixed()} MiB before`);
  for (const failure of new Set(failures)) say(`  failed: ${failure}`);
  return [
    {
      name: 'rotation-failed-calls',
      unit: `of ${calls}`,
      values: [failures.length],
      limits: [{ of: 'median', atMost: 0 }],
    },
    {
      name: 'rotation-latency',
      unit: 'ms',
      values: latenciesMs,
      limits: [{ of: 'p99', atMost: Number((P99_OF_P50 * summary(latenciesMs).median).toPrecision(3)) }],
    },
    { name: 'rss-after-load', unit: 'MiB', values: [rssMiB], limits: [{ of: 'median', atMost: 110 }] },
  ];
};
