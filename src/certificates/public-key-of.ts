import { createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { PublicKey } from './x509-library.ts';

/** The public half of a private key, for the library to put into a certificate. */
export const publicKeyOf = (key: KeyObject): PublicKey =>
  new PublicKey(createPublicKey(key).export({ type: 'spki', format: 'der' }));
