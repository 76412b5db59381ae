import { acknowledged } from './acknowledged.ts';
import type { AuthorityState, Observed, SecretState } from './cluster-state.ts';
import type { CertificateFacts } from './model.ts';

export interface IssuancePolicy {
  /** This replica's Pod: the acknowledgements must include its own. */
  readonly identity: string;
  /** The names that a leaf must carry. */
  readonly names: readonly string[];
  readonly renewBeforeMs: number;
  readonly caRenewBeforeMs: number;
  readonly caOverlapMs: number;
}

/** What the planner looks at in each rule. */
export interface IssuanceView extends IssuancePolicy {
  readonly nowMs: number;
  readonly observed: Observed;
  readonly secret: SecretState | 'absent';
  readonly authority: AuthorityState;
  readonly current: CertificateFacts;
}

/** The Secret's leaf is of the current CA, usable, and what is announced. */
export const isSettled = ({ secret, current, observed }: IssuanceView): boolean =>
  secret !== 'absent' &&
  secret.problem === null &&
  secret.issuer === current.fingerprint &&
  secret.hash !== null &&
  secret.hash === observed.lease.announcement?.hash;

/** Whether the announced leaf has been served everywhere for CA_OVERLAP: then, and only then, do older CAs serve nobody. */
export const isOutlived = (view: IssuanceView): boolean => {
  const { observed, identity, caOverlapMs, nowMs } = view;
  const { servedSinceMs, announcement } = observed.lease;
  if (!isSettled(view) || announcement === null || observed.replicas === 'unknown' || servedSinceMs === null)
    return false;
  if (!acknowledged(observed.replicas, announcement.hash, { identity, nowMs })) return false;
  return servedSinceMs <= nowMs && nowMs >= servedSinceMs + caOverlapMs;
};
