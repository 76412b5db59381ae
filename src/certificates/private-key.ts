import { createPrivateKey, type KeyObject, type X509Certificate } from 'node:crypto';
import { splitPem, withoutByteOrderMark } from './pem.ts';

type KeyFault = 'key-unusable' | 'key-encrypted';

type PrivateKeyReading =
  | { readonly ok: true; readonly key: KeyObject }
  | {
      readonly ok: false;
      readonly reason: KeyFault;
      /** One line for a log; never any of the text. */
      readonly detail: string;
    };

const reject = (detail: string, reason: KeyFault = 'key-unusable'): PrivateKeyReading => ({
  ok: false,
  reason,
  detail,
});

/** The curves that both Go's crypto/x509, with which the API server verifies, and OpenSSL accept; P-224 is too weak for OpenSSL. */
const CURVES: ReadonlySet<string | undefined> = new Set(['prime256v1', 'secp384r1', 'secp521r1']);

const unsupported = ({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): string | null => {
  if (type === 'rsa' || type === 'ed25519') return null;
  if (type !== 'ec') return `the API server cannot verify keys of type ${type ?? 'unknown'}`;
  return CURVES.has(details?.namedCurve)
    ? null
    : `the API server cannot verify keys on ${details?.namedCurve ?? 'an unnamed curve'}`;
};

/**
 * Reads the first private key of a PEM text: PKCS#8, PKCS#1 (RSA) or SEC1 (EC, with or without its EC PARAMETERS block).
 * Never throws and never repeats any of the text.
 */
export const privateKey = (pem: string | Uint8Array): PrivateKeyReading => {
  try {
    const block = splitPem(pem).find(({ label }) => label.endsWith('PRIVATE KEY'));
    if (block === undefined) return reject('it holds no PEM private key');
    if (block.encrypted) return reject('it is protected by a passphrase', 'key-encrypted');
  } catch (error) {
    return reject((error as Error).message);
  }
  try {
    const key = createPrivateKey({ key: withoutByteOrderMark(Buffer.from(pem)), format: 'pem' });
    const reason = unsupported(key);
    return reason === null ? { ok: true, key } : reject(reason);
  } catch {
    // OpenSSL's error names its decoders, not the fault.
    return reject('it is not a readable private key');
  }
};

/**
 * Why a key does not fit the leaf, which is the first certificate of a chain; null when it does. A chain in the wrong order
 * is told from a wrong key, since the remedy is another one.
 */
export const keyMismatch = (chain: readonly X509Certificate[], key: KeyObject): string | null => {
  const at = chain.findIndex((certificate) => certificate.checkPrivateKey(key));
  if (at === 0) return null;
  return at < 0
    ? 'tls.key belongs to another certificate'
    : `tls.crt is in the wrong order: tls.key belongs to certificate ${at + 1}, which must be the first`;
};
