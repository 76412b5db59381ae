/** Sets of certificates, compared by fingerprint: the meaning of a caBundle depends neither on order nor on repetition. */
import type { CertificateInfo } from './model.ts';

export type Certificates = readonly CertificateInfo[];

export const has = (certificates: Certificates, { fingerprint }: CertificateInfo): boolean =>
  certificates.some((certificate) => certificate.fingerprint === fingerprint);

export const includes = (certificates: Certificates, subset: Certificates): boolean =>
  subset.every((certificate) => has(certificates, certificate));

export const union = (...sets: readonly Certificates[]): Certificates =>
  sets.flat().filter(({ fingerprint }, at, all) => all.findIndex((other) => other.fingerprint === fingerprint) === at);

export const without = (certificates: Certificates, removed: Certificates): Certificates =>
  certificates.filter((certificate) => !has(removed, certificate));

export const same = (left: Certificates, right: Certificates): boolean =>
  includes(left, right) && includes(right, left);

/** The certificates that have not expired. */
export const alive = (certificates: Certificates, nowMs: number): Certificates =>
  certificates.filter(({ notAfterMs }) => nowMs < notAfterMs);
