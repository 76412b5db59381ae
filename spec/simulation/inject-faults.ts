import type { ClusterModel } from './cluster-model.ts';
import type { Fault, Who } from './fault.ts';
import type { Machine } from './machine.ts';
import { fairWeather } from './weather.ts';
import { outsiders } from './outsiders.ts';

/** Makes the faults of the scenario happen, each in its time, and ends them all when calm is due. */
export const injectFaults = (model: ClusterModel): void => {
  const { api, clocks, cluster, net, random, scenario, tell, time } = model;
  const own = random.fork('faults');
  const deed = outsiders(model);
  const isCalm = (): boolean => time.nowMs() >= scenario.calmAtMs;
  /** Not beyond the calm. */
  const within = (ms: number): number => Math.min(ms, scenario.calmAtMs - time.nowMs());
  let atWrite: { readonly renewals: boolean; readonly strike: (writer: Machine) => void } | null = null;

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
    api.pod.update({ by: 'kubelet', name: machine.name, why: 'deleted' }, null, (pod) => ({
      ...pod,
      goneAtMs: clocks.trueMs() + graceMs,
    }));
    machine.terminate();
    time.after(cluster, within(own.int(0, graceMs)), () => {
      machine.crash();
      model.removeMachine(machine);
    });
    time.after(cluster, within(own.int(0, graceMs)), () => model.addMachine().start());
  };
  model.listen((signal) => {
    if (signal.type !== 'written' || atWrite === null) return;
    if (signal.why === 'renew' && !atWrite.renewals) return;
    const writer = model.machines().find(({ name }) => name === signal.by);
    if (writer === undefined || signal.kind === 'pod') return;
    const { strike } = atWrite;
    atWrite = null;
    strike(writer);
  });

  const chosen = (who: Who): readonly Machine[] => {
    const machines = model.machines();
    if (who === 'all') return machines;
    const holder = api.lease.get('lease')?.value.holder;
    if (who === 'leader') return machines.filter(({ name }) => name === holder);
    const machine = machines[who % machines.length];
    return machine === undefined ? [] : [machine];
  };
  const connectionsOf = (who: Who) => {
    const names = new Set(chosen(who).map(({ name }) => name));
    return [...net.connections].filter(({ machine }) => names.has(machine));
  };

  const strike = (fault: Fault): void => {
    switch (fault.kind) {
      case 'crash': {
        chosen(fault.who).forEach((machine) => crash(machine, fault.downMs));
        return;
      }
      case 'pause': {
        chosen(fault.who).forEach((machine) => pause(machine, fault.forMs));
        return;
      }
      case 'crash-at-write':
        atWrite = { renewals: false, strike: (machine) => crash(machine, fault.downMs) };
        return;
      case 'pause-at-write':
        atWrite = { renewals: fault.renewals, strike: (machine) => pause(machine, fault.forMs) };
        return;
      case 'replace-pod': {
        chosen(fault.who).forEach((machine) => replace(machine, fault.graceMs));
        return;
      }
      case 'jump-clock': {
        chosen(fault.who).forEach(({ clock }) => clock.jump(fault.byMs));
        return;
      }
      case 'cut-off':
        for (const connection of connectionsOf(fault.who)) if (own.chance(0.5)) connection.deafen();
        for (const { name } of chosen(fault.who)) {
          const weather = net.weather(name);
          weather.cutUntilMs = Math.max(weather.cutUntilMs, time.nowMs() + within(fault.forMs));
        }
        return;
      case 'bad-weather':
        for (const { name } of chosen(fault.who)) {
          const { errors, losses, slowMs } = fault;
          Object.assign(net.weather(name), { errors, losses, slowMs });
          const { errors: none, losses: no, slowMs: quick } = fairWeather();
          time.after(cluster, within(fault.forMs), () =>
            Object.assign(net.weather(name), { errors: none, losses: no, slowMs: quick }),
          );
        }
        return;
      case 'cut-watches': {
        connectionsOf(fault.who).forEach((connection) => connection.cut(fault.cleanly));
        return;
      }
      case 'deafen-watches': {
        connectionsOf(fault.who).forEach((connection) => connection.deafen());
        return;
      }
      case 'compact':
        for (const kind of [api.lease, api.secret, api.authority, api.target, api.pod]) kind.compact();
        {
          connectionsOf('all').forEach((connection) => connection.cut(own.chance(0.5)));
          return;
        }
      case 'hang-kubelets': {
        model.hangKubelets(time.nowMs() + within(fault.forMs));
        return;
      }
      default: {
        deed(fault);
        return;
      }
    }
  };

  for (const { atMs, fault } of scenario.faults) {
    time.after(cluster, atMs, () => {
      if (isCalm()) return;
      tell({ type: 'fault', fault });
      strike(fault);
    });
  }
  time.after(cluster, scenario.calmAtMs, () => {
    atWrite = null;
    tell({ type: 'fault', fault: 'calm' });
    // Nobody but the issuer can mend what stands in its Secret.
    if (scenario.policy.issuer === 'external') deed({ kind: 'issue-externally', anotherAuthority: false });
  });
};
