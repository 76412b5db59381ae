import type { Machine } from '../machine.ts';
import { fairWeather } from './fair-weather.ts';
import type { LawOf } from './law.ts';

/** Looked at so often, ms. */
const LOOK_MS = 100;
/** L4's second. */
const REPAIR_MS = 1_000;
/** A read, a write, a reading back, and the same for another caBundle before it; one message in a hundred takes a second. */
const MESSAGES_MS = 4_000;
/** For so long nothing else may have been written, nor anything gone wrong, ms. */
const QUIET_MS = 15_000;
/** Five repairs in five minutes are a fight, which slows down. */
const FIGHT_MS = 6 * 60_000;
const FAST_REPAIRS = 5;

interface Drift {
  readonly leader: Machine;
  readonly version: string;
  readonly atMs: number;
}

/** L4: a caBundle that somebody has changed is repaired within 1 s of its event, when nothing hinders the leader. */
export const driftRepaired: LawOf = (model) => {
  const { api, machines, net, pki, scenario, time } = model;
  const weather = fairWeather(model);
  const drifts = new Map<string, Drift>();
  const spoiledAtMs: number[] = [];
  let quietFromMs = 0;
  let lookedAtMs = 0;

  /** What SECRET-ca trusts by now may have been said on a watch that carries nothing any more. */
  const isDeaf = ({ name }: Machine): boolean =>
    [...net.connections].some((connection) => connection.machine === name && connection.isDeaf());

  const isSettled = (leader: Machine): boolean =>
    !isDeaf(leader) &&
    time.nowMs() - quietFromMs > QUIET_MS &&
    weather.forMs(leader) > QUIET_MS &&
    leader.isLeading() &&
    api.lease.get('lease')?.value.holder === leader.name;

  return {
    name: 'L4',
    hear: (signal) => {
      if (signal.type === 'machine') quietFromMs = time.nowMs();
      if (
        signal.type === 'event' &&
        signal.event.type.startsWith('leadership/') &&
        signal.event.type !== 'leadership/renewed'
      )
        quietFromMs = time.nowMs();
      if (signal.type === 'written') {
        if (signal.kind === 'target') {
          drifts.delete(signal.name);
          if (!machines().some(({ name }) => name === signal.by)) spoiledAtMs.push(time.nowMs());
        } else if (signal.kind !== 'pod' && signal.why !== 'renew') quietFromMs = time.nowMs();
      }
      if (signal.type === 'target/told' && scenario.policy.issuer === 'self-signed') {
        const { machine: leader, name, version } = signal;
        const target = api.target.get(name);
        const authority = api.authority.get('authority')?.value;
        const usable = authority !== undefined && pki.get(authority.crt)?.key === authority.key;
        const lately = spoiledAtMs.filter((atMs) => atMs > time.nowMs() - FIGHT_MS).length;
        if (api.refusing.has(name)) return null;
        if (target === null || String(target.version) !== version || !usable || lately >= FAST_REPAIRS) return null;
        const trusted = [...authority.bundle].sort().join();
        const drifted = !target.value.bundles.every((bundle) => [...bundle].sort().join() === trusted);
        if (drifted && isSettled(leader)) drifts.set(name, { leader, version, atMs: time.nowMs() });
      }
      return null;
    },
    look: () => {
      if (time.nowMs() < lookedAtMs + LOOK_MS) return null;
      lookedAtMs = time.nowMs();
      weather.look();
      for (const [name, { leader, atMs }] of drifts) {
        if (!isSettled(leader) || api.refusing.has(name)) drifts.delete(name);
        else if (time.nowMs() - atMs > REPAIR_MS + MESSAGES_MS)
          return `${leader.name} has known for ${time.nowMs() - atMs} ms that ${name} has drifted`;
      }
      return null;
    },
  };
};
