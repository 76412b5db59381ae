import type { StoredAuthority, StoredSecret } from './stored-objects.ts';
import type { SymbolicPki } from './symbolic-pki.ts';

export interface IssuanceOrder {
  readonly nowMs: number;
  readonly names: readonly string[];
  readonly certValidityMs: number;
  readonly caValidityMs: number;
}

/** As src/cluster/self-signed-issuer.ts: what a leader puts into the two Secrets. */
export const newValues = (pki: SymbolicPki, { nowMs, names, certValidityMs, caValidityMs }: IssuanceOrder) => ({
  authority: (stored: StoredAuthority | null, keep: readonly string[]): StoredAuthority => {
    const issued = pki.authority(nowMs, caValidityMs);
    const older = pki.get(stored?.crt ?? '');
    const canSign = older !== undefined && older.key === stored?.key && nowMs < older.facts.notAfterMs;
    const bridges = canSign ? [pki.bridge(older.facts.fingerprint, issued, nowMs), ...stored.bridges] : [];
    return { crt: issued, key: issued, bundle: [issued, ...keep], bridges };
  },
  secret: ({ crt, bridges }: StoredAuthority, trust: readonly string[]): StoredSecret => {
    const leaf = pki.leaf(crt, names, nowMs, certValidityMs);
    return { crt: [leaf, ...bridges].join('+'), key: leaf, trust };
  },
});
