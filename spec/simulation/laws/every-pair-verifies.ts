import { chainProblem } from '../chain-problem.ts';
import type { LawOf } from './law.ts';

/**
 * L8: while CAs overlap, a leaf that we issue verifies under each of the older ones alone, and the leaf before it under
 * the new bundle. An older CA that could not sign for its successor (its key lost, its end past) is not asked for.
 */
export const everyPairVerifies: LawOf = ({ api, clocks, machines, pki, scenario }) => {
  /** The CAs that have signed for their successors, as long as only we have written SECRET-ca. */
  const bridged = new Set<string>();
  let lastLeaf: string | null = null;
  const isOurs = (name: string): boolean => machines().some((machine) => machine.name === name);
  const isTimely = (fingerprint: string): boolean => {
    const facts = pki.get(fingerprint)?.facts;
    return facts !== undefined && clocks.trueMs() + scenario.mostSkewMs < facts.notAfterMs;
  };

  return {
    name: 'L8',
    hear: (signal) => {
      if (signal.type !== 'written') return null;
      if (signal.kind === 'authority') {
        const { after, before, by, why } = signal;
        const canSign = before !== null && pki.get(before.crt)?.key === before.key && isTimely(before.crt);
        if (!isOurs(by) || after === null || after.bundle.length === 1) bridged.clear();
        else if (why === 'issue-ca' && !canSign) bridged.clear();
        else if (why === 'issue-ca' && canSign) bridged.add(before.crt);
      }
      if (signal.kind !== 'secret') return null;
      const { after, by, why } = signal;
      const before = lastLeaf;
      lastLeaf = isOurs(by) && why !== 'update-secret-ca' ? (after?.crt ?? null) : lastLeaf;
      const authority = api.authority.get('authority')?.value;
      const leaf = after?.crt ?? null;
      if (!isOurs(by) || why !== 'issue-leaf' || leaf === null || authority === undefined) return null;
      // Another CA has come while it was under way.
      if (pki.get(leaf.split('+')[0]!)?.signer !== pki.get(authority.crt)?.key) return null;
      const nowMs = clocks.trueMs();
      for (const older of authority.bundle.filter((ca) => bridged.has(ca) && isTimely(ca))) {
        const problem = chainProblem(pki, leaf, [older], nowMs);
        if (problem !== null) return `${leaf} does not verify where ${older} is put back: ${problem}`;
        const signed = before !== null && chainProblem(pki, before, [older], nowMs) === null;
        if (signed && chainProblem(pki, before, authority.bundle, nowMs) !== null)
          return `${before} does not verify under [${authority.bundle.join(' ')}]`;
      }
      return null;
    },
  };
};
