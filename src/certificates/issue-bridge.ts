import { authorityExtensions } from './authority-extensions.ts';
import { firstCertificate } from './first-certificate.ts';
import type { IssuedPair } from './issued.ts';
import { issuer } from './issuer.ts';
import { subjectKeyIdentifier } from './subject-key-identifier.ts';
import { validity } from './validity.ts';
import { BasicConstraintsExtension } from './x509-library.ts';

export interface BridgeOrder {
  readonly older: IssuedPair;
  readonly newer: Pick<IssuedPair, 'certificatePem'>;
  readonly nowMs: number;
}

/**
 * The newer authority, same name and key, cross-signed by the older one: with it behind the leaf, clients that trust
 * only the older authority accept what the newer one issues (law L8). It outlives neither of the two.
 *
 * @returns the certificate as PEM, or null when the older authority must not have another below it (path length 0, as
 *   Go's `MaxPathLenZero` writes it)
 * @throws Error when the older authority cannot issue or has expired
 */
export const issueBridge = async ({ older, newer, nowMs }: BridgeOrder): Promise<string | null> => {
  const authority = issuer(older);
  if (authority.certificate.getExtension(BasicConstraintsExtension)?.pathLength === 0) return null;

  const below = firstCertificate(newer.certificatePem);
  return authority.issue({
    subject: below.subjectName,
    publicKey: below.publicKey,
    validity: validity(nowMs, below.notAfter.getTime(), [authority.certificate]),
    extensions: [...authorityExtensions(), await subjectKeyIdentifier(below)],
  });
};
