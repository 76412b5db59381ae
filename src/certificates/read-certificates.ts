import { X509Certificate } from 'node:crypto';
import { splitPem } from './split-pem.ts';

/**
 * OpenSSL parses a certificate whose dates are none. It prints "Bad time value" for such a date, while the `Date` that Node
 * makes of it is whatever stood in that memory before: only the printed form tells.
 */
const isDated = ({ validFrom, validTo }: X509Certificate): boolean =>
  !Number.isNaN(Date.parse(validFrom)) && !Number.isNaN(Date.parse(validTo));

/**
 * Every certificate of a PEM text, in its order; other blocks are passed over.
 *
 * @throws Error that tells which block is malformed and never repeats any of it
 */
export const readCertificates = (pem: string | Uint8Array): readonly X509Certificate[] =>
  splitPem(pem).flatMap(({ label, der }, index) => {
    if (label !== 'CERTIFICATE') return [];
    let certificate: X509Certificate;
    try {
      certificate = new X509Certificate(der);
    } catch (cause) {
      throw new Error(`PEM block ${index + 1} is not an X.509 certificate`, { cause });
    }
    if (!isDated(certificate)) throw new Error(`PEM block ${index + 1} is a certificate without readable dates`);
    return [certificate];
  });
