import type { Machine } from '../machine.ts';
import type { LawOf } from './law.ts';

/** Beyond the tick, which is what notices a mount where there is no inotify: a GET, a load and its messages, ms. */
const SECONDS_MS = 5_000;
/** A mount that was there before its announcement is asked about every 30 s at last, ms. */
const ASKED_AGAIN_MS = 30_000;
/** Answers that got lost before are waited for no longer, and the longest back-off after them is over, ms. */
const CLEARED_MS = 40_000;
/** Nudges go out at 0, 2, 6 and 14 s, and what the kubelet knows may be 1.5 s old, ms. */
const NUDGED_MS = 10_000;

/** Looked at so often, ms. */
const LOOK_MS = 250;

interface Wait {
  readonly what: string;
  readonly sinceMs: number;
}

/**
 * F7, in fair weather: what is announced and mounted is served within seconds whatever the watch does, and what a replica
 * knows to be announced is mounted within seconds whatever the kubelet's own pace is.
 */
export const eachSideAsks: LawOf = ({ api, machines, kubeletsHang, net, scenario, time }) => {
  const known = new Map<Machine, string>();
  const waits = new Map<Machine, Wait>();
  const rejected = new Set<string>();
  const foulAtMs = new Map<Machine, number>();
  const knownAtMs = new Map<Machine, number>();
  let announcedAtMs = 0;
  let writtenAtMs = 0;
  const mountedAtMs = new Map<Machine, number>();
  let lookedAtMs = 0;

  const waitOf = (machine: Machine): { readonly what: string; readonly mostMs: number } | null => {
    const hash = api.lease.get('lease')?.value.announcement?.hash;
    const issued = api.secret.get('secret')?.value.crt;
    if (hash === undefined || hash !== issued || rejected.has(hash)) return null;
    if (!machine.isRunning() || machine.isPaused()) return null;
    // A cut may lie between two looks.
    const foulMs = Math.max(foulAtMs.get(machine) ?? 0, net.cutUntilMs(machine.name));
    if (time.nowMs() < foulMs + CLEARED_MS) return null;
    if (machine.served()?.pair.hash === hash) return null;
    if (machine.volume.current().crt === hash) {
      // When another server reads it is its own affair.
      if (scenario.neighbours !== null) return null;
      // Without inotify a reading that the mount tears is noticed at one tick, and made again at the next.
      const readMs = (scenario.inotify ? 1 : 2) * scenario.policy.tickMs;
      const askMs = (mountedAtMs.get(machine) ?? 0) < announcedAtMs ? ASKED_AGAIN_MS : readMs;
      // One load may be in flight and has to be over first.
      const loadMs = 6 * scenario.loadPartMs;
      return { what: `serves ${hash}, announced and mounted`, mostMs: askMs + SECONDS_MS + loadMs };
    }
    const nudges = scenario.policy.kubeletNudge && scenario.podsWritable && !kubeletsHang();
    if (!nudges || known.get(machine) !== hash) return null;
    // Where another writer puts it back into the Secret only later, the back-off has grown.
    const mostMs = (knownAtMs.get(machine) ?? 0) < writtenAtMs ? ASKED_AGAIN_MS + SECONDS_MS : NUDGED_MS;
    return { what: `mounts ${hash}, as it knows announced`, mostMs };
  };

  return {
    name: 'F7',
    hear: (signal) => {
      if (signal.type === 'machine') {
        waits.delete(signal.machine);
        known.delete(signal.machine);
      }
      if (signal.type === 'mount/swapped') mountedAtMs.set(signal.machine, time.nowMs());
      if (signal.type === 'written' && signal.kind === 'lease') {
        if (signal.before?.announcement?.hash !== signal.after?.announcement?.hash) announcedAtMs = time.nowMs();
      }
      if (signal.type === 'written' && signal.kind === 'secret' && signal.before?.crt !== signal.after?.crt)
        writtenAtMs = time.nowMs();
      if (signal.type !== 'event') return null;
      const { machine, event } = signal;
      if (event.type === 'lease/observed') {
        const hash = event.lease?.announcement?.hash ?? '';
        if (known.get(machine) !== hash) knownAtMs.set(machine, time.nowMs());
        known.set(machine, hash);
      }
      if (event.type === 'certificate/concluded' && event.load.type === 'certificate/rejected')
        rejected.add(event.load.hash);
      return null;
    },
    look: () => {
      if (time.nowMs() < lookedAtMs + LOOK_MS) return null;
      lookedAtMs = time.nowMs();
      for (const machine of machines()) {
        if (!net.isFair(machine.name) || machine.isPaused()) foulAtMs.set(machine, time.nowMs());
        const wait = waitOf(machine);
        const before = waits.get(machine);
        if (wait === null) waits.delete(machine);
        else if (before?.what !== wait.what) waits.set(machine, { what: wait.what, sinceMs: time.nowMs() });
        else if (time.nowMs() - before.sinceMs > wait.mostMs)
          return `${machine.name} takes more than ${wait.mostMs} ms until it ${wait.what}`;
      }
      return null;
    },
  };
};
