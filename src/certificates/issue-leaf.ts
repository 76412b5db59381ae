import { isIP } from 'node:net';
import { commonName } from './common-name.ts';
import type { IssuedPair } from './issued.ts';
import { issuer } from './issuer.ts';
import type { KeyAlgorithm } from './key-algorithm.ts';
import { makeKey } from './make-key.ts';
import { publicKeyOf } from './public-key-of.ts';
import { validity } from './validity.ts';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Name,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
} from './x509-library.ts';

export interface LeafOrder {
  readonly authority: IssuedPair;
  /** DNS names and IP addresses, at least one; the first is the common name too when it is short enough. */
  readonly names: readonly string[];
  readonly algorithm: KeyAlgorithm;
  readonly nowMs: number;
  /** Counted from now; the leaf never outlives its authority. */
  readonly validityMs: number;
}

/** X.520's upper bound of a common name (`ub-common-name`). */
const MOST_CHARACTERS = 64;

const usagesOf = (algorithm: KeyAlgorithm): KeyUsagesExtension =>
  algorithm.startsWith('rsa')
    ? // TLS 1.2 can still exchange keys by RSA encryption.
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature | KeyUsageFlags.keyEncipherment, true)
    : new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true);

/**
 * Makes a serving certificate with a fresh key.
 *
 * @throws Error when the authority cannot issue or has expired, or when there is no name
 */
export const issueLeaf = async (order: LeafOrder): Promise<IssuedPair> => {
  const { names, algorithm, nowMs, validityMs } = order;
  const [first] = names;
  if (first === undefined) throw new Error('a leaf needs a name');
  const authority = issuer(order.authority);
  const key = await makeKey(algorithm);
  const publicKey = publicKeyOf(key);
  const hasSubject = first.length <= MOST_CHARACTERS;

  const certificatePem = await authority.issue({
    subject: hasSubject ? commonName(first) : new Name([]),
    publicKey,
    validity: validity(nowMs, nowMs + validityMs, [authority.certificate]),
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      usagesOf(algorithm),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension(
        names.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value }) as const),
        // RFC 5280, 4.2.1.6: without a subject the names are all there is.
        !hasSubject,
      ),
      await SubjectKeyIdentifierExtension.create(publicKey),
    ],
  });
  return { certificatePem, keyPem: key.export({ type: 'pkcs8', format: 'pem' }) };
};
