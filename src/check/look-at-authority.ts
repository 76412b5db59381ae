import type { CertificateFacts } from '../../streams/model.ts';
import { authorityFacts } from '../certificates/authority-facts.ts';
import { certificateFacts } from '../certificates/certificate-facts.ts';
import { secretObject } from '../kube/secret-object.ts';

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
