import { isPast } from './kubernetes.ts';
import type { LeaseSnapshot } from './model.ts';
import type { ClusterState, IssuancePolicy, MarkAges, PlannerInput, TargetState } from './planner-input.ts';
import type { LeaseStep, Step } from './step.ts';
import { alive, type Certificates } from './trust.ts';

/** The certificate that is to be used next, by the CAs that callers need for it. Fingerprints. */
export interface NextCertificate {
  /** The CAs that the leader has just made every caBundle trust for it. */
  readonly cas: readonly string[];
  /** Each CA that accepts it, also through a cross-signed CA. */
  readonly acceptedBy: readonly string[];
  /** The CAs that callers may be trusting now. */
  readonly standing: Certificates;
}

/** Why a certificate must not be used yet: a mark must be written first, or time must pass. */
export type Settling = LeaseStep | 'settling';

/**
 * Every API server takes up a caBundle when its own watch delivers it, and none tells when it has. So a certificate that
 * what stood before would reject is not used before TRUST_SETTLE has passed since the last caBundle was extended for it.
 *
 *     inject target-0 → inject target-1 → record-trusted → TRUST_SETTLE → use the certificate
 *
 * The mark is on the Lease, so that the next leader and `kubectl` can read it. It stays, so that the next certificate of
 * the same CA does not wait again. Returns null when the certificate may be used.
 *
 * Three certificates do not wait: one that each CA in each caBundle accepts, one that a CA accepts which has settled, and one
 * that replaces an expired one.
 */
export const settling = (
  observed: PlannerInput,
  { cas, acceptedBy, standing }: NextCertificate,
  { trustSettleMs }: Pick<IssuancePolicy, 'trustSettleMs'>,
  nowMs: number,
): Settling | null => {
  const { announcement, trusted } = observed.lease;
  if (trustSettleMs === 0 || observed.targets.length === 0 || cas.length === 0) return null;
  // Its calls fail already.
  if (announcement !== null && isPast(announcement.validUntil, nowMs)) return null;
  const isAccepted = (ca: string): boolean => acceptedBy.includes(ca);
  const isMarked = trusted !== null && (trusted.cas.some(isAccepted) || cas.every((ca) => trusted.cas.includes(ca)));
  if (isMarked) return settlesInMs(observed, trustSettleMs, nowMs) > 0 ? 'settling' : null;
  if (alive(standing, nowMs).every(({ fingerprint }) => isAccepted(fingerprint))) return null;
  return { kind: 'record-trusted', trusted: { cas, sinceMs: nowMs } };
};

/**
 * For how much longer the trust that is marked on the Lease settles, ms. A leader waits by a clock that never jumps, from when
 * it first saw the mark: the wall clock of the leader before may have been another one.
 */
export const settlesInMs = (
  { lease: { trusted }, ages }: Pick<PlannerInput, 'lease' | 'ages'>,
  trustSettleMs: number,
  nowMs: number,
): number => {
  if (trusted === null) return 0;
  return Math.max(0, trustSettleMs - (ages?.trustedMs ?? nowMs - trusted.sinceMs));
};

/** For how much longer the next certificate waits for the trust to settle, ms; 0 when it does not. */
export const settlesFor = (
  plan: (observed: PlannerInput, policy: IssuancePolicy, nowMs: number) => Step | null,
  observed: PlannerInput,
  policy: IssuancePolicy,
  nowMs: number,
): number => {
  const inMs = settlesInMs(observed, policy.trustSettleMs, nowMs);
  if (inMs === 0) return 0;
  const ages = { servedMs: 0, ...observed.ages, trustedMs: Infinity };
  const next = plan({ ...observed, ages }, policy, nowMs)?.kind;
  return next === 'issue-leaf' || next === 'copy-secret' || next === 'announce' ? inMs : 0;
};

const HOLDS = 'holds';

/** Of each target that can be read, that its caBundles hold all of these CAs, or else what they hold. */
const contents = (targets: ClusterState['targets'], cas: readonly string[]): ReadonlyMap<string, string> => {
  const contentOf = ({ bundles }: TargetState): string => {
    const held = bundles.map((bundle) => bundle.map(({ fingerprint }) => fingerprint));
    return held.every((bundle) => cas.every((ca) => bundle.includes(ca))) ? HOLDS : held.join('|');
  };
  return new Map(targets.flatMap(({ id, state }) => (typeof state === 'string' ? [] : [[id, contentOf(state)]])));
};

/** Whether a caBundle that lacked some CAs has got them, or lacks them in another way: an API server may still call with what it held. */
const hasChanged = (before: ReadonlyMap<string, string>, now: ReadonlyMap<string, string>): boolean =>
  [...now].some(([id, content]) => {
    const earlier = before.get(id);
    return content !== earlier && (content === HOLDS || (earlier !== undefined && earlier !== HOLDS));
  });

/**
 * Remembers since when this leader has seen the marks of the Lease as they stand, by a clock that never jumps. The trust
 * counts anew when a caBundle that lacked the CAs has got them (it was repaired, or accepts writes again), or was changed by
 * another writer.
 */
export const markAges = (): ((observed: Pick<ClusterState, 'lease' | 'targets'>, nowMs: number) => MarkAges) => {
  let trusted: LeaseSnapshot['trusted'] = null;
  let trustedFromMs = 0;
  let held: ReadonlyMap<string, string> = new Map();
  let servedSinceMs: number | null = null;
  let servedFromMs = 0;
  return ({ lease, targets }, nowMs) => {
    const holds = contents(targets, lease.trusted?.cas ?? []);
    if (trusted?.sinceMs !== lease.trusted?.sinceMs || hasChanged(held, holds)) trustedFromMs = nowMs;
    if (servedSinceMs !== lease.servedSinceMs) servedFromMs = nowMs;
    trusted = lease.trusted;
    held = holds;
    servedSinceMs = lease.servedSinceMs;
    return { trustedMs: nowMs - trustedFromMs, servedMs: nowMs - servedFromMs };
  };
};
