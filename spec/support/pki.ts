import { createPrivateKey } from 'node:crypto';
import { issueCa, type IssuedPair, issueLeaf, type KeyAlgorithm } from '../../src/certificates/issue.ts';
import { sha256Hex } from '../../src/util/hash.ts';

const dayMs = 86_400_000;

/** What a Secret mount holds. `hash` is that of `certificate`. */
export interface MountedPair {
  readonly certificate: Buffer;
  readonly key: Buffer;
  readonly trust: Buffer;
  readonly hash: string;
}

export interface PairOrder {
  readonly authority?: IssuedPair;
  readonly names?: readonly string[];
  readonly algorithm?: KeyAlgorithm;
  /** When it is issued; now. */
  readonly nowMs?: number;
  /** A day. */
  readonly validityMs?: number;
}

const names = ['svc', 'svc.ns', 'svc.ns.svc', 'svc.ns.svc.cluster.local'] as const;

const authority = (nowMs = Date.now(), algorithm: KeyAlgorithm = 'ecdsa-p256'): Promise<IssuedPair> =>
  issueCa({ algorithm, subject: 'spec CA', nowMs, validityMs: 3650 * dayMs });

const mounted = (certificate: string | Buffer, key: string | Buffer, trust: string | Buffer): MountedPair => {
  const bytes = Buffer.from(certificate);
  return { certificate: bytes, key: Buffer.from(key), trust: Buffer.from(trust), hash: sha256Hex(bytes) };
};

const pair = async (order: PairOrder = {}): Promise<MountedPair> => {
  const { nowMs = Date.now(), validityMs = dayMs, algorithm = 'ecdsa-p256' } = order;
  const issuer = order.authority ?? (await authority(nowMs));
  const leaf = await issueLeaf({ authority: issuer, names: order.names ?? names, algorithm, nowMs, validityMs });
  return mounted(leaf.certificatePem, leaf.keyPem, issuer.certificatePem);
};

const encrypted = (key: Buffer): string =>
  createPrivateKey(key).export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'open sesame' });

/** Certificates for specs, good and bad. All P-256 unless another algorithm is asked for. */
export const pki = {
  /** The names of the Service that every good pair carries. */
  names,
  authority,
  /** A good pair: a leaf of a fresh authority, its key, and that authority as the trust bundle. */
  pair,
  /** Puts files together as a mount would hold them, and hashes them. */
  mounted,
  expired: (): Promise<MountedPair> => pair({ nowMs: Date.now() - 2 * dayMs }),
  notYetValid: (): Promise<MountedPair> => pair({ nowMs: Date.now() + dayMs }),
  wrongNames: (): Promise<MountedPair> => pair({ names: ['other.ns.svc'] }),
  /** The key of another certificate. */
  async mismatched(): Promise<MountedPair> {
    const [one, other] = await Promise.all([pair(), pair()]);
    return { ...one, key: other.key };
  },
  /** Chains to an authority that is not in the bundle. */
  async untrusted(): Promise<MountedPair> {
    const [one, other] = await Promise.all([pair(), pair()]);
    return { ...one, trust: other.trust };
  },
  async encryptedKey(): Promise<MountedPair> {
    const good = await pair();
    return { ...good, key: Buffer.from(encrypted(good.key)) };
  },
  /** Cut in the middle of its certificate. */
  async torn(): Promise<MountedPair> {
    const { certificate, key, trust } = await pair();
    return mounted(certificate.subarray(0, certificate.length / 2), key, trust);
  },
  async garbage(): Promise<MountedPair> {
    const { key, trust } = await pair();
    return mounted(Buffer.from([0, 1, 2, 255, 254, 10, 13]), key, trust);
  },
} as const;
