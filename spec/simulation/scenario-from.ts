import type { Fault } from './fault.ts';
import { faultFrom, relayFaultFrom } from './fault-from.ts';
import { type Random, randomFrom } from './random.ts';
import type { NeighbourHabit, Scenario, TimedFault } from './scenario.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** LEASE_DURATION, RENEW_DEADLINE, RETRY_PERIOD: the defaults, client-go's, and short ones. */
const ELECTIONS = [
  [60, 40, 15],
  [15, 10, 2],
  [10, 6, 2],
] as const;

/** CERT_VALIDITY, RENEW_BEFORE, CA_VALIDITY, CA_RENEW_BEFORE in minutes: the defaults, and lives that end meanwhile. */
const LIVES = [
  [365 * 1440, 30 * 1440, 3650 * 1440, 365 * 1440],
  [365 * 1440, 30 * 1440, 3650 * 1440, 365 * 1440],
  [8, 4, 3650 * 1440, 365 * 1440],
  [60, 20, 20, 10],
] as const;

const HABITS: readonly NeighbourHabit[] = ['prompt', 'late', 'never', 'once', 'some-never', 'older-mount'];

const NAMES = ['webhook.ns.svc'];

/** Spread over the time there is, or all in a rush, where one catches what another has begun. */
const faultsFrom = (random: Random, untilMs: number, draw: (random: Random) => Fault): readonly TimedFault[] => {
  const lengthMs = random.chance(0.5) ? untilMs : random.int(2, 40) * SECOND_MS;
  const fromMs = random.int(0, Math.max(0, untilMs - lengthMs));
  return Array.from({ length: random.int(0, 14) }, () => ({
    atMs: fromMs + random.int(0, lengthMs),
    fault: draw(random),
  })).sort((left, right) => left.atMs - right.atMs);
};

/** One API server, or two or three that lag: mostly by less than TRUST_SETTLE, and sometimes by more. */
const apiServersFrom = (random: Random, trustSettleMs: number): readonly (readonly number[])[] =>
  Array.from({ length: random.int(1, 3) }, () => {
    const mostMs = random.pick([0, SECOND_MS, 0.9 * trustSettleMs, 0.9 * trustSettleMs, 3 * trustSettleMs]);
    return [random.int(0, mostMs), random.int(0, mostMs)];
  });

/** In each tenth history another program issues, and the leader relays; the others stay as they were. */
const isRelayed = (seed: number): boolean => seed % 10 === 7;

/** One history, all of it, out of one number. */
export const scenarioFrom = (seed: number): Scenario => {
  const scenario = issuedFrom(seed);
  if (!isRelayed(seed)) return scenario;
  const random = randomFrom(seed).fork('relay');
  const faults = faultsFrom(random, scenario.calmAtMs, relayFaultFrom);
  return { ...scenario, policy: { ...scenario.policy, issuer: 'relay' }, faults };
};

const issuedFrom = (seed: number): Scenario => {
  const random = randomFrom(seed).fork('scenario');
  const [durationS, deadlineS, retryS] = random.pick(ELECTIONS);
  const [validMin, renewMin, caMin, caRenewMin] = random.pick(LIVES);
  const isExternal = random.chance(0.15);
  // Most of what goes wrong goes wrong soon; only long histories see a certificate end.
  const calmAtMs = random.chance(0.7) ? random.int(15, 80) * SECOND_MS : random.int(1, 6) * MINUTE_MS;
  const lifeMs = Math.min(validMin, caMin) * MINUTE_MS;
  const staleAfterMs = durationS * SECOND_MS;
  // Drawn apart, so that the other histories stay as they were.
  const neighbour = randomFrom(seed).fork('neighbours');
  const neighbours = !isExternal && neighbour.chance(0.15) ? neighbour.pick(HABITS) : null;
  const replicas = random.chance(0.8) ? random.int(1, 3) : random.int(4, 7);
  const targets = random.int(1, 2);
  const tickMs = random.pick([2, 5, 10]) * SECOND_MS;
  const ofServers = randomFrom(seed).fork('API servers');
  const trustSettleMs = ofServers.pick([10, 10, 10, 3, 0]) * SECOND_MS;
  return {
    seed,
    replicas,
    targets,
    apiServerLagsMs: apiServersFrom(ofServers, trustSettleMs),
    policy: {
      names: NAMES,
      issuer: isExternal ? 'external' : 'self-signed',
      tickMs,
      certTimeoutMs: random.chance(0.8) ? 180 * SECOND_MS : null,
      kubeletNudge: random.chance(0.8),
      reviewEveryMs: neighbours === null ? null : tickMs,
      leaderElection: true,
      renewDeadlineMs: deadlineS * SECOND_MS,
      retryPeriodMs: retryS * SECOND_MS,
      staleAfterMs,
      quietAfterMs: Math.max(150 * SECOND_MS, 2.5 * staleAfterMs),
      renewBeforeMs: renewMin * MINUTE_MS,
      caRenewBeforeMs: caRenewMin * MINUTE_MS,
      caOverlapMs: random.pick([0, 10, 60]) * SECOND_MS,
      trustSettleMs,
    },
    leaseDurationMs: durationS * SECOND_MS,
    certValidityMs: validMin * MINUTE_MS,
    caValidityMs: caMin * MINUTE_MS,
    // Ten minutes: nobody issues for eight what a kubelet takes ten to bring.
    kubeletDelayMs: (random.chance(0.03) ? (lifeMs > DAY_MS ? 600 : 60) : random.pick([0, 3, 60])) * SECOND_MS,
    loadPartMs: random.pick([40, 40, 3 * SECOND_MS]),
    neighbours,
    inotify: random.chance(0.8),
    podsWritable: random.chance(0.85),
    podsReadable: random.chance(0.9),
    mostSkewMs: Math.min(random.pick([0, 5_000, 600_000]), lifeMs / 16),
    standing:
      isExternal || random.chance(0.6)
        ? {
            leafLeftMs: random.pick([3 * MINUTE_MS, 30 * MINUTE_MS, 200 * DAY_MS]),
            caLeftMs: random.pick([15 * MINUTE_MS, 300 * DAY_MS, 3000 * DAY_MS]),
            unbundled: random.chance(0.15),
            names: random.chance(0.9) ? NAMES : ['renamed.ns.svc'],
          }
        : null,
    faults: faultsFrom(random, calmAtMs, (own) => faultFrom(own, isExternal)),
    calmAtMs,
  };
};
