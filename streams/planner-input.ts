import { allAcknowledged } from './acknowledged.ts';
import type { CaState, PlannerInput, SecretState } from './cluster-state.ts';
import type { CertificateInfo } from './model.ts';

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
export interface PlannerView extends IssuancePolicy {
  readonly nowMs: number;
  readonly observed: PlannerInput;
  readonly secret: SecretState | 'absent';
  readonly ca: CaState;
  readonly current: CertificateInfo;
}

/** The Secret's leaf is of the current CA, usable, and what is announced. */
export const isSettled = ({ secret, current, observed }: PlannerView): boolean =>
  secret !== 'absent' &&
  secret.problem === null &&
  secret.issuer === current.fingerprint &&
  secret.hash !== null &&
  secret.hash === observed.lease.announcement?.hash;

/** Whether the announced leaf has been served everywhere for CA_OVERLAP: then, and only then, do older CAs serve nobody. */
export const isOverlapOver = (view: PlannerView): boolean => {
  const { observed, identity, caOverlapMs, nowMs } = view;
  const { servedSinceMs, announcement } = observed.lease;
  if (!isSettled(view) || announcement === null || observed.replicas === 'pending' || servedSinceMs === null)
    return false;
  if (!allAcknowledged(observed.replicas, announcement.hash, { identity, nowMs })) return false;
  return servedSinceMs <= nowMs && nowMs >= servedSinceMs + caOverlapMs;
};
