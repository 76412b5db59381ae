import type { Machine } from '../machine.ts';
import type { LawOf } from './law.ts';

/**
 * F10: a replica acknowledges a certificate only after its loopback handshake verified it, and no CA is pruned while the
 * last handshake of a replica with the announced certificate failed.
 */
export const acknowledgedMeansVerified: LawOf = ({ api, machines }) => {
  const handshakes = new Map<Machine, { readonly hash: string; readonly problem: string | null }>();
  const verified = new Map<Machine, Set<string>>();

  return {
    name: 'F10',
    hear: (signal) => {
      if (signal.type === 'shook-hands') {
        const { machine, hash, problem } = signal;
        handshakes.set(machine, signal);
        if (problem === null) verified.set(machine, (verified.get(machine) ?? new Set()).add(hash));
      }
      if (signal.type === 'sent' && signal.step.kind === 'prune-ca-bundle') {
        const announced = api.lease.get('lease')?.value.announcement?.hash;
        const unproven = machines().find((machine) => {
          const handshake = handshakes.get(machine);
          const acknowledged = api.pod.get(machine.name)?.value.servingHash;
          return handshake?.hash === announced && acknowledged === announced && !verified.get(machine)?.has(announced!);
        });
        return unproven === undefined ? null : `a CA is pruned although ${unproven.name} has not verified ${announced}`;
      }
      if (signal.type !== 'written' || signal.kind !== 'pod') return null;
      const { name, by, before, after } = signal;
      const machine = machines().find((one) => one.name === name);
      const hash = after?.servingHash ?? null;
      if (machine === undefined || by !== name || hash === null || hash === before?.servingHash) return null;
      return verified.get(machine)?.has(hash) === true
        ? null
        : `${name} acknowledges ${hash}, which no handshake has verified`;
    },
  };
};
