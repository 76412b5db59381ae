import type { ClusterModel } from '../cluster-model.ts';
import type { Machine } from '../machine.ts';

export interface FairWeather {
  /** Asked often: notes who is stopped, cut off or in bad weather right now. */
  readonly look: () => void;
  /** For how long nothing has kept a machine from doing what it should, ms. */
  readonly forMs: (machine: Machine) => number;
}

/** For how long each machine has run undisturbed: what a law may ask of it in so much time it asks only of those. */
export const fairWeather = ({ machines, net, time }: ClusterModel): FairWeather => {
  const foulAtMs = new Map<Machine, number>();
  return {
    look: () => {
      for (const machine of machines()) {
        const hindered = !machine.isRunning() || machine.isPaused() || !net.isFair(machine.name);
        if (hindered || !foulAtMs.has(machine)) foulAtMs.set(machine, time.nowMs());
      }
    },
    forMs: (machine) => time.nowMs() - (foulAtMs.get(machine) ?? time.nowMs()),
  };
};
