import type { X509Certificate } from 'node:crypto';
import type { CertificateInfo } from '../../streams/model.ts';
import { sha256Hex } from '../util/hash.ts';
import { subjectAltNames } from './names.ts';
import { readCertificates } from './pem.ts';

/** One certificate as far as decisions need it. An empty subject reads as an empty string. */
export const describeCertificate = (certificate: X509Certificate): CertificateInfo => ({
  fingerprint: sha256Hex(certificate.raw),
  // Node prints one relative name a line, and nothing at all (not even a string) when there is none.
  subject: ((certificate.subject as string | undefined) ?? '').split('\n').join(', '),
  serial: certificate.serialNumber.toLowerCase(),
  notBeforeMs: certificate.validFromDate.getTime(),
  notAfterMs: certificate.validToDate.getTime(),
  names: subjectAltNames(certificate.subjectAltName),
  pem: certificate.toString(),
});

/**
 * The certificates of a PEM bundle, in its order; none when it holds none.
 *
 * @throws Error that tells which block is malformed and never repeats any of it
 */
export const describeCertificates = (pem: string | Uint8Array): readonly CertificateInfo[] =>
  readCertificates(pem).map(describeCertificate);
