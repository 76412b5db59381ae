import { issuers } from '../../../streams/issuers.ts';
import { chainProblem } from '../chain-problem.ts';
import type { Machine } from '../machine.ts';
import type { LawOf } from './law.ts';

/** F1, F4, F5: what is put into the server was announced, is what the kubelet mounted, whole, and good. */
export const onlyAgreedPairs: LawOf = ({ api, pki, scenario }) => {
  const announced = new Set<string>();
  /** When each machine verified last, by its own clock: what ends while it is put into the server was still good. */
  const verifiedAtMs = new Map<Machine, number>();
  const standing = api.lease.get('lease')?.value.announcement;
  if (standing) announced.add(standing.hash);

  return {
    name: 'F1/F4/F5',
    hear: (signal) => {
      if (signal.type === 'written' && signal.kind === 'lease' && signal.after?.announcement)
        announced.add(signal.after.announcement.hash);
      if (signal.type === 'load/ended' && signal.part === 'verify')
        verifiedAtMs.set(signal.machine, signal.machine.clock.wallMs());
      if (signal.type !== 'served') return null;
      const { machine, pair, files } = signal;
      const nowMs = verifiedAtMs.get(machine) ?? machine.clock.wallMs();
      const leaf = pki.get(pair.hash.split('+')[0] ?? '');
      const broken = (what: string) => `${machine.name} serves ${pair.hash}, ${what}`;
      if (!announced.has(pair.hash)) return broken('which nobody ever announced');
      if (!machine.volume.has(files) || files.id !== pair.generation) return broken('not one mounted generation');
      if (files.crt !== pair.hash) return broken(`but ${files.crt} is mounted`);
      if (leaf === undefined) return broken('which is no certificate');
      if (files.key !== leaf.key) return broken(`with the key of ${files.key}`);
      if (nowMs < leaf.facts.notBeforeMs || nowMs >= leaf.facts.notAfterMs) return broken('out of its time');
      if (scenario.policy.issuer === 'external') return null;
      if (!scenario.policy.names.every((name) => leaf.facts.names.includes(name))) return broken('without its names');
      if (files.trust.length === 0 && issuers[scenario.policy.issuer].mayLackTrust) return null;
      return chainProblem(pki, pair.hash, files.trust, nowMs) === null ? null : broken('without a chain to ca.crt');
    },
  };
};
