import { randomBytes } from 'node:crypto';
import { authorityExtensions } from './authority-extensions.ts';
import { commonName } from './common-name.ts';
import type { IssuedPair } from './issued.ts';
import type { KeyAlgorithm } from './key-algorithm.ts';
import { makeKey } from './make-key.ts';
import { publicKeyOf } from './public-key-of.ts';
import { serialNumber } from './serial-number.ts';
import { signingKey } from './signing-key.ts';
import { validity } from './validity.ts';
import { SubjectKeyIdentifierExtension, X509CertificateGenerator } from './x509-library.ts';

export interface AuthorityOrder {
  readonly algorithm: KeyAlgorithm;
  /** Common name; eight random hex digits are put behind it, so that no two authorities share a name. */
  readonly subject: string;
  readonly nowMs: number;
  /** Counted from now. */
  readonly validityMs: number;
}

/** X.520's upper bound of a common name is 64 characters (`ub-common-name`). */
const MOST_CHARACTERS = 64 - ' 01234567'.length;

/** Makes a self-signed authority with a fresh key. */
export const issueAuthority = async ({
  algorithm,
  subject,
  nowMs,
  validityMs,
}: AuthorityOrder): Promise<IssuedPair> => {
  const key = await makeKey(algorithm);
  const publicKey = publicKeyOf(key);
  const signing = signingKey(key);
  const name = commonName(`${subject.slice(0, MOST_CHARACTERS)} ${randomBytes(4).toString('hex')}`.trimStart());

  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name,
    ...validity(nowMs, nowMs + validityMs),
    keys: { publicKey, privateKey: signing.key },
    signingAlgorithm: signing.algorithm,
    extensions: [...authorityExtensions(), await SubjectKeyIdentifierExtension.create(publicKey)],
  });
  return {
    certificatePem: `${certificate.toString('pem')}\n`,
    keyPem: key.export({ type: 'pkcs8', format: 'pem' }),
  };
};
