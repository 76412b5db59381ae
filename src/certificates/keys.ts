import { generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import type { Settings } from '../config/variables.ts';

/** The key algorithms that can be generated, as KEY_ALGORITHM spells them. */
export type KeyAlgorithm = Settings['keyAlgorithm'];

const generate = promisify(generateKeyPair);

/** Generates a private key; RSA takes seconds, on the thread pool. */
export const makeKey = async (algorithm: KeyAlgorithm): Promise<KeyObject> => {
  const { privateKey } = await (() => {
    switch (algorithm) {
      case 'ecdsa-p256':
        return generate('ec', { namedCurve: 'P-256' });
      case 'ecdsa-p384':
        return generate('ec', { namedCurve: 'P-384' });
      case 'rsa-2048':
        return generate('rsa', { modulusLength: 2048 });
      case 'rsa-3072':
        return generate('rsa', { modulusLength: 3072 });
      case 'rsa-4096':
        return generate('rsa', { modulusLength: 4096 });
    }
  })();
  return privateKey;
};

/** A private key in the form that the X.509 library signs with. */
interface SigningKey {
  readonly key: CryptoKey;
  readonly algorithm: { readonly name: string; readonly hash?: string; readonly namedCurve?: string };
}

/** Each curve with the hash of equal strength (RFC 5480, section 4). */
const CURVES: Readonly<Record<string, { readonly namedCurve: string; readonly hash: string }>> = {
  prime256v1: { namedCurve: 'P-256', hash: 'SHA-256' },
  secp384r1: { namedCurve: 'P-384', hash: 'SHA-384' },
  secp521r1: { namedCurve: 'P-521', hash: 'SHA-512' },
};

const algorithmOf = (key: KeyObject): SigningKey['algorithm'] => {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === 'rsa') return { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
  if (type === 'ed25519') return { name: 'Ed25519' };
  const curve = CURVES[details?.namedCurve ?? ''];
  if (type === 'ec' && curve !== undefined) return { name: 'ECDSA', ...curve };
  throw new Error(`cannot sign certificates with a key of type ${type ?? 'unknown'}`);
};

/**
 * Converts a key of any form (PKCS#1, SEC1, PKCS#8) to the one that the X.509 library takes.
 *
 * @throws Error when certificates cannot be signed with such a key
 */
export const signingKey = (key: KeyObject): SigningKey => {
  const algorithm = algorithmOf(key);
  return { algorithm, key: key.toCryptoKey(algorithm, false, ['sign']) };
};
