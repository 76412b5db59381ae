import type { CertificateFacts } from './model.ts';

export type Certificates = readonly CertificateFacts[];

const has = (certificates: Certificates, { fingerprint }: CertificateFacts): boolean =>
  certificates.some((certificate) => certificate.fingerprint === fingerprint);

const includes = (certificates: Certificates, wanted: Certificates): boolean =>
  wanted.every((certificate) => has(certificates, certificate));

/** Sets of certificates, by fingerprint; what a caBundle means depends neither on its order nor on repetitions. */
export const certificateSets = {
  has,
  includes,
  union: (...sets: readonly Certificates[]): Certificates =>
    sets
      .flat()
      .filter(({ fingerprint }, at, all) => all.findIndex((other) => other.fingerprint === fingerprint) === at),
  without: (certificates: Certificates, removed: Certificates): Certificates =>
    certificates.filter((certificate) => !has(removed, certificate)),
  same: (left: Certificates, right: Certificates): boolean => includes(left, right) && includes(right, left),
  alive: (certificates: Certificates, nowMs: number): Certificates =>
    certificates.filter(({ notAfterMs }) => nowMs < notAfterMs),
};
