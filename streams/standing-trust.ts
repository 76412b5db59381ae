import { certificateSets } from './certificate-sets.ts';
import type { Certificates } from './certificate-sets.ts';
import type { AuthorityState, Observed, Target } from './cluster-state.ts';
import type { IssuanceView } from './issuance-view.ts';

const { includes, union } = certificateSets;

const trustedBy = (targets: Observed['targets']): Certificates =>
  union(...targets.flatMap(({ state }) => (typeof state === 'string' ? [] : state.bundles)));

/** Every CA that somebody may be serving under while SECRET-ca does not say: what the Secret and the targets trust. */
export const inherited = ({ secret, targets }: Observed): Certificates =>
  union(typeof secret === 'string' ? [] : secret.trust, trustedBy(targets));

/** What we have put into caBundles: nobody else has written there since. */
export const given = ({ targets }: Observed): Certificates =>
  trustedBy(targets.filter(({ state }) => typeof state === 'string' || state.rival === null));

/** CAs that replicas may serve under although SECRET-ca, taken over, put back or tampered with, does not say so. */
export const overlooked = ({ secret, observed: { lease, targets } }: IssuanceView): Certificates => {
  if (secret === 'absent') return trustedBy(targets);
  const isUnannounced = lease.announcement !== null && lease.announcement.hash !== secret.hash;
  // What others have put there, and nobody has announced, serves nobody: it gets no trust.
  return isUnannounced ? [] : secret.trust.filter(({ fingerprint }) => fingerprint === secret.issuer);
};

/**
 * Whether calls would begin to fail at a target with a leaf of this issuer: it trusts another CA of ours, but not this
 * one. A target that trusts none of them refuses every leaf already, and must not keep the others from a renewal.
 */
export const losesWith =
  (issuer: string | null, { bundle: ours }: AuthorityState) =>
  ({ state }: Target): boolean => {
    if (typeof state === 'string') return state === 'unreadable';
    return state.bundles.some(
      (bundle) =>
        !bundle.some(({ fingerprint }) => fingerprint === issuer) && ours.some((ca) => includes(bundle, [ca])),
    );
  };
