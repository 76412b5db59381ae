import type { ClusterModel } from './cluster-model.ts';
import type { MachineFault, Strikes, Who } from './fault.ts';
import type { Machine } from './machine.ts';

/** Kills, stops, replaces; puts clocks off. Whatever has an end ends with the calm. */
export const machineFaults = (
  model: ClusterModel,
  chosen: (who: Who) => readonly Machine[],
  within: (ms: number) => number,
): Strikes<MachineFault> => {
  const { api, clocks, cluster, random, scenario, time } = model;
  const own = random.fork('machine faults');
  let atWrite: { readonly renewals: boolean; readonly strike: (writer: Machine) => void } | null = null;

  model.listen((signal) => {
    if (signal.type !== 'written' || signal.kind === 'pod' || atWrite === null) return;
    if ((signal.why === 'renew' && !atWrite.renewals) || time.nowMs() >= scenario.calmAtMs) return;
    const writer = model.machines().find(({ name }) => name === signal.by);
    if (writer === undefined) return;
    const { strike } = atWrite;
    atWrite = null;
    strike(writer);
  });

  const crash = (machine: Machine, downMs: number): void => {
    machine.crash();
    time.after(cluster, within(downMs), () => {
      if (model.machines().includes(machine)) machine.start();
    });
  };
  const pause = (machine: Machine, forMs: number): void => {
    machine.pause();
    time.after(cluster, within(forMs), () => machine.resume());
  };
  const replace = (machine: Machine, graceMs: number): void => {
    if (api.pod.get(machine.name)?.value.goneAtMs !== null) return;
    const goneAtMs = clocks.trueMs() + graceMs;
    api.pod.update({ by: 'kubelet', name: machine.name, why: 'deleted' }, null, (pod) => ({ ...pod, goneAtMs }));
    machine.terminate();
    time.after(cluster, within(own.int(0, graceMs)), () => {
      machine.crash();
      model.removeMachine(machine);
    });
    time.after(cluster, within(own.int(0, graceMs)), () => model.addMachine().start());
  };

  return {
    crash: ({ who, downMs }) => chosen(who).forEach((machine) => crash(machine, downMs)),
    'crash-at-write': ({ downMs }) => {
      atWrite = { renewals: false, strike: (machine) => crash(machine, downMs) };
    },
    pause: ({ who, forMs }) => chosen(who).forEach((machine) => pause(machine, forMs)),
    'pause-at-write': ({ forMs, renewals }) => {
      atWrite = { renewals, strike: (machine) => pause(machine, forMs) };
    },
    'replace-pod': ({ who, graceMs }) => chosen(who).forEach((machine) => replace(machine, graceMs)),
    'jump-clock': ({ who, byMs }) => chosen(who).forEach(({ clock }) => clock.jump(byMs)),
    'hang-kubelets': ({ forMs }) => model.hangKubelets(time.nowMs() + within(forMs)),
  };
};
