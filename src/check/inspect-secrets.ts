import type { X509Certificate } from 'node:crypto';
import * as z from 'zod';
import type { CertificateFacts } from '../../streams/model.ts';
import { authorityFacts } from '../certificates/ca-pair.ts';
import { certificateFacts, factsOf } from '../certificates/certificate-info.ts';
import { readCertificates } from '../certificates/pem.ts';
import { secretPair } from '../certificates/secret-pair.ts';
import { secretObject } from '../cluster/secrets.ts';
import type { Labels } from './matching.ts';

export interface SecretLook {
  readonly type: string;
  readonly labels: Labels;
  /** The cert-manager Certificate that this Secret is written for, null when it is not. */
  readonly certificateName: string | null;
  /** SHA-256 of `tls.crt`; null when there is none. */
  readonly hash: string | null;
  /** Why the pair cannot be used, else null. */
  readonly problem: string | null;
  /** The certificates of `tls.crt`, the leaf first; empty when it cannot be read. */
  readonly chain: readonly X509Certificate[];
  readonly leaf: CertificateFacts | null;
  /** The certificates of `ca.crt`. */
  readonly trust: readonly X509Certificate[];
}

const schema = z.object({
  type: z.string().nullish(),
  metadata: z.object({
    labels: z.record(z.string(), z.string()).nullish(),
    annotations: z.record(z.string(), z.string()).nullish(),
  }),
});

const certificatesOf = (pem: Buffer | undefined): readonly X509Certificate[] => {
  try {
    return readCertificates(pem ?? '');
  } catch {
    // The pair's own problem says which block is malformed.
    return [];
  }
};

/** The serving Secret, looked at closely even where it is broken. @throws ZodError when it is no Secret. */
export const lookAtSecret = (object: unknown): SecretLook => {
  const { type, metadata } = schema.parse(object);
  const { values } = secretObject(object);
  const { hash, problem } = secretPair(values);
  const chain = certificatesOf(values['tls.crt']);
  return {
    type: type ?? 'Opaque',
    labels: metadata.labels ?? {},
    certificateName: metadata.annotations?.['cert-manager.io/certificate-name'] ?? null,
    hash,
    problem,
    chain,
    leaf: chain[0] === undefined ? null : factsOf(chain[0]),
    trust: certificatesOf(values['ca.crt']),
  };
};

export interface AuthorityLook {
  /** The CA that signs; null when certificate or key are unusable. */
  readonly current: CertificateFacts | null;
  /** Why it cannot sign, else null. */
  readonly problem: string | null;
  /** The current and the older, still trusted CAs; null when `ca-bundle.crt` cannot be read. */
  readonly bundle: readonly CertificateFacts[] | null;
}

const bundleOf = (pem: Buffer | undefined): readonly CertificateFacts[] | null => {
  try {
    return certificateFacts(pem ?? '');
  } catch {
    return null;
  }
};

/** Secret `SECRET_NAME-ca`; its key is looked at and let go. @throws ZodError when it is no Secret. */
export const lookAtAuthority = (object: unknown): AuthorityLook => {
  const { values } = secretObject(object);
  const reading = authorityFacts({
    certificatePem: values['ca.crt']?.toString('latin1') ?? '',
    keyPem: values['ca.key']?.toString('latin1') ?? '',
  });
  return {
    current: reading.ok ? reading.facts : null,
    problem: reading.ok ? null : reading.detail,
    bundle: bundleOf(values['ca-bundle.crt']),
  };
};

/** What the certificate of a Secret is to be trusted by: its `ca.crt`; a leaf that signed itself is its own CA. */
export const trustOf = ({ chain: [leaf], trust }: SecretLook): readonly X509Certificate[] => {
  if (trust.length > 0 || leaf === undefined) return trust;
  return leaf.checkIssued(leaf) && leaf.verify(leaf.publicKey) ? [leaf] : [];
};
