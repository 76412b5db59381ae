/** What a run of many histories comes to. */
export interface HistoryTotals {
  readonly runs: number;
  readonly steps: number;
  readonly virtualMs: number;
  /** The longest recovery from the end of the faults, ms. */
  readonly slowestRecoveryMs: number;
  /** Histories in which an API server that lagged by more than TRUST_SETTLE refused a call. */
  readonly lateRefusals: number;
  /** By seed. */
  readonly violations: readonly { readonly seed: number; readonly law: string; readonly what: string }[];
  /** By seed, when they were asked for: SHA-256 of all that happened. */
  readonly digests: readonly { readonly seed: number; readonly digest: string }[];
}
