import { SubjectKeyIdentifierExtension } from './x509-library.ts';
import type { X509Certificate } from './x509-library.ts';

/** What a certificate calls its own key, else the SHA-1 of the key (RFC 5280, 4.2.1.2). */
export const subjectKeyIdentifier = async (certificate: X509Certificate): Promise<SubjectKeyIdentifierExtension> => {
  const own = certificate.getExtension(SubjectKeyIdentifierExtension);
  return own === null
    ? SubjectKeyIdentifierExtension.create(certificate.publicKey)
    : new SubjectKeyIdentifierExtension(own.keyId);
};
