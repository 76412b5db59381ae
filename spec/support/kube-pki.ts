import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

export interface Pair {
  readonly cert: string;
  readonly key: string;
}

export interface Pki {
  readonly ca: string;
  /** A leaf for a DNS name (a client's common name as well) and 127.0.0.1. */
  issue(name: string): Promise<Pair>;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const hourMs = 3_600_000;

const keyPair = (): Promise<webcrypto.CryptoKeyPair> =>
  webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);

/** A CA of its own at each call, valid for an hour either side of now. */
export const createPki = async (): Promise<Pki> => {
  x509.cryptoProvider.set(webcrypto);
  const validity = { notBefore: new Date(Date.now() - hourMs), notAfter: new Date(Date.now() + hourMs) };
  const caKeys = await keyPair();
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity,
    name: `CN=spec CA ${webcrypto.randomUUID()}`,
    keys: caKeys,
    signingAlgorithm: algorithm,
    extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
  });
  return {
    ca: ca.toString('pem'),
    async issue(name) {
      const keys = await keyPair();
      const cert = await x509.X509CertificateGenerator.create({
        ...validity,
        subject: `CN=${name}`,
        issuer: ca.subject,
        publicKey: keys.publicKey,
        signingKey: caKeys.privateKey,
        signingAlgorithm: algorithm,
        extensions: [
          new x509.SubjectAlternativeNameExtension([
            { type: 'dns', value: name },
            ...(name === 'localhost' ? [{ type: 'ip', value: '127.0.0.1' } as const] : []),
          ]),
        ],
      });
      const der = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
      return { cert: cert.toString('pem'), key: x509.PemConverter.encode(der, 'PRIVATE KEY') };
    },
  };
};
