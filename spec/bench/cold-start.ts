import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../support/free-port.ts';
import { alternately, firstAnswer } from './calls.ts';
import { installed } from './installed.ts';
import { ownPorts, type StartedProgram, startProgram, startReplica } from './programs.ts';
import type { Figure } from './report.ts';

/** From spawn to the first answer through a verified handshake, everything announced and mounted, as a Pod that restarts. */
export const coldStart: Figure = async ({ quick, folder, production, build, peer }) => {
  await using place = await installed(folder);
  const { env, serverName, ca, directory } = place;
  const plainServers = await build('plain-servers');
  const empty = join(folder, 'empty.mjs');
  await writeFile(empty, '');

  const untilAnswered = async (start: (port: number) => StartedProgram) => {
    const port = await freePort();
    const startMs = performance.now();
    await using started = start(port);
    await firstAnswer({ port, serverName, ca }, started);
    return performance.now() - startMs;
  };
  const measured = await alternately(quick ? 1 : 30, {
    own: async () => {
      await place.renew();
      return untilAnswered((port) => startReplica(production, { ...env, ...ownPorts(port) }));
    },
    bare: () => untilAnswered((port) => startProgram(plainServers, ['bare', String(port), directory])),
    go: peer === null ? undefined : () => untilAnswered((port) => peer.start(port, directory)),
    // What Node itself takes to start and to end again: no program on it can be faster.
    node: async () => {
      const startMs = performance.now();
      await using started = startProgram(empty);
      await started.ended;
      return performance.now() - startMs;
    },
  });
  return [
    {
      name: 'cold-start',
      unit: 'ms',
      values: measured.own,
      baseline: { name: 'bare node:https', values: measured.bare },
      go: measured.go,
      limits: [
        { of: 'median', atMost: 200 },
        { of: 'ratio', atMost: 2 },
      ],
    },
    { name: 'node-start', unit: 'ms', values: measured.node, limits: [] },
  ];
};
