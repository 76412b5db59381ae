import type { CaState, PlannerInput, Target } from './cluster-state.ts';
import type { CertificateInfo } from './model.ts';
import type { PlannerView } from './planner-input.ts';

export type Certificates = readonly CertificateInfo[];

const has = (certificates: Certificates, { fingerprint }: CertificateInfo): boolean =>
  certificates.some((certificate) => certificate.fingerprint === fingerprint);

const includes = (certificates: Certificates, desired: Certificates): boolean =>
  desired.every((certificate) => has(certificates, certificate));

/** Sets of certificates, by fingerprint; what a caBundle means depends neither on its order nor on repetitions. */
export const certificateSets = {
  has,
  includes,
  union: (...sets: readonly Certificates[]): Certificates =>
    sets
      .flat()
      .filter(({ fingerprint }, at, all) => all.findIndex((other) => other.fingerprint === fingerprint) === at),
  without: (certificates: Certificates, removed: Certificates): Certificates =>
    certificates.filter((certificate) => !has(removed, certificate)),
  same: (left: Certificates, right: Certificates): boolean => includes(left, right) && includes(right, left),
  alive: (certificates: Certificates, nowMs: number): Certificates =>
    certificates.filter(({ notAfterMs }) => nowMs < notAfterMs),
};

const trustedBy = (targets: PlannerInput['targets']): Certificates =>
  certificateSets.union(...targets.flatMap(({ state }) => (typeof state === 'string' ? [] : state.bundles)));

/** Every CA that somebody may be serving under while SECRET-ca does not say: what the Secret and the targets trust. */
export const inheritedCas = ({ secret, targets }: PlannerInput): Certificates =>
  certificateSets.union(typeof secret === 'string' ? [] : secret.trust, trustedBy(targets));

/** What we have put into caBundles: nobody else has written there since. */
export const injectedCas = ({ targets }: PlannerInput): Certificates =>
  trustedBy(targets.filter(({ state }) => typeof state === 'string' || state.otherManager === null));

/** CAs that replicas may serve under although SECRET-ca, taken over, put back or tampered with, does not say so. */
export const issuersMissingFromBundle = ({ secret, observed: { lease, targets } }: PlannerView): Certificates => {
  if (secret === 'absent') return trustedBy(targets);
  const isUnannounced = lease.announcement !== null && lease.announcement.hash !== secret.hash;
  // What others have put there, and nobody has announced, serves nobody: it gets no trust.
  return isUnannounced ? [] : secret.trust.filter(({ fingerprint }) => fingerprint === secret.issuer);
};

/**
 * Whether calls would begin to fail at a target with a leaf of this issuer: it trusts another CA of ours, but not this
 * one. A target that trusts none of them refuses every leaf already, and must not keep the others from a renewal.
 */
export const wouldReject =
  (issuer: string | null, { bundle: ours }: CaState) =>
  ({ state }: Target): boolean => {
    if (typeof state === 'string') return state === 'forbidden';
    return state.bundles.some(
      (bundle) =>
        !bundle.some(({ fingerprint }) => fingerprint === issuer) &&
        ours.some((ca) => certificateSets.includes(bundle, [ca])),
    );
  };
