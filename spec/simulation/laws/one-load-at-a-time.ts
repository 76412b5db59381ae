import type { Machine } from '../machine.ts';
import type { LawOf } from './law.ts';

/** F2: never two loads in flight in one process. */
export const oneLoadAtATime: LawOf = () => {
  const flying = new Map<Machine, number>();
  return {
    name: 'F2',
    hear: (signal) => {
      if (signal.type === 'machine' && signal.became === 'crashed') flying.delete(signal.machine);
      if (signal.type !== 'load/began' && signal.type !== 'load/ended') return null;
      const { machine } = signal;
      const now = (flying.get(machine) ?? 0) + (signal.type === 'load/began' ? 1 : -1);
      flying.set(machine, Math.max(0, now));
      return now > 1 ? `${machine.name} began to ${signal.part} while another load was in flight` : null;
    },
  };
};
