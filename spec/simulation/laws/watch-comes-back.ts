import type { Machine } from '../machine.ts';
import { fairWeather } from './fair-weather.ts';
import type { LawOf } from './law.ts';

/** Looked at so often, ms. */
const LOOK_MS = 250;
/** The longest back-off of F8, ms. */
const BACKOFF_MS = 30_000;
/** A list, an opening, and their messages, ms. */
const SECONDS_MS = 5_000;
/** A watch that was being opened when the weather was bad is waited for so long, ms. */
const OPENING_MS = 30_000;
/** And a GET, ms. */
const ANSWER_MS = 10_000;

/**
 * F8, in fair weather: however the watch of the Lease ended, and if it only fell silent, another one stands within
 * WATCH_STALE_AFTER and the longest back-off; and while a replica knows that it has none, it reads the Lease at each tick.
 */
export const watchComesBack: LawOf = (model) => {
  const { machines, net, scenario, time } = model;
  const weather = fairWeather(model);
  const heardAtMs = new Map<Machine, number>();
  const blind = new Map<Machine, number>();
  const mostDeafMs = scenario.policy.staleAfterMs + BACKOFF_MS + SECONDS_MS;
  const mostBlindMs = scenario.policy.tickMs + SECONDS_MS;
  let lookedAtMs = 0;

  return {
    name: 'F8',
    hear: (signal) => {
      if (signal.type === 'machine') {
        heardAtMs.delete(signal.machine);
        if (signal.became === 'crashed') blind.delete(signal.machine);
        else if (signal.became === 'started' || blind.has(signal.machine)) blind.set(signal.machine, time.nowMs());
      }
      if (signal.type === 'lease/told' && blind.has(signal.machine)) blind.set(signal.machine, time.nowMs());
      if (signal.type !== 'event') return null;
      const { machine, event } = signal;
      if (event.type === 'watch/established') {
        blind.delete(machine);
        heardAtMs.set(machine, time.nowMs());
      }
      if (event.type === 'watch/closed' || event.type === 'watch/failed') blind.set(machine, time.nowMs());
      return null;
    },
    look: () => {
      if (time.nowMs() < lookedAtMs + LOOK_MS) return null;
      lookedAtMs = time.nowMs();
      weather.look();
      const hearing = new Set(
        [...net.connections]
          .filter(({ object, isDeaf }) => object === 'lease' && !isDeaf())
          .map(({ machine }) => machine),
      );
      for (const machine of machines()) {
        const fairMs = weather.forMs(machine);
        if (hearing.has(machine.name) || !heardAtMs.has(machine)) heardAtMs.set(machine, time.nowMs());
        const deafMs = time.nowMs() - heardAtMs.get(machine)!;
        if (Math.min(deafMs, fairMs - OPENING_MS) > mostDeafMs)
          return `${machine.name} has had no watch of the Lease for more than ${mostDeafMs} ms`;
        const blindMs = time.nowMs() - (blind.get(machine) ?? time.nowMs());
        if (Math.min(blindMs, fairMs - ANSWER_MS) > mostBlindMs)
          return `${machine.name} has no watch and has not read the Lease for more than ${mostBlindMs} ms`;
      }
      return null;
    },
  };
};
