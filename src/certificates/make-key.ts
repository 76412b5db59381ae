import { generateKeyPair } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import type { KeyAlgorithm } from './key-algorithm.ts';

const generate = promisify(generateKeyPair);

/** A fresh private key; RSA takes seconds, on the thread pool. */
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
