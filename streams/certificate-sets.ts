import type { CertificateFacts } from './model.ts';

export type Certificates = readonly CertificateFacts[];

const has = (certificates: Certificates, { fingerprint }: CertificateFacts): boolean =>
  certificates.some((certificate) => certificate.fingerprint === fingerprint);

/** Sets of certificates, by fingerprint; what a caBundle means does not depend on its order. */
export const certificateSets = {
  has,
  union: (...sets: readonly Certificates[]): Certificates =>
    sets
      .flat()
      .filter(({ fingerprint }, at, all) => all.findIndex((other) => other.fingerprint === fingerprint) === at),
  without: (certificates: Certificates, removed: Certificates): Certificates =>
    certificates.filter((certificate) => !has(removed, certificate)),
  includes: (certificates: Certificates, wanted: Certificates): boolean =>
    wanted.every((certificate) => has(certificates, certificate)),
  same: (left: Certificates, right: Certificates): boolean =>
    left.length === right.length && right.every((certificate) => has(left, certificate)),
  alive: (certificates: Certificates, nowMs: number): Certificates =>
    certificates.filter(({ notAfterMs }) => nowMs < notAfterMs),
};
