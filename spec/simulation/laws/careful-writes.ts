import type { Machine } from '../machine.ts';
import type { LawOf } from './law.ts';

/** L3: who may write, one at a time, and never for nothing. */
export const carefulWrites: LawOf = ({ api, machines, scenario, time }) => {
  /** Since when each machine is known to hold the Lease: when the write left that it was last told to have won by. */
  const heldSinceMs = new Map<Machine, number>();
  const deposed = new Set<Machine>();
  const asking = new Map<Machine, number>();
  let recordedAtMs = 0;
  const { renewDeadlineMs } = scenario.policy;

  return {
    name: 'L3',
    hear: (signal) => {
      if (signal.type === 'machine' && signal.became === 'crashed')
        for (const known of [heldSinceMs, deposed, asking]) known.delete(signal.machine);
      if (signal.type === 'lease/told') {
        const { machine, lease, answers } = signal;
        if (answers !== null && answers.change.kind !== 'release' && lease?.holder === machine.name) {
          if (answers.change.kind === 'claim' || answers.change.kind === 'renew')
            heldSinceMs.set(machine, answers.sentAtMs);
          deposed.delete(machine);
        } else if (lease !== null && lease.holder !== machine.name) {
          const standing = api.lease.get('lease');
          if (standing?.value.holder !== machine.name) deposed.add(machine);
        }
      }
      if (signal.type === 'lease/asked' || signal.type === 'lease/settled') {
        const { machine } = signal;
        const now = (asking.get(machine) ?? 0) + (signal.type === 'lease/asked' ? 1 : -1);
        asking.set(machine, Math.max(0, now));
        if (now > 1) return `${machine.name} sends two writes to the Lease at once`;
      }
      if (signal.type === 'sent') {
        const { machine, step } = signal;
        const sinceMs = heldSinceMs.get(machine);
        if (sinceMs === undefined || time.nowMs() - sinceMs >= renewDeadlineMs)
          return `${machine.name} sends ${step.kind} although it has not renewed in time`;
        if (deposed.has(machine)) return `${machine.name} sends ${step.kind} although it knows another leader`;
      }
      if (signal.type !== 'written' || signal.kind === 'pod') return null;
      const { by, why, before, after, kind } = signal;
      const isOurs = machines().some(({ name }) => name === by);
      if (isOurs && before !== null && before === after) return `${by} wrote ${kind} for nothing (${why})`;
      if (signal.kind !== 'lease') return null;
      const holder = signal.before?.holder ?? null;
      const elapsedMs = time.nowMs() - recordedAtMs;
      if (signal.before?.renewTime !== signal.after?.renewTime || signal.before?.holder !== signal.after?.holder)
        recordedAtMs = time.nowMs();
      if (!isOurs || holder === by) return null;
      if (why !== 'claim') return signal.before === null ? null : `${by} wrote the Lease (${why}) that ${holder} holds`;
      const early = holder !== null && elapsedMs < (signal.before?.durationMs ?? 0);
      return early ? `${by} took the Lease from ${holder} ${elapsedMs} ms after its renewal` : null;
    },
  };
};
