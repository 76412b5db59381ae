import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { atomicWriter } from '../support/atomic-writer.ts';
import { freePort } from '../support/free-port.ts';
import { alternately, firstAnswer, newHandshake } from './calls.ts';
import { filesOf, installed } from './installed.ts';
import { ownPorts, startProgram, startReplica } from './programs.ts';
import type { Figure } from './report.ts';

/** Whatever comes first of announcement and mount has long been seen by then. */
const SETTLED_MS = 200;

/** From the last thing that had to happen to the end of the first new handshake that shows the new certificate. */
export const adoption: Figure = async ({ quick, folder, production, build }) => {
  await using place = await installed(join(folder, 'own'));
  const { env, serverName, ca } = place;
  const own = { port: await freePort(), serverName, ca };
  const bare = { ...own, port: await freePort() };

  const bareDirectory = join(folder, 'bare');
  await mkdir(bareDirectory);
  const bareWriter = atomicWriter(bareDirectory);
  await bareWriter.write(filesOf(await place.issue()));
  const plainServers = await build('plain-servers');
  await using replica = startReplica(production, { ...env, ...ownPorts(own.port) });
  await using other = startProgram(plainServers, ['bare', String(bare.port), bareDirectory, 'watch']);
  await firstAnswer(own, replica);
  await firstAnswer(bare, other);

  const measured = await alternately(quick ? 1 : 60, {
    afterSwap: async () => {
      const pair = await place.issue();
      await place.announce(pair);
      const swap = await place.prepareMount(pair);
      await delay(SETTLED_MS);
      const startMs = performance.now();
      const swapped = swap();
      await newHandshake(own, pair);
      const tookMs = performance.now() - startMs;
      await swapped;
      return tookMs;
    },
    bare: async () => {
      const pair = await place.issue();
      const swap = await bareWriter.prepare(filesOf(pair));
      await delay(SETTLED_MS);
      const startMs = performance.now();
      const swapped = swap();
      await newHandshake(bare, pair);
      const tookMs = performance.now() - startMs;
      await swapped;
      return tookMs;
    },
    afterAnnouncement: async () => {
      const pair = await place.issue();
      const swap = await place.prepareMount(pair);
      await swap();
      await delay(SETTLED_MS);
      const startMs = performance.now();
      const announced = place.announce(pair);
      await newHandshake(own, pair);
      const tookMs = performance.now() - startMs;
      await announced;
      return tookMs;
    },
  });
  return [
    {
      name: 'adoption-after-swap',
      unit: 'ms',
      values: measured.afterSwap,
      baseline: { name: 'bare fs.watch', values: measured.bare },
      limits: [
        { of: 'ratio', atMost: 1.3 },
        { of: 'p99', atMost: 25 },
      ],
    },
    { name: 'adoption-after-announcement', unit: 'ms', values: measured.afterAnnouncement, limits: [] },
  ];
};
