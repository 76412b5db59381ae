import { issuers } from '../../streams/issuers.ts';
import type { VirtualTime } from '../support/virtual-time.ts';
import { apiServer } from './api-server.ts';
import { clocks } from './clocks.ts';
import { type Kubelet, kubelet } from './kubelet.ts';
import { type Machine, machineOf } from './machine.ts';
import { network } from './network.ts';
import { objectViews } from './object-views.ts';
import { randomFrom } from './random.ts';
import type { Scenario } from './scenario.ts';
import type { Setting } from './setting.ts';
import type { Signal } from './signal.ts';
import { standingObjects } from './standing-objects.ts';
import { symbolicPki } from './symbolic-pki.ts';

/** The whole modelled cluster with its fleet. */
export interface ClusterModel extends Setting {
  /** Every machine there is, the dead ones included; gone with its Pod. */
  readonly machines: () => readonly Machine[];
  readonly addMachine: () => Machine;
  readonly removeMachine: (machine: Machine) => void;
  readonly hangKubelets: (untilMs: number) => void;
  readonly kubeletsHang: () => boolean;
  readonly listen: (listener: (signal: Signal) => void) => void;
}

export const clusterModel = (scenario: Scenario, time: VirtualTime): ClusterModel => {
  const listeners: ((signal: Signal) => void)[] = [];
  const tell = (signal: Signal): void => {
    for (const listener of listeners) listener(signal);
  };
  const cluster = { name: 'cluster' };
  const random = randomFrom(scenario.seed);
  const pki = symbolicPki();
  const net = network(time, cluster, random.fork('network'));
  const setting: Setting = {
    scenario,
    time,
    cluster,
    random,
    clocks: clocks(time, scenario.mostSkewMs),
    pki,
    api: apiServer(tell),
    views: objectViews(pki, issuers[scenario.policy.issuer].readsSource ? scenario.policy.names : null),
    net,
    tell,
  };
  const fleet = new Map<Machine, Kubelet>();
  let hangUntilMs = 0;
  let pods = 0;

  listeners.push((signal) => {
    const probed = signal.type === 'machine' || (signal.type === 'event' && signal.event.type === 'readiness/changed');
    if (probed) fleet.get(signal.machine)?.probe();
  });
  standingObjects(setting);

  return {
    ...setting,
    machines: () => [...fleet.keys()],
    addMachine: () => {
      const machine = machineOf(setting, `pod-${pods++}`);
      setting.api.pod.create(
        { by: 'kubelet', name: machine.name, why: 'started' },
        { servingHash: null, expectedHash: null, ready: false, goneAtMs: null },
      );
      fleet.set(
        machine,
        kubelet(
          { ...setting, random: random.fork(`kubelet ${machine.name}`) },
          machine,
          () => time.nowMs() < hangUntilMs,
        ),
      );
      return machine;
    },
    removeMachine: (machine) => {
      fleet.get(machine)?.end();
      fleet.delete(machine);
      setting.api.pod.remove({ by: 'kubelet', name: machine.name, why: 'gone' });
    },
    kubeletsHang: () => time.nowMs() < hangUntilMs,
    hangKubelets: (untilMs) => (hangUntilMs = Math.max(hangUntilMs, untilMs)),
    listen: (listener) => listeners.push(listener),
  };
};
