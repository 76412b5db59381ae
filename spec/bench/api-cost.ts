import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startApiServer } from '../../src/dev-cluster/api-server.ts';
import { watchSeconds } from '../../src/kube/watch-objects.ts';
import { rawApi } from '../support/raw-api.ts';
import { fleetInstallation, startFleet } from './fleet-cluster.ts';
import type { Figure, Finding } from './report.ts';

const SIZES = [1, 10, 100, 1_000];
/** The leader's, beside its watch of the Lease: two Secrets, Pods, one target. */
const LEADER_WATCHES = 4;
const MARK_SIZE = 100;

/** A watch is opened again when its time is up, which no run of a few minutes sees: this is how often, a minute. */
const reopenedPerMinute = (watches: number): number => {
  const samples = Array.from({ length: 10_000 }, watchSeconds);
  return watches / (samples.reduce((sum, seconds) => sum + seconds, 0) / samples.length / 60);
};

/**
 * What fleets that have nothing to do cost the API server, by its own count: four installations side by side, each a
 * user of its own. Requests are those seen and, added by arithmetic, those of watches that will be opened again.
 */
export const apiCost: Figure = async ({ quick, folder, say }) => {
  await using opened = new AsyncDisposableStack();
  const server = opened.use(await startApiServer());
  const { port, caPem, follow } = server;
  const admin = opened.use(rawApi({ url: server.url, caPem, token: server.adminToken }));
  const fleet = opened.use(startFleet());
  const sizes = quick ? [1, 10] : SIZES;
  const seconds = quick ? 2 : 120;

  for (const replicas of sizes) {
    const [user, token] = [`fleet-${replicas}`, `token-of-${replicas}`];
    server.addUser({ user, token });
    const own = join(folder, user);
    await mkdir(own);
    const place = { port, caPem, admin, follow, folder: own, namespace: user, replicas, token };
    await fleet.add(opened.use(await fleetInstallation(place)));
  }
  // Until the leaders have seen everybody's acknowledgement and said so on the Lease.
  await delay(quick ? 0 : 20_000);

  const before = sizes.map((size) => server.watchEvents.changes(`fleet-${size}`));
  const [sinceMs, connections] = [Date.now(), server.connections];
  await delay(seconds * 1_000);
  const minutes = (Date.now() - sinceMs) / 60_000;
  say(
    `api-cost: embedded API server, ${seconds} s, ${server.connections - connections} connections opened meanwhile; ` +
      'the leader renews each RETRY_PERIOD however many replicas there are, and each renewal is one event to each',
  );

  return sizes.flatMap((size, at): Finding[] => {
    const user = `fleet-${size}`;
    const asked = server.requests.entries.filter((entry) => entry.user === user && entry.atMs >= sinceMs);
    const verbs = [...Map.groupBy(asked, ({ verb, resource }) => `${verb} ${resource ?? ''}`)];
    const seen = asked.length / minutes;
    const reopened = reopenedPerMinute(size + LEADER_WATCHES);
    say(
      `  ${size}: ${seen.toFixed(1)} requests a minute seen ` +
        `(${verbs.map(([what, those]) => `${those.length} ${what}`).join(', ') || 'none'} in all), ` +
        `${reopened.toFixed(2)} for watches opened again every 30 to 60 minutes`,
    );
    const events = (server.watchEvents.changes(user) - before[at]!) / minutes;
    return [
      {
        name: `api-requests-${size}`,
        unit: '1/min',
        values: [seen + reopened],
        limits: size === MARK_SIZE ? [{ of: 'median', atMost: 8 }] : [],
      },
      { name: `api-watch-events-${size}`, unit: '1/min', values: [events], limits: [] },
    ];
  });
};
