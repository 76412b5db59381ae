import type { LeaseSnapshot } from '../../streams/model.ts';

export type StoredLease = Omit<LeaseSnapshot, 'uid' | 'resourceVersion'>;

/** `tls.crt` as its chain (`leaf+bridge`), `tls.key` as the name of the leaf it belongs to, `ca.crt` as fingerprints. */
export interface StoredSecret {
  readonly crt: string | null;
  readonly key: string | null;
  readonly trust: readonly string[];
}

/** The CA, the key it stands with, `ca-bundle.crt`, `ca-bridge.crt`. */
export interface StoredAuthority {
  readonly crt: string;
  readonly key: string;
  readonly bundle: readonly string[];
  readonly bridges: readonly string[];
}

export interface StoredTarget {
  readonly bundles: readonly (readonly string[])[];
  readonly otherManager: string | null;
}

export interface StoredPod {
  readonly servingHash: string | null;
  readonly expectedHash: string | null;
  readonly ready: boolean;
  readonly goneAtMs: number | null;
}
