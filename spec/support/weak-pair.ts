import { join } from 'node:path';
import { openssl } from './openssl.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** A self-signed pair for `svc` in which only the TLS library finds fault: its key is too short. */
export const weakPair = async (): Promise<{ readonly certificate: string; readonly key: string }> => {
  await using directory = await temporaryDirectory();
  const [crt, key] = [join(directory.path, 'crt'), join(directory.path, 'key')];
  await openssl(
    ...['req', '-x509', '-newkey', 'rsa:512', '-noenc', '-days', '2', '-subj', '/CN=svc'],
    ...['-addext', 'subjectAltName=DNS:svc', '-out', crt, '-keyout', key],
  );
  return { certificate: await openssl('x509', '-in', crt), key: await openssl('pkey', '-in', key) };
};
