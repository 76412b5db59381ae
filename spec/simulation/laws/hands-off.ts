import { issuers } from '../../../streams/issuers.ts';
import { chainProblem } from '../chain-problem.ts';
import type { LawOf } from './law.ts';

/**
 * L6: with an external issuer no Secret is ever written. With the relay the source is never written, and nothing that callers
 * would refuse, whatever the source holds; its dates are judged by the clock of the leader, which may be wrong.
 */
export const handsOff: LawOf = ({ machines, pki, scenario }) => ({
  name: 'L6',
  hear: (signal) => {
    const issuer = issuers[scenario.policy.issuer];
    if (issuer.keepsCa || signal.type !== 'written') return null;
    if (signal.kind !== 'secret' && signal.kind !== 'source' && signal.kind !== 'authority') return null;
    if (!machines().some(({ name }) => name === signal.by)) return null;
    const wrote = `${signal.by} wrote ${signal.kind}`;
    if (signal.kind !== 'secret' || !issuer.readsSource) return `${wrote}, which another program issues into`;
    const { crt = null, key = null, trust = [] } = signal.after ?? {};
    const leaf = pki.get(crt ?? '');
    if (leaf === undefined) return `${wrote} with no certificate`;
    if (leaf.key !== key) return `${wrote} with no usable pair`;
    if (scenario.policy.names.some((name) => !leaf.facts.names.includes(name))) return `${wrote} without its names`;
    const chain =
      trust.length === 0 ? null : chainProblem(pki, leaf.facts.fingerprint, trust, leaf.facts.notAfterMs - 1);
    return chain === null ? null : `${wrote}: ${chain}`;
  },
});
