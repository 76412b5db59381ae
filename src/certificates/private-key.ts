import { createPrivateKey, type KeyObject } from 'node:crypto';
import { type Fault, fault, type PairFault } from './pair-fault.ts';
import { splitPem } from './pem.ts';

type PrivateKeyReading = { readonly ok: true; readonly key: KeyObject } | ({ readonly ok: false } & Fault);

const refuse = (detail: string, reason: PairFault = 'key-unusable'): PrivateKeyReading => ({
  ok: false,
  ...fault(reason, detail),
});

/** The curves of Go's crypto/x509, which is what the API server verifies with (P-224 is too weak for OpenSSL). */
const CURVES: ReadonlySet<string | undefined> = new Set(['prime256v1', 'secp384r1', 'secp521r1']);

const objection = ({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): string | null => {
  if (type === 'rsa' || type === 'ed25519') return null;
  if (type !== 'ec') return `an API server cannot verify a key of type ${type ?? 'unknown'}`;
  return CURVES.has(details?.namedCurve) ? null : `an API server cannot verify keys on ${details?.namedCurve ?? 'it'}`;
};

/**
 * The first private key of a PEM text: PKCS#8, PKCS#1 (RSA) or SEC1 (EC, with or without its EC PARAMETERS block).
 * Never throws and never repeats any of the text.
 */
export const privateKey = (pem: string | Uint8Array): PrivateKeyReading => {
  try {
    const block = splitPem(pem).find(({ label }) => label.endsWith('PRIVATE KEY'));
    if (block === undefined) return refuse('it holds no PEM private key');
    if (block.encrypted) return refuse('it is protected by a passphrase', 'key-encrypted');
  } catch (error) {
    return refuse((error as Error).message);
  }
  try {
    const key = createPrivateKey({ key: Buffer.from(pem), format: 'pem' });
    const refusal = objection(key);
    return refusal === null ? { ok: true, key } : refuse(refusal);
  } catch {
    // OpenSSL's own words are about its decoders and help nobody.
    return refuse('it is not a readable private key');
  }
};
