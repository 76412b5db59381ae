import type { Machine } from '../machine.ts';
import type { LawOf } from './law.ts';

/** F6: ready means served, valid now and shaken hands with; F4: what fails later does not take readiness away. */
export const readyMeansServed: LawOf = ({ machines, scenario, time }) => {
  const handshakes = new Map<Machine, { readonly hash: string; readonly problem: string | null }>();
  const outSinceMs = new Map<Machine, number>();
  /** What expires after it has been swapped in is found out by the handshake that follows. */
  const slackMs = scenario.policy.tickMs + scenario.loadPartMs + 50;

  const isTimely = (machine: Machine): boolean => {
    const nowMs = machine.clock.wallMs();
    const leaf = machine.served()?.pair.leaf;
    return leaf !== undefined && leaf.notBeforeMs <= nowMs && nowMs < leaf.notAfterMs;
  };

  return {
    name: 'F4/F6',
    hear: (signal) => {
      // Another server may change what it shows at any time.
      if (scenario.neighbours !== null) return null;
      if (signal.type === 'machine' && signal.became !== 'paused') {
        outSinceMs.delete(signal.machine);
        if (signal.became !== 'resumed') handshakes.delete(signal.machine);
      }
      if (signal.type === 'shook-hands') handshakes.set(signal.machine, signal);
      if (signal.type !== 'event' || signal.event.type !== 'readiness/changed') return null;
      const { machine, event } = signal;
      const served = machine.served();
      const handshake = handshakes.get(machine);
      const isProven = served !== null && handshake?.hash === served.pair.hash && handshake.problem === null;
      if (event.readiness.ready) {
        if (served === null || event.readiness.served?.hash !== served.pair.hash)
          return `${machine.name} calls itself ready for what it does not serve`;
        if (!isTimely(machine)) return `${machine.name} calls itself ready with ${served.pair.hash} out of its time`;
        return isProven ? null : `${machine.name} is ready without a handshake with ${served.pair.hash}`;
      }
      const stillGood = isProven && isTimely(machine) && event.readiness.served !== null;
      return stillGood ? `${machine.name} is not ready although ${served.pair.hash} is served and good` : null;
    },
    look: () => {
      if (scenario.neighbours !== null) return null;
      for (const machine of machines()) {
        if (!machine.isReady() || machine.isPaused() || isTimely(machine)) {
          outSinceMs.delete(machine);
          continue;
        }
        const sinceMs = outSinceMs.get(machine) ?? time.nowMs();
        outSinceMs.set(machine, sinceMs);
        if (time.nowMs() - sinceMs > slackMs)
          return `${machine.name} stays ready with ${machine.served()?.pair.hash ?? 'nothing'} out of its time`;
      }
      return null;
    },
  };
};
