import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const DAY_MS = 86_400_000;

interface Life {
  /** Counted from now; yesterday. */
  readonly fromDays?: number;
  /** Counted from now; a year. */
  readonly toDays?: number;
  /** In place of `toDays`, ms since the epoch. */
  readonly toMs?: number;
}

/** A CA that signs whatever is asked of it, also what no sensible CA would. */
export interface MadeCa {
  readonly pem: string;
  readonly keys: webcrypto.CryptoKeyPair;
  readonly subject: string;
}

export interface MadeLeaf {
  /** The leaf alone. */
  readonly pem: string;
  readonly key: string;
}

export interface LeafOrder extends Life {
  readonly ca: MadeCa;
  readonly names: readonly string[];
  /** Object identifiers; serverAuth. */
  readonly usages?: readonly string[];
  readonly extensions?: readonly x509.Extension[];
  /** Of the signature; SHA-256. */
  readonly hash?: string;
}

const validity = ({ fromDays = -1, toDays = 365, toMs }: Life) => ({
  notBefore: new Date(Date.now() + fromDays * DAY_MS),
  notAfter: new Date(toMs ?? Date.now() + toDays * DAY_MS),
});

const newKeys = (): Promise<webcrypto.CryptoKeyPair> => {
  x509.cryptoProvider.set(webcrypto);
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
};

const pemOf = async (key: webcrypto.CryptoKey): Promise<string> =>
  x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY');

const AUTHORITY_EXTENSIONS = [
  new x509.BasicConstraintsExtension(true, undefined, true),
  new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
];

export interface AuthorityOrder extends Life {
  /** The CA that signs; itself. */
  readonly issuer?: MadeCa;
  readonly subject?: string;
  /** Those of a CA. */
  readonly extensions?: readonly x509.Extension[];
  /** Of another certificate with the same key. */
  readonly keys?: webcrypto.CryptoKeyPair;
}

/** Makes what stands above a leaf, whether or not it may. */
const authority = async (order: AuthorityOrder = {}): Promise<MadeCa> => {
  const { subject = `CN=spec CA ${webcrypto.randomUUID()}`, extensions = AUTHORITY_EXTENSIONS } = order;
  const keys = order.keys ?? (await newKeys());
  const certificate = await x509.X509CertificateGenerator.create({
    ...validity(order),
    subject,
    issuer: order.issuer?.subject ?? subject,
    publicKey: keys.publicKey,
    signingKey: (order.issuer?.keys ?? keys).privateKey,
    signingAlgorithm: ALGORITHM,
    extensions: [...extensions],
  });
  return { pem: `${certificate.toString('pem')}\n`, keys, subject };
};

/** Makes a self-signed CA. */
const ca = (subject?: string, life: Life = {}): Promise<MadeCa> =>
  authority({ ...life, ...(subject === undefined ? {} : { subject }) });

/** Makes a leaf with a key of its own. */
const leaf = async ({ ca: issuer, names, usages, extensions = [], hash, ...life }: LeafOrder): Promise<MadeLeaf> => {
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.create({
    ...validity(life),
    subject: `CN=${names[0] ?? 'leaf'}`,
    issuer: issuer.subject,
    publicKey: keys.publicKey,
    signingKey: issuer.keys.privateKey,
    signingAlgorithm: { ...ALGORITHM, hash: hash ?? ALGORITHM.hash },
    extensions: [
      new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: 'dns', value }))),
      new x509.ExtendedKeyUsageExtension([...(usages ?? [x509.ExtendedKeyUsage.serverAuth])]),
      ...extensions,
    ],
  });
  return { pem: `${certificate.toString('pem')}\n`, key: await pemOf(keys.privateKey) };
};

/** Makes a CA that another one has signed. */
const intermediate = (issuer: MadeCa): Promise<MadeCa> =>
  authority({ issuer, subject: `CN=spec intermediate ${webcrypto.randomUUID()}` });

/** Makes a leaf that has signed itself, and is no CA. */
const selfSigned = async (names: readonly string[], life: Life = {}): Promise<MadeLeaf> => {
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity(life),
    name: `CN=${names[0] ?? 'leaf'}`,
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: 'dns', value }))),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
    ],
  });
  return { pem: `${certificate.toString('pem')}\n`, key: await pemOf(keys.privateKey) };
};

/** Certificates with any life, usage and extension, for servers that specs plant. */
export const madeCertificates = {
  authority,
  ca,
  intermediate,
  leaf,
  selfSigned,
  /** Writes the private key of a CA. */
  keyPem: ({ privateKey }: webcrypto.CryptoKeyPair): Promise<string> => pemOf(privateKey),
  clientAuth: x509.ExtendedKeyUsage.clientAuth as string,
  /** A critical extension that neither Go nor OpenSSL knows. */
  unknownCritical: (): x509.Extension => new x509.Extension('1.2.3.4', true, new Uint8Array([5, 0])),
  /** A subject key identifier that OpenSSL reads, and Go refuses to parse since it is critical. */
  goUnreadable: (): x509.Extension => new x509.Extension('2.5.29.14', true, new Uint8Array([4, 1, 1])),
} as const;
