import { issuers } from '../../streams/issuers.ts';
import type { ClusterModel } from './cluster-model.ts';
import type { Fault, Strikes, Who } from './fault.ts';
import { leaseDeeds } from './lease-deeds.ts';
import type { Machine } from './machine.ts';
import { machineFaults } from './machine-faults.ts';
import { networkFaults } from './network-faults.ts';
import { podDeeds } from './pod-deeds.ts';
import { secretDeeds } from './secret-deeds.ts';
import { targetDeeds } from './target-deeds.ts';

/** Makes the faults of the scenario happen, each in its time, and none once calm is due. */
export const injectFaults = (model: ClusterModel): void => {
  const { api, cluster, scenario, tell, time } = model;
  const within = (ms: number): number => Math.max(0, Math.min(ms, scenario.calmAtMs - time.nowMs()));

  const chosen = (who: Who): readonly Machine[] => {
    const machines = model.machines();
    if (who === 'all') return machines;
    const holder = api.lease.get('lease')?.value.holder;
    if (who === 'leader') return machines.filter(({ name }) => name === holder);
    return machines.filter((_, at) => at === who % machines.length);
  };

  const strikes: Strikes<Fault> = {
    ...machineFaults(model, chosen, within),
    ...networkFaults(model, chosen, within),
    ...secretDeeds(model),
    ...targetDeeds(model),
    ...leaseDeeds(model),
    ...podDeeds(model, chosen),
  };
  const strike = (fault: Fault): void => {
    tell({ type: 'fault', fault });
    (strikes[fault.kind] as (fault: Fault) => void)(fault);
  };

  for (const { atMs, fault } of scenario.faults) {
    time.after(cluster, atMs, () => {
      if (time.nowMs() < scenario.calmAtMs) strike(fault);
    });
  }
  time.after(cluster, scenario.calmAtMs, () => {
    tell({ type: 'fault', fault: 'calm' });
    // Nobody but the issuer can mend what stands in its Secret.
    if (scenario.policy.issuer === 'external') strike({ kind: 'issue-externally', anotherAuthority: false });
    if (issuers[scenario.policy.issuer].readsSource) strike({ kind: 'issue-into-source', how: 'leaf' });
  });
};
