import type { MountedPair } from '../support/pki.ts';

/** A pair as the files of a mounted Secret. */
export const filesOf = ({ certificate, key, trust }: MountedPair): Readonly<Record<string, Buffer>> => ({
  'tls.crt': certificate,
  'tls.key': key,
  'ca.crt': trust,
});
