import { setTimeout as delay } from 'node:timers/promises';
import { atomicWriter } from '../support/atomic-writer.ts';
import type { Installed } from './installed.ts';

const bytes = (value: unknown): Buffer => Buffer.from(String(value), 'base64');

/** What a kubelet does with the Secret that a new leader writes, once. Resolves with its CA. */
export const mountIssued = async ({ api, namespace, directory }: Installed): Promise<Buffer> => {
  const path = `/api/v1/namespaces/${namespace}/secrets/kubetemplater-webhook-cert`;
  const endMs = performance.now() + 60_000;
  for (;;) {
    const secret = await api.admin.get(path);
    if (secret.status === 200 && secret.at('data', 'tls.crt') !== undefined) {
      const files = ['tls.crt', 'tls.key', 'ca.crt'].map((name) => [name, bytes(secret.at('data', name))] as const);
      await atomicWriter(directory).write(Object.fromEntries(files));
      return bytes(secret.at('data', 'ca.crt'));
    }
    if (performance.now() > endMs) throw new Error('nobody has issued a certificate');
    await delay(50);
  }
};
