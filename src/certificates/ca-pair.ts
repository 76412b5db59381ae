import type { CertificateInfo } from '../../streams/model.ts';
import { describeCertificate } from './certificate-info.ts';
import { readCertificates } from './pem.ts';
import { privateKey } from './private-key.ts';

type AuthorityFault = 'not-pem' | 'not-an-authority' | 'key-unusable' | 'key-encrypted' | 'key-mismatch';

type CaPairResult =
  | { readonly ok: true; readonly facts: CertificateInfo }
  | { readonly ok: false; readonly reason: AuthorityFault; readonly detail: string };

const refuse = (reason: AuthorityFault, detail: string): CaPairResult => ({ ok: false, reason, detail });

/**
 * Whether `ca.crt` (its first certificate) and `ca.key` make an authority that can issue; its dates are for the caller
 * to judge. Never throws, never repeats any of the text.
 */
export const readCaPair = ({ certificatePem, keyPem }: IssuedPair): CaPairResult => {
  try {
    const [certificate] = readCertificates(certificatePem);
    if (certificate === undefined) return refuse('not-pem', 'ca.crt holds no PEM certificate');
    if (!certificate.ca) return refuse('not-an-authority', 'ca.crt is not the certificate of an authority');
    const reading = privateKey(keyPem);
    if (!reading.ok)
      return refuse(reading.reason === 'key-encrypted' ? 'key-encrypted' : 'key-unusable', `ca.key: ${reading.detail}`);
    return certificate.checkPrivateKey(reading.key)
      ? { ok: true, facts: describeCertificate(certificate) }
      : refuse('key-mismatch', 'ca.key belongs to another certificate');
  } catch (error) {
    return refuse('not-pem', `ca.crt: ${error instanceof Error ? error.message : 'unreadable'}`);
  }
};

/** A certificate and its private key (PKCS#8), each as PEM. */
export interface IssuedPair {
  readonly certificatePem: string;
  readonly keyPem: string;
}
