import type { ClusterModel } from './cluster-model.ts';
import type { Strikes, TargetDeed } from './fault.ts';
import { foreignPair } from './foreign-pair.ts';

/** Writes caBundles: once, again and again, or with the object deleted and made again. */
export const targetDeeds = (model: ClusterModel): Strikes<TargetDeed> => {
  const { api, clocks, cluster, pki, scenario, time } = model;
  const nameOf = (target: number): string => `target-${target % scenario.targets}`;
  /** What a manifest kept of each before it was last written. */
  const earlier = new Map<string, readonly string[]>();
  model.listen((signal) => {
    if (signal.type === 'written' && signal.kind === 'target')
      earlier.set(signal.name, signal.before?.bundles[0] ?? []);
  });

  const set = (name: string, why: string, bundle: readonly string[]): void => {
    if (api.target.get(name) === null || time.nowMs() > scenario.calmAtMs) return;
    api.target.update({ by: 'outsider', name, why }, null, ({ bundles }) => ({
      bundles: bundles.map(() => bundle),
      otherManager: 'gitops',
    }));
  };

  return {
    'spoil-target': ({ target, how }) => {
      const name = nameOf(target);
      const foreign = how === 'foreign' ? foreignPair(pki, [], clocks.trueMs()).trust : [];
      set(name, `spoil-target ${how}`, how === 'earlier' ? (earlier.get(name) ?? []) : foreign);
    },
    'refuse-target': ({ target, forMs }) => {
      const name = nameOf(target);
      api.refusing.add(name);
      if (forMs === null) return;
      const leftMs = Math.max(0, Math.min(forMs, scenario.calmAtMs - time.nowMs()));
      time.after(cluster, leftMs, () => api.refusing.delete(name));
    },
    'remake-target': ({ target, afterMs }) => {
      const write = { by: 'outsider', name: nameOf(target), why: 'remake-target' };
      api.target.remove(write);
      time.after(cluster, afterMs, () => {
        if (api.target.get(write.name) === null) api.target.create(write, { bundles: [[]], otherManager: null });
      });
    },
    fight: ({ target, everyMs, times }) => {
      for (let at = 0; at < times; at += 1) {
        time.after(cluster, at * everyMs, () => set(nameOf(target), 'fight', []));
      }
    },
  };
};
