import type { X509Certificate } from 'node:crypto';
import type { Endpoint } from './cluster-backends.ts';
import type { Probed } from './cluster-survey.ts';

/** Every finding by its id, with its title. The guide docs/guides/cluster-check.md has a heading for each. */
export const FINDINGS = {
  'ca-bundle-empty': 'caBundle is empty',
  'ca-bundle-unreadable': 'caBundle is unreadable',
  'ca-bundle-partly-unreadable': 'caBundle is readable only in part',
  untrusted: 'caBundle does not trust the served certificate',
  'names-missing': 'the served certificate lacks the name',
  'not-for-servers': 'the served certificate is not for servers',
  'refused-by-go': 'the API server cannot use the served certificate or its CA',
  expired: 'the served certificate has expired',
  'not-yet-valid': 'the served certificate is not valid yet',
  'expires-soon': 'the served certificate expires soon',
  'ca-expires-soon': 'a CA on the path expires soon',
  'ca-ends-first': 'a CA on the path ends before its leaf',
  'certificates-differ': 'endpoints serve different certificates',
  'secret-differs': 'a Pod serves another certificate than its Secret holds',
  'service-missing': 'the Service does not exist',
  'port-missing': 'the Service has no such port',
  'no-endpoint': 'the Service has no ready endpoint',
  'port-closed': 'nothing listens at an endpoint',
  unreachable: 'an endpoint does not answer',
  'plain-http': 'an endpoint speaks HTTP without TLS',
  'no-handshake': 'an endpoint makes no TLS handshake',
  'tls-too-old': 'an endpoint has no TLS version that the API server accepts',
  'tls-1.2-only': 'an endpoint has no TLS 1.3',
  'blocks-own-repair': 'the webhook can block its own repair',
  'two-managers': 'two managers write one caBundle',
  'verification-skipped': 'the API server does not verify the certificate',
  'not-inspected': 'part of it could not be inspected',
} as const;

export type FindingId = keyof typeof FINDINGS;

/** `fail`: calls fail now. `warn`: they will, or may. `note`: worth knowing. */
export type Severity = 'fail' | 'warn' | 'note';

/** One thing that is wrong with a hook. */
export interface Finding {
  readonly id: FindingId;
  readonly severity: Severity;
  /** What was found, on one line. */
  readonly detail: string;
  /** A shell command that fixes it or shows its cause; null when there is none. */
  readonly remedy: string | null;
  /** Where it is explained. */
  readonly page: string;
}

const GUIDE = 'docs/guides/cluster-check.md';

/** Creates a finding. Its page is the guide's section about it, unless a program's own documentation says more. */
export const finding = (
  id: FindingId,
  severity: Severity,
  detail: string,
  remedy: string | null,
  page: string | null = null,
): Finding => ({ id, severity, detail, remedy, page: page ?? `${GUIDE}#${id.replaceAll('.', '')}` });

/** An endpoint in words: its Pod, or its address. */
export const endpointText = ({ pod, address, port }: Endpoint): string =>
  pod === null ? `${address}:${port}` : `Pod ${pod}`;

const SHOWN = 3;

/** Several texts in one line: the first three, and how many more there are. */
export const few = (texts: readonly string[]): string =>
  texts.length <= SHOWN ? texts.join(', ') : `${texts.slice(0, SHOWN).join(', ')} and ${texts.length - SHOWN} more`;

/** Endpoints in words, beside how many there are: `all 3 endpoints`, `1 of 3 endpoints (Pod a)`. */
export const endpointsText = (some: readonly Probed[], all: readonly Probed[]): string => {
  const names = few(some.map(({ endpoint }) => endpointText(endpoint)));
  if (all.length === 1) return names;
  return some.length === all.length
    ? `all ${all.length} endpoints`
    : `${some.length} of ${all.length} endpoints (${names})`;
};

const HASH_CHARS = 12;

/** The first twelve digits of a certificate's SHA-256, as `openssl x509 -fingerprint -sha256` begins. */
export const shortHash = (certificate: X509Certificate | null): string =>
  certificate === null ? 'nothing' : certificate.fingerprint256.replaceAll(':', '').toLowerCase().slice(0, HASH_CHARS);

/** The subject on one line; the fingerprint for an empty one. */
export const subjectText = (certificate: X509Certificate): string => {
  // Node prints one relative name a line, and returns undefined for an empty name.
  const subject = (certificate.subject as string | undefined) ?? '';
  return subject === '' ? shortHash(certificate) : subject.split('\n').join(', ');
};

/** A certificate in words: a CA by its subject, a leaf by its hash. */
export const certificateText = (certificate: X509Certificate): string => {
  if (certificate.ca) return `CA ${subjectText(certificate)}`;
  return `leaf ${shortHash(certificate)}`;
};
