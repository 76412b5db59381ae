import type { ClusterModel } from '../cluster-model.ts';
import type { Signal } from '../signal.ts';

/** One law of the contract, watching a history. */
export interface Law {
  readonly name: string;
  /** What was broken by this, in words; null when nothing. */
  readonly hear?: (signal: Signal) => string | null;
  /** Asked after every step. */
  readonly look?: () => string | null;
  /** Whether an API server that lags by more than TRUST_SETTLE refused a call: excused, and counted. */
  readonly isLateRefusal?: () => boolean;
}

export type LawOf = (model: ClusterModel) => Law;
