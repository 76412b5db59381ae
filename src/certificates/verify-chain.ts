import type { X509Certificate } from 'node:crypto';

interface ChainObjection {
  readonly detail: string;
  /** Time alone mends it: an issuer is not valid yet. */
  readonly retryable: boolean;
}

interface Chain {
  readonly leaf: X509Certificate;
  readonly intermediates: readonly X509Certificate[];
  readonly anchors: readonly X509Certificate[];
}

const called = ({ subject, fingerprint256 }: X509Certificate): string =>
  // Typed as a string, undefined for an empty name.
  (subject as string | undefined)?.split('\n').join(', ') ?? `the certificate ${fingerprint256.slice(0, 23)}…`;

const issued = (issuer: X509Certificate, child: X509Certificate): boolean =>
  child.checkIssued(issuer) && child.verify(issuer.publicKey);

/**
 * Walks from the leaf over the intermediates to a certificate authority of the trust bundle, every way there is.
 * As Go's verifier does it, any certificate of the bundle is an anchor, self-signed or not, and a leaf that stands in
 * the bundle itself is trusted. Path lengths and name constraints are left to the loopback handshake.
 *
 * @returns why no way leads there, or null when one does
 */
export const verifyChain = ({ leaf, intermediates, anchors }: Chain, nowMs: number): ChainObjection | null => {
  const seen = new Set<string>();
  // What stood in the way where the right issuer was found says more than that none was found further up.
  const obstacles: ChainObjection[] = [];

  const isSound = (issuer: X509Certificate): boolean => {
    const early = nowMs < issuer.validFromDate.getTime();
    const late = nowMs >= issuer.validToDate.getTime();
    if (issuer.ca && !early && !late) return true;
    const why = issuer.ca ? (early ? 'is not valid yet' : 'has expired') : 'is not a certificate authority';
    obstacles.push({ detail: `the issuer ${called(issuer)} ${why}`, retryable: issuer.ca && early });
    return false;
  };

  const reaches = (child: X509Certificate): boolean => {
    seen.add(child.fingerprint256);
    if (anchors.some((anchor) => issued(anchor, child) && isSound(anchor))) return true;
    return intermediates.some(
      (issuer) => !seen.has(issuer.fingerprint256) && issued(issuer, child) && isSound(issuer) && reaches(issuer),
    );
  };

  if (anchors.some(({ fingerprint256 }) => fingerprint256 === leaf.fingerprint256) || reaches(leaf)) return null;
  const unknown = `none of the ${anchors.length} certificates in ca.crt issued ${called(leaf)}, directly or over tls.crt`;
  return obstacles[0] ?? { detail: unknown, retryable: false };
};
