import type { LawOf } from './law.ts';

interface Repairs {
  readonly given: Set<string>;
  readonly repairedAtMs: number[];
}

const MINUTE_MS = 60_000;
/** What the fight of a minute may cost at most: the number is issue 3's. */
const MOST_REPAIRS = 10;

/** L4: a leader that somebody fights over a caBundle writes it back at most ten times a minute. */
export const slowFights: LawOf = ({ machines, time }) => {
  const tenures = new Map<string, Map<string, Repairs>>();
  return {
    name: 'L4',
    hear: (signal) => {
      if (signal.type === 'event' && signal.event.type === 'leadership/acquired')
        tenures.set(signal.machine.name, new Map());
      if (signal.type !== 'written' || signal.kind !== 'target' || signal.after === null) return null;
      const { by, name, after } = signal;
      const tenure = tenures.get(by);
      if (tenure === undefined || !machines().some((machine) => machine.name === by)) return null;
      const repairs = tenure.get(name) ?? { given: new Set(), repairedAtMs: [] };
      tenure.set(name, repairs);
      const set = [...(after.bundles[0] ?? [])].sort().join();
      if (!repairs.given.has(set)) {
        repairs.given.add(set);
        return null;
      }
      repairs.repairedAtMs.push(time.nowMs());
      const lately = repairs.repairedAtMs.filter((atMs) => atMs > time.nowMs() - MINUTE_MS).length;
      return lately > MOST_REPAIRS ? `${by} repaired ${name} ${lately} times in a minute` : null;
    },
  };
};
