import { mkdir, writeFile } from 'node:fs/promises';
import { issuer } from '../../src/certificates/issue.ts';
import { signingKey } from '../../src/certificates/keys.ts';
import { authorityExtensions, commonName, publicKeyOf } from '../../src/certificates/x509-fields.ts';
import { SubjectAlternativeNameExtension, X509CertificateGenerator } from '../../src/certificates/x509-library.ts';
import { pki } from '../support/pki.ts';
import { fuzzKey } from './fuzz-key.ts';

/**
 * `node spec/fuzz/write-corpus.ts` writes corpus/*.crt, what the PEM laws break inputs from. Signatures are random, so the
 * certificates are kept; their keys follow from their names.
 */
const DAY_MS = 86_400_000;
const fromMs = Date.UTC(2026, 0, 1);
const years = (count: number) => ({ notBefore: new Date(fromMs), notAfter: new Date(fromMs + count * 365 * DAY_MS) });
const folder = new URL('corpus/', import.meta.url);
const keyPemOf = (name: string): string => fuzzKey(name).export({ type: 'pkcs8', format: 'pem' });

const authorityOf = async (name: string): Promise<string> => {
  const key = fuzzKey(name);
  const { key: privateKey, algorithm } = signingKey(key);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: commonName(`fuzz ${name}`),
    ...years(10),
    keys: { publicKey: publicKeyOf(key), privateKey },
    signingAlgorithm: algorithm,
    extensions: [...authorityExtensions()],
  });
  return `${certificate.toString('pem')}\n`;
};
const sans = new SubjectAlternativeNameExtension(pki.names.map((value) => ({ type: 'dns', value })));
const leafOf = (authority: string, certificatePem: string, key: string, validYears: number): Promise<string> =>
  issuer({ certificatePem, keyPem: keyPemOf(authority) }).issue({
    subject: commonName(pki.names[0]),
    publicKey: publicKeyOf(fuzzKey(key)),
    validity: years(validYears),
    extensions: [sans],
  });

const [authority, foreign] = [await authorityOf('authority'), await authorityOf('foreign')];
const texts = {
  authority,
  good: await leafOf('authority', authority, 'leaf', 5),
  // For the very key of the good one.
  expired: await leafOf('authority', authority, 'leaf', 0.5),
  foreign: await leafOf('foreign', foreign, 'foreign leaf', 5),
};
await mkdir(folder, { recursive: true });
for (const [name, text] of Object.entries(texts)) await writeFile(new URL(`${name}.crt`, folder), text);
