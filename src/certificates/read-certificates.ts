import { X509Certificate } from 'node:crypto';
import { splitPem } from './split-pem.ts';

/**
 * Every certificate of a PEM text, in its order; other blocks are passed over.
 *
 * @throws Error that tells which block is malformed and never repeats any of it
 */
export const readCertificates = (pem: string | Uint8Array): readonly X509Certificate[] =>
  splitPem(pem).flatMap(({ label, der }, index) => {
    if (label !== 'CERTIFICATE') return [];
    try {
      return [new X509Certificate(der)];
    } catch (cause) {
      throw new Error(`PEM block ${index + 1} is not an X.509 certificate`, { cause });
    }
  });
