/** A certificate and its private key (PKCS#8), each as PEM. */
export interface IssuedPair {
  readonly certificatePem: string;
  readonly keyPem: string;
}
