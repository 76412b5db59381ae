import { execFileSync } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TestPair {
  readonly certificate: string;
  readonly key: string;
  /** The authority, PEM. */
  readonly ca: string;
  readonly fingerprint: string;
}

const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** A fresh authority and a leaf of it for these names. */
export const supportPair = (names: readonly string[] = ['hook.ns.svc']): TestPair => {
  const directory = mkdtempSync(join(tmpdir(), 'pair-'));
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: directory, stdio: 'pipe' });
  try {
    openssl(
      'req',
      '-x509',
      ...curve,
      '-keyout',
      'ca.key',
      '-out',
      'ca.crt',
      '-days',
      '2',
      '-subj',
      '/CN=test authority',
    );
    openssl('req', ...curve, '-keyout', 'tls.key', '-out', 'tls.csr', '-subj', `/CN=${names[0] ?? ''}`);
    writeFileSync(join(directory, 'ext'), `subjectAltName=${names.map((name) => `DNS:${name}`).join(',')}\n`);
    const signing = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'ext'];
    openssl('x509', '-req', '-in', 'tls.csr', ...signing, '-out', 'tls.crt');
    const read = (file: string) => readFileSync(join(directory, file), 'utf8');
    const certificate = read('tls.crt');
    const fingerprint = createHash('sha256').update(new X509Certificate(certificate).raw).digest('hex');
    return { certificate, key: read('tls.key'), ca: read('ca.crt'), fingerprint };
  } finally {
    rmSync(directory, { recursive: true });
  }
};
