import type { LawOf } from './law.ts';

const BACKDATED_MS = 3_600_000;

/** L5: a leaf that we write never outlives the CA that signed it, and is dated one hour back. */
export const leafWithinAuthority: LawOf = ({ api, clocks, machines, pki, scenario }) => ({
  name: 'L5',
  hear: (signal) => {
    if (signal.type !== 'written' || signal.kind !== 'secret' || signal.why !== 'issue-leaf') return null;
    const leaf = pki.get(signal.after?.crt?.split('+')[0] ?? '');
    const writer = machines().find(({ name }) => name === signal.by);
    const authority = pki.get(api.authority.get('authority')?.value.crt ?? '');
    if (leaf === undefined) return `${signal.by} wrote no leaf`;
    const { notAfterMs, notBeforeMs, fingerprint } = leaf.facts;
    // The CA may have been replaced or deleted while the write was under way.
    if (authority?.key === leaf.signer && notAfterMs > authority.facts.notAfterMs)
      return `${fingerprint} outlives ${authority.facts.fingerprint}`;
    // The clock may have jumped since it was signed.
    if (writer !== undefined && notBeforeMs > clocks.trueMs() + scenario.mostSkewMs - BACKDATED_MS)
      return `${fingerprint} is not dated back`;
    return null;
  },
});
