import { type IssuedPair, readCaPair } from './ca-pair.ts';
import { signingKey } from './keys.ts';
import { privateKey } from './private-key.ts';
import { firstCertificate, serialNumber, subjectKeyIdentifier, type Validity } from './x509-fields.ts';
import {
  AuthorityKeyIdentifierExtension,
  type Extension,
  type Name,
  type PublicKey,
  type X509Certificate,
  X509CertificateGenerator,
} from './x509-library.ts';

interface Issuance {
  readonly subject: Name;
  readonly publicKey: PublicKey;
  readonly validity: Validity;
  readonly extensions: readonly Extension[];
}

interface Issuer {
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
  const facts = readCaPair(authority);
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
