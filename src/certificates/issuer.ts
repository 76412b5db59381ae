import { type IssuedPair, readCaPair } from './ca-pair.ts';
import { signingKey } from './keys.ts';
import { privateKey } from './private-key.ts';
import { serialNumber, subjectKeyIdentifier, type Validity } from './x509-fields.ts';
import {
  AuthorityKeyIdentifierExtension,
  type Extension,
  type Name,
  type PublicKey,
  X509Certificate,
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
  /** Signs a certificate and returns it as PEM, with the CA's key identifier added to the extensions. */
  issue(issuance: Issuance): Promise<string>;
}

/**
 * Opens a CA for signing. Its name is copied byte by byte into what it issues, since Go compares names so.
 *
 * @throws Error when certificate and key do not form a CA, without any text of either
 */
export const issuer = (ca: IssuedPair): Issuer => {
  const pair = readCaPair(ca);
  if (!pair.ok) throw new Error(`the authority cannot issue: ${pair.detail}`);
  const reading = privateKey(Buffer.from(ca.keyPem, 'latin1'));
  if (!reading.ok) throw new Error(`the authority cannot issue: ${reading.detail}`);

  const certificate = new X509Certificate(pair.certificate.raw);
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
