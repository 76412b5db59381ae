import type { Machine } from './machine.ts';
import type { Setting } from './setting.ts';
import type { StoredSecret } from './stored-objects.ts';

export interface Kubelet {
  /** Something about the container changed: the probe will notice in its time. */
  probe(): void;
  end(): void;
}

/** How long a nudge takes to have the volume looked at again, at most, ms. */
const NUDGED_MS = 1_000;
/** As kube-apiserver to kubelet: how old its copy of the Secret may be, ms. */
const LAG_MS = 1_500;
/** periodSeconds: 10 is the default of a probe. */
const PROBE_MS = 10_000;

/** The kubelet of one Pod: brings the Secret in, late or nudged, and tells whether the Pod is ready. */
export const kubelet = (
  { api, cluster, random, scenario, tell, time }: Setting,
  machine: Machine,
  isHanging: () => boolean,
): Kubelet => {
  let known: StoredSecret | null = api.secret.get('secret')?.value ?? null;
  let knownVersion = 0;
  let syncing = false;
  let probing = false;
  let ended = false;

  const sync = (): void => {
    if (ended || known === null) return;
    if (isHanging()) {
      time.after(cluster, 1_000, sync);
      return;
    }
    const generation = machine.volume.swap(known);
    if (generation !== null) tell({ type: 'mount/swapped', machine, generation });
  };
  const syncLater = (): void => {
    if (syncing) return;
    syncing = true;
    time.after(cluster, random.int(0, scenario.kubeletDelayMs), () => {
      syncing = false;
      sync();
    });
  };

  const unlistenSecret = api.secret.onChange(({ type, entry }) => {
    time.after(cluster, random.int(1, LAG_MS), () => {
      if (entry.version < knownVersion) return;
      knownVersion = entry.version;
      known = type === 'deleted' ? null : entry.value;
      syncLater();
    });
  });
  let nudgedFor: string | null = null;
  const unlistenPod = api.pod.onChange(({ entry }) => {
    if (entry.name !== machine.name || entry.value.expectedHash === nudgedFor) return;
    nudgedFor = entry.value.expectedHash;
    time.after(cluster, random.int(50, NUDGED_MS), sync);
  });
  // A new Pod is not started before its volumes are there.
  sync();

  return {
    probe: () => {
      if (probing) return;
      probing = true;
      time.after(cluster, random.int(0, PROBE_MS), () => {
        probing = false;
        const pod = api.pod.get(machine.name);
        const ready = machine.isRunning() && !machine.isPaused() && machine.isReady();
        if (ended || pod === null || pod.value.ready === ready) return;
        api.pod.update({ by: 'kubelet', name: machine.name, why: 'probe' }, null, (value) => ({ ...value, ready }));
      });
    },
    end: () => {
      ended = true;
      unlistenSecret();
      unlistenPod();
    },
  };
};
