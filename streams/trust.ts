/** Sets of certificates, compared by fingerprint: the meaning of a caBundle depends neither on order nor on repetition. */
import type { CertificateInfo } from './model.ts';
import type { CaState, PlannerInput, PlannerView, Target } from './planner-input.ts';

export type Certificates = readonly CertificateInfo[];

export const has = (certificates: Certificates, { fingerprint }: CertificateInfo): boolean =>
  certificates.some((certificate) => certificate.fingerprint === fingerprint);

export const includes = (certificates: Certificates, subset: Certificates): boolean =>
  subset.every((certificate) => has(certificates, certificate));

export const union = (...sets: readonly Certificates[]): Certificates =>
  sets.flat().filter(({ fingerprint }, at, all) => all.findIndex((other) => other.fingerprint === fingerprint) === at);

export const without = (certificates: Certificates, removed: Certificates): Certificates =>
  certificates.filter((certificate) => !has(removed, certificate));

export const same = (left: Certificates, right: Certificates): boolean =>
  includes(left, right) && includes(right, left);

/** The certificates that have not expired. */
export const alive = (certificates: Certificates, nowMs: number): Certificates =>
  certificates.filter(({ notAfterMs }) => nowMs < notAfterMs);

/** What the caBundles trust, all together. */
export const trustedBy = (targets: PlannerInput['targets']): Certificates =>
  union(...targets.flatMap(({ state }) => (typeof state === 'string' ? [] : state.bundles)));

/** Every CA that a replica may be serving under while SECRET-ca is lost: what the Secret and the targets trust. */
export const inheritedCas = ({ secret, targets }: PlannerInput): Certificates =>
  union(typeof secret === 'string' ? [] : secret.trust, trustedBy(targets));

/** The CAs that the leader has put into caBundles which no other manager has written since. */
export const injectedCas = ({ targets }: PlannerInput): Certificates =>
  trustedBy(targets.filter(({ state }) => typeof state === 'string' || state.otherManager === null));

/** CAs that replicas may serve under although a SECRET-ca that was adopted, restored or edited lacks them. */
export const issuersMissingFromBundle = ({ secret, observed: { lease, targets } }: PlannerView): Certificates => {
  if (secret === 'absent') return trustedBy(targets);
  const isUnannounced = lease.announcement !== null && lease.announcement.hash !== secret.hash;
  // A Secret that another writer has replaced, and that was not announced, is in use nowhere: it gets no trust.
  return isUnannounced ? [] : secret.trust.filter(({ fingerprint }) => fingerprint === secret.issuer);
};

/** The API server lastingly refuses the leader's writes of this target. */
export const isRefusing = ({ refused }: Target): boolean => refused !== undefined && refused !== null;

/** A change of CA waits for this target: whether it can be written, or what it trusts, is unknown. */
export const delaysCaChange = (target: Target): boolean => isRefusing(target) || target.state === 'unreadable';

/**
 * Whether calls would begin to fail at a target with a leaf of this issuer: it trusts another CA of ours, but not this
 * one. A target that trusts none of them rejects every leaf already, and must not keep the others from a renewal.
 */
export const wouldReject =
  (issuer: string | null, { bundle: ours }: CaState) =>
  ({ state }: Target): boolean => {
    if (typeof state === 'string') return state === 'forbidden' || state === 'unreadable';
    return state.bundles.some(
      (bundle) =>
        !bundle.some(({ fingerprint }) => fingerprint === issuer) && ours.some((ca) => includes(bundle, [ca])),
    );
  };
