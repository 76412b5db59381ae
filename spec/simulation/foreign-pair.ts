import type { StoredSecret } from './stored-objects.ts';
import type { SymbolicPki } from './symbolic-pki.ts';

const DAY_MS = 24 * 3_600_000;

/** A pair that somebody else's CA has issued: whole and good, and none of ours. */
export const foreignPair = (pki: SymbolicPki, names: readonly string[], nowMs: number): StoredSecret => {
  const ca = pki.authority(nowMs, DAY_MS);
  const leaf = pki.leaf(ca, names, nowMs, DAY_MS);
  return { crt: leaf, key: leaf, trust: [ca] };
};
