import type { Machine } from '../machine.ts';
import type { LawOf } from './law.ts';

/** A reading and what delays it, ms. */
const READING_MS = 100;

/** F9: whatever the kubelet mounts is read at the next tick, whether directory events come or not. */
export const pollingIsEnough: LawOf = ({ scenario, time }) => {
  const unreadSinceMs = new Map<Machine, number>();
  const mostMs = scenario.policy.tickMs + READING_MS;
  return {
    name: 'F9',
    hear: (signal) => {
      if (signal.type === 'machine') {
        const { machine, became } = signal;
        if (became === 'crashed' || became === 'paused') unreadSinceMs.delete(machine);
        else unreadSinceMs.set(machine, time.nowMs());
      }
      if (signal.type === 'mount/swapped') {
        const { machine } = signal;
        if (machine.isRunning() && !machine.isPaused()) unreadSinceMs.set(machine, time.nowMs());
      }
      if (signal.type === 'mount/read') {
        const { machine, reading } = signal;
        if (reading.generation === machine.volume.current().id) unreadSinceMs.delete(machine);
        // A torn one is read again at the next tick.
        else if (unreadSinceMs.has(machine)) unreadSinceMs.set(machine, time.nowMs());
      }
      return null;
    },
    look: () => {
      for (const [machine, sinceMs] of unreadSinceMs)
        if (time.nowMs() - sinceMs > mostMs)
          return `${machine.name} has not read ${machine.volume.current().crt} within ${mostMs} ms`;
      return null;
    },
  };
};
