import type { SymbolicCertificate, SymbolicPki } from './symbolic-pki.ts';

const isValid = ({ facts }: SymbolicCertificate, nowMs: number): boolean =>
  facts.notBeforeMs <= nowMs && nowMs < facts.notAfterMs;

/**
 * Why a verifier that trusts these anchors refuses this chain, or null: the leaf's dates, and a way from it over the
 * certificates behind it to an anchor, all of them valid.
 *
 * @param hash the chain, as `tls.crt` names it: `leaf+bridge+…`
 */
export const chainProblem = (
  pki: SymbolicPki,
  hash: string,
  anchors: readonly string[],
  nowMs: number,
): string | null => {
  const known = (fingerprints: readonly string[]): readonly SymbolicCertificate[] =>
    fingerprints.map((fingerprint) => pki.get(fingerprint)).filter((certificate) => certificate !== undefined);
  const [leaf, ...between] = known(hash.split('+'));
  if (leaf === undefined) return 'no certificate';
  if (!isValid(leaf, nowMs)) return 'not valid now';
  const roots = known(anchors).filter((root) => isValid(root, nowMs));
  const bridges = between.filter((bridge) => isValid(bridge, nowMs));

  const reaches = (child: SymbolicCertificate, left: readonly SymbolicCertificate[]): boolean =>
    roots.some(({ key }) => key === child.signer) ||
    left.some(
      (bridge) =>
        bridge.key === child.signer &&
        reaches(
          bridge,
          left.filter((other) => other !== bridge),
        ),
    );
  return reaches(leaf, bridges) ? null : `no way from ${hash} to any of [${anchors.join(' ')}]`;
};
