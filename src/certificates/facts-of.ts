import type { X509Certificate } from 'node:crypto';
import type { CertificateFacts } from '../../streams/model.ts';
import { sha256Hex } from './sha256-hex.ts';
import { subjectAltNames } from './subject-alt-names.ts';

/** One certificate as far as decisions need it. An empty subject reads as an empty string. */
export const factsOf = (certificate: X509Certificate): CertificateFacts => ({
  fingerprint: sha256Hex(certificate.raw),
  // Node prints one relative name a line, and nothing at all (not even a string) when there is none.
  subject: ((certificate.subject as string | undefined) ?? '').split('\n').join(', '),
  serial: certificate.serialNumber.toLowerCase(),
  notBeforeMs: certificate.validFromDate.getTime(),
  notAfterMs: certificate.validToDate.getTime(),
  names: subjectAltNames(certificate.subjectAltName),
  pem: certificate.toString(),
});
