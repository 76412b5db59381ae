import type { CertificateFacts } from '../../streams/model.ts';
import { factsOf } from './facts-of.ts';
import { readCertificates } from './read-certificates.ts';

/**
 * The certificates of a PEM bundle, in its order; none when it holds none.
 *
 * @throws Error that tells which block is malformed and never repeats any of it
 */
export const certificateFacts = (pem: string | Uint8Array): readonly CertificateFacts[] =>
  readCertificates(pem).map(factsOf);
