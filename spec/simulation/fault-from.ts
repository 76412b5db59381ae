import type { Fault, Who } from './fault.ts';
import type { Random } from './random.ts';

const who = (random: Random): Who => (random.chance(0.4) ? 'leader' : random.pick<Who>([0, 1, 2, 3, 4, 5, 6, 'all']));
const ms = (random: Random, mostS: number): number => random.int(0, mostS * 1_000);

const SPOILS = ['garbage', 'other-key', 'foreign', 'emptied', 'earlier', 'other-trust'] as const;

type Maker = (random: Random) => Fault;

const FAULTS: readonly Maker[] = [
  (random) => ({ kind: 'crash', who: who(random), downMs: ms(random, 90) }),
  (random) => ({ kind: 'crash-at-write', downMs: ms(random, 90) }),
  (random) => ({ kind: 'crash-at-write', downMs: ms(random, 5) }),
  (random) => ({ kind: 'pause', who: who(random), forMs: ms(random, 120) }),
  (random) => ({ kind: 'pause-at-write', forMs: ms(random, 120), renewals: random.chance(0.5) }),
  (random) => ({ kind: 'pause-at-write', forMs: ms(random, 45), renewals: true }),
  (random) => ({ kind: 'replace-pod', who: who(random), graceMs: ms(random, 30) }),
  (random) => ({ kind: 'jump-clock', who: who(random), byMs: random.int(-600_000, 600_000) }),
  (random) => ({ kind: 'cut-off', who: who(random), forMs: ms(random, 90) }),
  (random) => ({
    kind: 'bad-weather',
    who: who(random),
    forMs: ms(random, 120),
    errors: random.pick([0, 0.1, 0.5]),
    losses: random.pick([0, 0.1, 0.5]),
    slowMs: random.pick([50, 1_000, 12_000]),
  }),
  (random) => ({ kind: 'cut-watches', who: who(random), cleanly: random.chance(0.5) }),
  (random) => ({ kind: 'deafen-watches', who: who(random) }),
  () => ({ kind: 'compact' }),
  (random) => ({ kind: 'restart-api-server', downMs: ms(random, 45), forgets: random.chance(0.5) }),
  (random) => ({ kind: 'hang-kubelets', forMs: ms(random, random.pick([120, 600])) }),
  (random) => ({ kind: 'delete', object: random.pick(['lease', 'secret', 'authority'] as const) }),
  (random) => ({ kind: 'spoil-secret', how: random.pick(SPOILS) }),
  (random) => ({ kind: 'spoil-authority', how: random.pick(['garbage', 'earlier'] as const) }),
  (random) => ({
    kind: 'spoil-target',
    target: random.int(0, 1),
    how: random.pick(['emptied', 'foreign', 'earlier'] as const),
  }),
  (random) => ({
    kind: 'refuse-target',
    target: random.int(0, 1),
    forMs: random.chance(0.4) ? null : ms(random, 120),
  }),
  (random) => ({ kind: 'remake-target', target: random.int(0, 1), afterMs: ms(random, 20) }),
  (random) => ({ kind: 'fight', target: random.int(0, 1), everyMs: random.int(100, 5_000), times: random.int(5, 20) }),
  (random) => ({
    kind: 'forge-announcement',
    how: random.pick(['unknown', 'mounted', 'malformed', 'removed'] as const),
  }),
  () => ({ kind: 'set-rotation-request', rotate: 'leaf' }),
  () => ({ kind: 'set-rotation-request', rotate: 'ca' }),
  () => ({ kind: 'set-rotation-request', rotate: 'ca' }),
  (random) => ({ kind: 'set-rotation-request', rotate: random.pick(['please', 'ca/nothing']) }),
  () => ({ kind: 'usurp' }),
  (random) => ({ kind: 'strip-pod', who: who(random), of: random.pick(['servingHash', 'expectedHash'] as const) }),
];

const SOURCES = [
  ...(['leaf', 'leaf', 'ca', 'ca', 'ca', 'self-signed', 'without-trust'] as const),
  ...(['other-key', 'other-trust', 'other-name', 'expired', 'garbage', 'earlier', 'removed'] as const),
];

/** One thing that goes wrong, or comes from the issuer, where its certificates are relayed. */
export const relayFaultFrom = (random: Random): Fault =>
  random.chance(0.4) ? { kind: 'issue-into-source', how: random.pick(SOURCES) } : random.pick(FAULTS)(random);

/** One thing that goes wrong. */
export const faultFrom = (random: Random, isExternal: boolean): Fault =>
  isExternal && random.chance(0.3)
    ? { kind: 'issue-externally', anotherAuthority: random.chance(0.7) }
    : random.pick(FAULTS)(random);
