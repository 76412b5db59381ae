import { authorityFacts } from './authority-facts.ts';
import { firstCertificate } from './first-certificate.ts';
import type { IssuedPair } from './issued.ts';
import { privateKey } from './private-key.ts';
import { serialNumber } from './serial-number.ts';
import { signingKey } from './signing-key.ts';
import { subjectKeyIdentifier } from './subject-key-identifier.ts';
import type { Validity } from './validity.ts';
import { AuthorityKeyIdentifierExtension, X509CertificateGenerator } from './x509-library.ts';
import type { Extension, Name, PublicKey, X509Certificate } from './x509-library.ts';

export interface Issuance {
  readonly subject: Name;
  readonly publicKey: PublicKey;
  readonly validity: Validity;
  readonly extensions: readonly Extension[];
}

export interface Issuer {
  readonly certificate: X509Certificate;
  /** Signs a certificate and tells it as PEM. The authority's key identifier comes on top of the extensions given. */
  issue(issuance: Issuance): Promise<string>;
}

/**
 * An authority at work. Its name goes into what it issues byte for byte, since Go compares names so.
 *
 * @throws Error when certificate and key do not make an authority, without repeating any of either
 */
export const issuer = (authority: IssuedPair): Issuer => {
  const facts = authorityFacts(authority);
  if (!facts.ok) throw new Error(`the authority cannot issue: ${facts.detail}`);
  const reading = privateKey(authority.keyPem);
  if (!reading.ok) throw new Error(`the authority cannot issue: ${reading.detail}`);

  const certificate = firstCertificate(authority.certificatePem);
  const { key, algorithm } = signingKey(reading.key);

  return {
    certificate,
    async issue({ subject, publicKey, validity, extensions }) {
      const { keyId } = await subjectKeyIdentifier(certificate);
      const issued = await X509CertificateGenerator.create({
        serialNumber: serialNumber(),
        subject,
        issuer: certificate.subjectName,
        ...validity,
        publicKey,
        signingKey: key,
        signingAlgorithm: algorithm,
        extensions: [...extensions, new AuthorityKeyIdentifierExtension(keyId)],
      });
      return `${issued.toString('pem')}\n`;
    },
  };
};
