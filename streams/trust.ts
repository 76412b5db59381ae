import { type Certificates, includes, union } from './certificate-set.ts';
import type { CaState, PlannerInput, Target } from './cluster-state.ts';
import type { PlannerView } from './planner-input.ts';

const trustedBy = (targets: PlannerInput['targets']): Certificates =>
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

/**
 * Whether calls would begin to fail at a target with a leaf of this issuer: it trusts another CA of ours, but not this
 * one. A target that trusts none of them rejects every leaf already, and must not keep the others from a renewal.
 */
export const wouldReject =
  (issuer: string | null, { bundle: ours }: CaState) =>
  ({ state }: Target): boolean => {
    if (typeof state === 'string') return state === 'forbidden';
    return state.bundles.some(
      (bundle) =>
        !bundle.some(({ fingerprint }) => fingerprint === issuer) && ours.some((ca) => includes(bundle, [ca])),
    );
  };
