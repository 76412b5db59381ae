import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../support/free-port.ts';
import { until } from '../support/until.ts';
import { firstAnswer } from './calls.ts';
import { installed, mountIssued } from './installed.ts';
import { ownPorts, type ProcReading, procReading, startProgram, startReplica } from './programs.ts';
import type { Figure, Finding } from './report.ts';

const MINUTE_MS = 60_000;
/** The leader's RETRY_PERIOD: each renewal is a watch event to every replica. */
const RENEW_EVERY_MS = 15_000;
const WINDOWS = 4;

const isReady = (port: number): Promise<boolean> =>
  fetch(`http://127.0.0.1:${port}/readyz`).then(
    ({ ok }) => ok,
    () => false,
  );

/**
 * What a replica costs while nobody calls: a follower whose leader renews, a leader that has issued everything, a bare server,
 * the same in Go, and a follower that proves what the bare one serves, side by side. Memory after a minute, then work in each quarter of the next one.
 */
export const idle: Figure = async ({ quick, folder, production, build, peer, say }) => {
  await using led = await installed(join(folder, 'follower'));
  await using unled = await installed(join(folder, 'leader'), false);
  const [followerPort, leaderPort, barePort] = [await freePort(), await freePort(), await freePort()];
  const probePort = await freePort();
  await using follower = startReplica(production, { ...led.env, ...ownPorts(followerPort) });
  await using leader = startReplica(production, { ...unled.env, ...ownPorts(leaderPort) });
  await using bare = startProgram(await build('plain-servers'), ['bare', String(barePort), led.directory]);
  await firstAnswer({ ...led, port: followerPort }, follower);
  await firstAnswer({ ...led, port: barePort }, bare);
  const goPort = await freePort();
  await using go = peer?.start(goPort, led.directory) ?? null;
  if (go !== null) await firstAnswer({ ...led, port: goPort }, go);
  await using witness = startReplica(production, {
    ...led.env,
    WEBHOOK_HANDLER: '',
    SERVING_ADDRESS: `127.0.0.1:${barePort}`,
    HEALTH_PROBE_BIND_ADDRESS: `127.0.0.1:${probePort}`,
    METRICS_BIND_ADDRESS: '127.0.0.1:0',
  });
  await until(() => isReady(probePort), 30_000);
  await firstAnswer({ ...unled, port: leaderPort, ca: await mountIssued(unled) }, leader);

  const pids = { follower: follower.pid, leader: leader.pid, bare: bare.pid, witness: witness.pid };
  type Who = keyof typeof pids | 'go';
  const readAll = () =>
    Object.fromEntries(
      Object.entries(go === null ? pids : { ...pids, go: go.pid }).map(([who, pid]) => [who, procReading(pid)]),
    ) as Record<Who, ProcReading>;
  const pass = async (ms: number): Promise<void> => {
    const endMs = performance.now() + ms;
    for (let leftMs = ms; leftMs > 0; leftMs = endMs - performance.now()) {
      await led.renew();
      await delay(Math.min(leftMs, RENEW_EVERY_MS));
    }
  };

  const windowMs = quick ? 200 : MINUTE_MS / WINDOWS;
  await pass(quick ? 200 : MINUTE_MS);
  const readings = [readAll()];
  for (let window = 0; window < (quick ? 1 : WINDOWS); window += 1) {
    await pass(windowMs);
    readings.push(readAll());
  }

  const each = (who: Who, what: keyof ProcReading) => readings.map((reading) => reading[who][what]);
  const aMinute = (who: Who, what: 'cpuMs' | 'wakeUps') =>
    each(who, what)
      .slice(1)
      .map((value, at) => ((value - each(who, what)[at]!) * MINUTE_MS) / windowMs);
  const baseline = (what: keyof ProcReading) => ({ name: 'bare node:https', values: each('bare', what) });
  say(
    `idle: bare ${Math.max(...aMinute('bare', 'cpuMs')).toFixed(1)} ms and ${String(Math.max(...aMinute('bare', 'wakeUps')))} wake-ups a minute`,
  );

  /** The Go program's is put beside a follower's. */
  const besideGo = (who: Who, values: () => readonly number[]) =>
    who === 'follower' && go !== null ? { go: values() } : {};

  const findings: Finding[] = [];
  for (const who of ['follower', 'leader'] as const) {
    const isLeader = who === 'leader';
    findings.push(
      {
        name: `idle-cpu-${who}`,
        unit: 'ms/min',
        values: aMinute(who, 'cpuMs'),
        ...besideGo(who, () => aMinute('go', 'cpuMs')),
        limits: [{ of: 'median', atMost: isLeader ? 35 : 30 }],
      },
      { name: `idle-wake-ups-${who}`, unit: '1/min', values: aMinute(who, 'wakeUps'), limits: [] },
      {
        name: `idle-rss-${who}`,
        unit: 'MiB',
        values: each(who, 'rssMiB'),
        ...besideGo(who, () => each('go', 'rssMiB')),
        baseline: isLeader ? { name: 'follower', values: each('follower', 'rssMiB') } : baseline('rssMiB'),
        limits: isLeader
          ? [{ of: 'median', atMost: each('follower', 'rssMiB').at(-1)! + 30 }]
          : [
              { of: 'median', atMost: 80 },
              { of: 'ratio', atMost: 1.35 },
            ],
      },
    );
  }
  return [
    ...findings,
    {
      name: 'idle-cpu-serving-address',
      unit: 'ms/min',
      values: aMinute('witness', 'cpuMs'),
      baseline: { name: 'follower', values: aMinute('follower', 'cpuMs') },
      limits: [],
    },
    {
      name: 'idle-rss-serving-address',
      unit: 'MiB',
      values: each('witness', 'rssMiB'),
      baseline: { name: 'follower', values: each('follower', 'rssMiB') },
      limits: [{ of: 'ratio', atMost: 0.9 }],
    },
    {
      name: 'idle-pss-follower',
      unit: 'MiB',
      values: each('follower', 'pssMiB'),
      baseline: baseline('pssMiB'),
      limits: [],
    },
  ];
};
