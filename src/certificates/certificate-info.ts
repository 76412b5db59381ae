import type { X509Certificate } from 'node:crypto';
import type { CertificateInfo } from '../../streams/model.ts';
import { sha256Hex } from '../util/hash.ts';
import { subjectAltNames } from './names.ts';
import { readCertificates } from './pem.ts';

/** Extracts from a certificate what decisions need. An empty subject becomes an empty string. */
export const describeCertificate = (certificate: X509Certificate): CertificateInfo => ({
  fingerprint: sha256Hex(certificate.raw),
  // Node prints one relative name a line, and returns undefined for an empty name.
  subject: ((certificate.subject as string | undefined) ?? '').split('\n').join(', '),
  serial: certificate.serialNumber.toLowerCase(),
  notBeforeMs: certificate.validFromDate.getTime(),
  notAfterMs: certificate.validToDate.getTime(),
  names: subjectAltNames(certificate.subjectAltName),
  pem: certificate.toString(),
});

/**
 * Describes the certificates of a PEM bundle, in its order.
 *
 * @throws Error with the position of the first malformed block, without any of its content
 */
export const describeCertificates = (pem: string | Uint8Array): readonly CertificateInfo[] =>
  readCertificates(pem).map(describeCertificate);
