import 'reflect-metadata';
import { execFile } from 'node:child_process';
import { createHash, createPrivateKey, webcrypto, X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as x509 from '@peculiar/x509';
import { issueCa, type IssuedPair, issueLeaf, type KeyAlgorithm } from '../../src/certificates/issue.ts';
import { sha256Hex } from '../../src/util/hash.ts';
import { temporaryDirectory } from './temporary-directory.ts';

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

const run = promisify(execFile);

/** Runs the `openssl` command and returns what it printed; rejects when it fails. */
export const openssl = async (...args: readonly string[]): Promise<string> =>
  (await run('openssl', args, { encoding: 'utf8' })).stdout;

/** A self-signed pair for `svc` in which only the TLS library finds fault: its key is too short. */
export const weakPair = async (): Promise<{ readonly certificate: string; readonly key: string }> => {
  await using directory = await temporaryDirectory();
  const [crt, key] = [join(directory.path, 'crt'), join(directory.path, 'key')];
  await openssl(
    ...['req', '-x509', '-newkey', 'rsa:512', '-noenc', '-days', '2', '-subj', '/CN=svc'],
    ...['-addext', 'subjectAltName=DNS:svc', '-out', crt, '-keyout', key],
  );
  return { certificate: await openssl('x509', '-in', crt), key: await openssl('pkey', '-in', key) };
};

/** Certificates for any purpose, of clients too, which ours are not for. */
export interface Pki {
  readonly ca: string;
  /** A leaf for these DNS names, of which the first is its common name, and for 127.0.0.1 with localhost. */
  readonly issue: (...names: readonly string[]) => Promise<{ readonly cert: string; readonly key: string }>;
}

const P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

const keyPair = (): Promise<webcrypto.CryptoKeyPair> => webcrypto.subtle.generateKey(P256, true, ['sign', 'verify']);

/** A CA of its own at each call, valid for a day either side of now. */
export const createPki = async (): Promise<Pki> => {
  x509.cryptoProvider.set(webcrypto);
  const validity = { notBefore: new Date(Date.now() - dayMs), notAfter: new Date(Date.now() + dayMs) };
  const caKeys = await keyPair();
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity,
    name: `CN=spec CA ${webcrypto.randomUUID()}`,
    keys: caKeys,
    signingAlgorithm: P256,
    extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
  });
  return {
    ca: ca.toString('pem'),
    issue: async (...dnsNames) => {
      const keys = await keyPair();
      const sans: x509.JsonGeneralNames = dnsNames.map((value) => ({ type: 'dns', value }));
      if (dnsNames.includes('localhost')) sans.push({ type: 'ip', value: '127.0.0.1' });
      const cert = await x509.X509CertificateGenerator.create({
        ...validity,
        subject: `CN=${dnsNames[0]}`,
        issuer: ca.subject,
        publicKey: keys.publicKey,
        signingKey: caKeys.privateKey,
        signingAlgorithm: P256,
        extensions: [new x509.SubjectAlternativeNameExtension(sans)],
      });
      const der = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
      return { cert: cert.toString('pem'), key: x509.PemConverter.encode(der, 'PRIVATE KEY') };
    },
  };
};

export interface TestPair {
  readonly certificate: string;
  readonly key: string;
  /** The authority, PEM. */
  readonly ca: string;
  readonly fingerprint: string;
}

/** A fresh authority and a leaf of it for these names, for a server or a client. */
export const supportPair = async (dnsNames: readonly string[] = ['hook.ns.svc']): Promise<TestPair> => {
  const { ca, issue } = await createPki();
  const { cert, key } = await issue(...dnsNames);
  const fingerprint = createHash('sha256').update(new X509Certificate(cert).raw).digest('hex');
  return { certificate: cert, key, ca, fingerprint };
};
