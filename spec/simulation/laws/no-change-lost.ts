import type { Machine } from '../machine.ts';
import type { LawOf } from './law.ts';

interface Sight {
  announced: string | null;
  mounted: string | null;
  /** The hash the last load came to an end with, whatever the end. */
  concluded: string | null;
  loads: number;
  /** Since when a load is due and none is in flight, ms of virtual time. */
  idleSinceMs: number | null;
}

/** Right after it, not at the next tick (the shortest is 2 s); a load starts in the instant the one before it ends. */
const AT_ONCE_MS = 100;

/** F3: as soon as announcement and mount agree on something else than what was loaded last, it is being loaded. */
export const noChangeLost: LawOf = ({ scenario, time }) => {
  const sights = new Map<Machine, Sight>();
  const of = (machine: Machine): Sight => {
    const sight = sights.get(machine) ?? {
      announced: null,
      mounted: null,
      concluded: null,
      loads: 0,
      idleSinceMs: null,
    };
    sights.set(machine, sight);
    return sight;
  };
  const isDue = ({ announced, mounted, concluded, loads }: Sight): boolean =>
    loads === 0 && announced !== null && announced === mounted && announced !== concluded;

  const note = (sight: Sight): void => {
    if (!isDue(sight)) sight.idleSinceMs = null;
    else sight.idleSinceMs ??= time.nowMs();
  };

  return {
    name: 'F3',
    hear: (signal) => {
      if (!('machine' in signal)) return null;
      const sight = of(signal.machine);
      if (signal.type === 'machine' && signal.became !== 'paused') {
        if (signal.became === 'resumed') sight.idleSinceMs = null;
        else sights.delete(signal.machine);
        return null;
      }
      if (signal.type === 'mount/read') sight.mounted = signal.reading.problem === null ? signal.reading.hash : null;
      if (signal.type === 'load/began') sight.loads += 1;
      if (signal.type === 'load/ended') sight.loads -= 1;
      if (signal.type === 'event') {
        const { event } = signal;
        if (event.type === 'lease/observed') sight.announced = event.lease?.announcement?.hash ?? null;
        if (event.type !== 'certificate/concluded') return null;
        const { load } = event;
        const hashes = load.type === 'certificate/rejected' || load.type === 'certificate/served';
        sight.concluded = hashes ? (load.type === 'certificate/served' ? load.pair.hash : load.hash) : null;
      }
      note(sight);
      return null;
    },
    look: () => {
      // Between two handshakes with another server no load is in flight.
      if (scenario.neighbours !== null) return null;
      for (const [machine, { idleSinceMs, announced }] of sights) {
        if (idleSinceMs === null || machine.isPaused() || time.nowMs() - idleSinceMs <= AT_ONCE_MS) continue;
        return `${machine.name} has announcement and mount agree on ${announced} and loads nothing`;
      }
      return null;
    },
  };
};
