import type { ClusterModel } from './cluster-model.ts';
import type { Signal } from './signal.ts';

const QUIET = new Set(['tick/checked', 'cluster/observed', 'leadership/renewed', 'desired/changed', 'lease/observed']);

const compact = (value: unknown): string =>
  JSON.stringify(value, (key, part: unknown) => {
    if (key === 'plannedOn' || key === 'pair' || key === 'authority' || key === 'touched' || key === 'files')
      return undefined;
    if (typeof part === 'object' && part !== null && 'fingerprint' in part) return part.fingerprint;
    return typeof part === 'function' ? undefined : part;
  }).replaceAll('"', '');

const sentence = (signal: Signal): string | null => {
  switch (signal.type) {
    case 'fault':
      return `* ${signal.fault === 'calm' ? 'calm' : compact(signal.fault)}`;
    case 'machine':
      return `${signal.machine.name} ${signal.became}`;
    case 'written':
      return signal.why === 'renew'
        ? null
        : `${signal.by} wrote ${signal.name} (${signal.why}): ${compact(signal.after)}`;
    case 'mount/swapped':
      return `${signal.machine.name} mounts ${signal.generation.crt} trusting [${signal.generation.trust.join(' ')}]`;
    case 'served':
      return `${signal.machine.name} serves ${signal.pair.hash}`;
    case 'sent':
      return `${signal.machine.name} sends ${signal.step.kind}`;
    case 'event': {
      const { event } = signal;
      return QUIET.has(event.type) ? null : `${signal.machine.name} ${compact(event)}`;
    }
    default:
      return null;
  }
};

/** What happens, a line each, for a person to read; it grows while it happens. */
export const timeline = ({ listen, time }: ClusterModel): readonly string[] => {
  const lines: string[] = [];
  listen((signal) => {
    const said = sentence(signal);
    if (said !== null) lines.push(`${(time.nowMs() / 1000).toFixed(3).padStart(9)}  ${said}`);
  });
  return lines;
};
