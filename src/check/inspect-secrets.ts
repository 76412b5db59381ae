import type { X509Certificate } from 'node:crypto';
import * as z from 'zod';
import type { CertificateInfo } from '../../streams/model.ts';
import type { SecretState } from '../../streams/planner-input.ts';
import { readCaPair } from '../certificates/ca-pair.ts';
import { describeCertificate, describeCertificates } from '../certificates/certificate-info.ts';
import { readBundle, readCertificates } from '../certificates/pem.ts';
import { secretPair } from '../certificates/secret-pair.ts';
import { decodeCa, decodeSecret, decodeSource, secretObject } from '../cluster/decode.ts';
import type { OwnService } from '../cluster/targets.ts';
import type { Labels } from './matching.ts';

export interface SecretInfo {
  readonly resourceVersion: string;
  /** Why it is another party's, which the leader does not overwrite; null when it may be overwritten. */
  readonly foreign: string | null;
  readonly type: string;
  readonly labels: Labels;
  /** The cert-manager Certificate that this Secret belongs to, null when there is none. */
  readonly certificateName: string | null;
  /** SHA-256 of `tls.crt`; null when there is none. */
  readonly hash: string | null;
  /** Why the pair cannot be used, else null. */
  readonly problem: string | null;
  /** The certificates of `tls.crt`, the leaf first; empty when it cannot be read. */
  readonly chain: readonly X509Certificate[];
  readonly leaf: CertificateInfo | null;
  /** The readable certificates of `ca.crt`. */
  readonly trust: readonly X509Certificate[];
  /** What is wrong with the text of `ca.crt`, else null. */
  readonly trustProblem: string | null;
  /** Whether the API server rejects every change of its data. */
  readonly isImmutable: boolean;
}

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

const trustOf = (pem: Buffer | undefined): Pick<SecretInfo, 'trust' | 'trustProblem'> => {
  if (pem === undefined || pem.length === 0) return { trust: [], trustProblem: null };
  const { certificates, problems } = readBundle(pem);
  const [first = certificates.length === 0 ? 'it contains no certificate' : null] = problems;
  const hasMark = pem.subarray(0, 3).equals(BYTE_ORDER_MARK);
  return { trust: certificates, trustProblem: hasMark ? 'it starts with a byte order mark' : first };
};

const schema = z.object({
  type: z.string().nullish(),
  immutable: z.boolean().nullish(),
  metadata: z.object({
    labels: z.record(z.string(), z.string()).nullish(),
    annotations: z.record(z.string(), z.string()).nullish(),
  }),
});

const certificateNameOf = ({ metadata }: Pick<z.infer<typeof schema>, 'metadata'>): string | null =>
  metadata.annotations?.['cert-manager.io/certificate-name'] ?? null;

const certificatesOf = (pem: Buffer | undefined): readonly X509Certificate[] => {
  try {
    return readCertificates(pem ?? '');
  } catch {
    // The pair's own problem says which block is malformed.
    return [];
  }
};

/**
 * Reads the serving Secret, even when parts of it are broken. The returned function throws a ZodError when it is none.
 *
 * @param issuesFor the Service for which the leader issues; null where it never overwrites the Secret
 */
export const inspectSecret =
  (issuesFor: OwnService | null) =>
  (object: unknown): SecretInfo => {
    const { type, metadata, immutable } = schema.parse(object);
    const { values, resourceVersion } = secretObject(object);
    const { hash, problem } = secretPair(values);
    const chain = certificatesOf(values['tls.crt']);
    return {
      resourceVersion,
      foreign: decodeSecret(object, issuesFor).foreign ?? null,
      type: type ?? 'Opaque',
      labels: metadata.labels ?? {},
      certificateName: certificateNameOf({ metadata }),
      hash,
      problem,
      chain,
      leaf: chain[0] === undefined ? null : describeCertificate(chain[0]),
      ...trustOf(values['ca.crt']),
      isImmutable: immutable === true,
    };
  };

/** SOURCE_SECRET as the leader sees it. */
export interface SourceInfo {
  readonly state: SecretState;
  /** The cert-manager Certificate that this Secret belongs to, null when there is none. */
  readonly certificateName: string | null;
}

/** Reads SOURCE_SECRET. @param relaysFor the names that its certificate must carry */
export const inspectSource =
  (relaysFor: readonly string[] | null) =>
  (object: unknown): SourceInfo => ({
    state: decodeSource(object, relaysFor),
    certificateName: certificateNameOf(schema.parse(object)),
  });

export interface CaInfo {
  readonly resourceVersion: string;
  /** The CA that signs; null when certificate or key are unusable. */
  readonly current: CertificateInfo | null;
  /** Why it cannot sign, else null. */
  readonly problem: string | null;
  /** The current and the older, still trusted CAs; null when `ca-bundle.crt` cannot be read. */
  readonly bundle: readonly CertificateInfo[] | null;
  /** Whether another program or a person put it there: it is never overwritten, and they also renew it. */
  readonly isForeign: boolean;
  readonly isImmutable: boolean;
}

const bundleOf = (pem: Buffer | undefined): readonly CertificateInfo[] | null => {
  try {
    return describeCertificates(pem ?? '');
  } catch {
    return null;
  }
};

/** Reads Secret `SECRET_NAME-ca`. Its private key is verified and not kept. @throws ZodError when it is no Secret. */
export const inspectCa = (object: unknown): CaInfo => {
  const { resourceVersion, values } = secretObject(object);
  const { current, foreign, isOwn } = decodeCa(object);
  const reading = readCaPair({
    certificatePem: values['ca.crt']?.toString('latin1') ?? '',
    keyPem: values['ca.key']?.toString('latin1') ?? '',
  });
  return {
    resourceVersion,
    current,
    problem: reading.ok ? null : (foreign ?? reading.detail),
    bundle: bundleOf(values['ca-bundle.crt']),
    isForeign: foreign != null || isOwn === true,
    isImmutable: schema.parse(object).immutable === true,
  };
};

/** The CAs that a Secret's certificate verifies against: its `ca.crt`, or the leaf itself when it is self-signed. */
export const trustAnchors = ({ chain: [leaf], trust }: SecretInfo): readonly X509Certificate[] => {
  if (trust.length > 0 || leaf === undefined) return trust;
  return leaf.checkIssued(leaf) && leaf.verify(leaf.publicKey) ? [leaf] : [];
};
