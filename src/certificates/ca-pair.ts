import type { X509Certificate } from 'node:crypto';
import type { CertificateInfo } from '../../streams/model.ts';
import { describeCertificate } from './certificate-info.ts';
import { readCertificates } from './pem.ts';
import { privateKey } from './private-key.ts';
import { caError } from './verify-chain.ts';

type CaFault = 'not-pem' | 'not-an-authority' | 'key-unusable' | 'key-encrypted' | 'key-mismatch';

type CaPairResult =
  | {
      readonly ok: true;
      readonly facts: CertificateInfo;
      /** The certificate of ca.crt that the key fits. */
      readonly certificate: X509Certificate;
    }
  | { readonly ok: false; readonly reason: CaFault; readonly detail: string };

/** A certificate and its private key (PKCS#8), each as PEM. */
export interface IssuedPair {
  readonly certificatePem: string;
  readonly keyPem: string;
}

const reject = (reason: CaFault, detail: string): CaPairResult => ({ ok: false, reason, detail });

/**
 * Checks that `ca.crt` and `ca.key` form a CA that can issue. Of several certificates, as a corporate CA often comes with
 * its root, the one that the key fits is the CA, wherever it stands. The caller decides on its dates. Never throws and
 * never repeats any of the text.
 */
export const readCaPair = ({ certificatePem, keyPem }: IssuedPair): CaPairResult => {
  try {
    const certificates = readCertificates(certificatePem);
    if (certificates.length === 0) return reject('not-pem', 'ca.crt holds no PEM certificate');
    const reading = privateKey(Buffer.from(keyPem, 'latin1'));
    const fitting = reading.ok ? certificates.find((each) => each.checkPrivateKey(reading.key)) : certificates[0];
    const [only] = certificates;
    const error = caError(fitting ?? only ?? null);
    // Of a single certificate, what it is says more than that the key does not fit.
    if (error !== null && (fitting !== undefined || certificates.length === 1))
      return reject('not-an-authority', `ca.crt ${error}`);
    if (!reading.ok) return reject(reading.reason, `ca.key: ${reading.detail}`);
    return fitting === undefined
      ? reject('key-mismatch', 'ca.key belongs to another certificate')
      : { ok: true, facts: describeCertificate(fitting), certificate: fitting };
  } catch (error) {
    return reject('not-pem', `ca.crt: ${error instanceof Error ? error.message : 'unreadable'}`);
  }
};
