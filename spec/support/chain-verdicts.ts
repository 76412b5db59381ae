import { X509Certificate } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { handshakeError } from './handshake-error.ts';
import { openssl } from './pki.ts';
import { temporaryDirectory } from './temporary-directory.ts';

export interface Presented {
  /** PEM: the leaf, then any intermediate. */
  readonly certificate: string;
  readonly key: string;
}

export interface Verdicts {
  /** `ok`, or the code of the refusal by a TLS handshake of Node. */
  readonly node: string;
  /** `ok` or `refused`, by `openssl verify` at its strictest. */
  readonly openssl: 'ok' | 'refused';
}

/** Whether a caller that trusts `trust` and nothing else takes what is presented for this name. */
export const chainVerdicts = async (presented: Presented, trust: string, servername: string): Promise<Verdicts> => {
  await using directory = await temporaryDirectory();
  const at = (name: string): string => join(directory.path, name);
  await Promise.all([
    writeFile(at('leaf.pem'), new X509Certificate(presented.certificate).toString()),
    writeFile(at('chain.pem'), presented.certificate),
    writeFile(at('trust.pem'), trust),
  ]);
  const [node, strict] = await Promise.all([
    handshakeError({ ...presented, trust, servername }),
    openssl(
      ...['verify', '-x509_strict', '-purpose', 'sslserver', '-verify_hostname', servername],
      ...['-no-CApath', '-no-CAstore', '-CAfile', at('trust.pem'), '-untrusted', at('chain.pem'), at('leaf.pem')],
    ).then(
      () => 'ok' as const,
      () => 'refused' as const,
    ),
  ]);
  return { node: node ?? 'ok', openssl: strict };
};
