import { readFileSync } from 'node:fs';

const NAMESPACE_FILE = '/var/run/secrets/kubernetes.io/serviceaccount/namespace';

/** The namespace this process runs in, as the service account's file says; null outside a pod. */
export const podNamespace = (): string | null => {
  try {
    return readFileSync(NAMESPACE_FILE, 'utf8');
  } catch {
    // Outside a pod there is none.
    return null;
  }
};
