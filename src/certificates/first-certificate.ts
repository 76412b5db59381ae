import { readCertificates } from './read-certificates.ts';
import { X509Certificate } from './x509-library.ts';

/**
 * The first certificate of a PEM text, for the library to work with.
 *
 * @throws Error when there is none, without repeating any of the text
 */
export const firstCertificate = (pem: string): X509Certificate => {
  const [first] = readCertificates(pem);
  if (first === undefined) throw new Error('there is no PEM certificate');
  return new X509Certificate(first.raw);
};
