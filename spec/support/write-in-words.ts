import type { Passing } from './api-gate.ts';
import { PREFIX } from './installation.ts';
import { type Json, valueAt } from './raw-api.ts';
import { certificatesIn } from './standing-objects.ts';

type Fields = Readonly<Record<string, Json>>;

const fields = (json: Json | undefined): Fields => (json ?? {}) as Fields;

const leaseWrite = (body: Json): string | null => {
  const annotations = fields(valueAt(body, ['metadata', 'annotations']));
  const [rotate, since] = [annotations[`${PREFIX}/rotate`], annotations[`${PREFIX}/cert-served-since`]];
  if (annotations[`${PREFIX}/cert-hash`] !== undefined) return 'Lease: announced';
  if (typeof since === 'string') return 'Lease: seen served by all';
  if (since === null) return 'Lease: mark removed';
  if (typeof rotate === 'string') return 'Lease: request bound to the CA';
  // Renewals, claims and releases are the election's.
  return rotate === null ? 'Lease: request removed' : null;
};

const secretWrite = (path: string, body: Json): string => {
  const names = Object.keys(fields(valueAt(body, ['data'])));
  if (names.includes('ca.key')) return 'SECRET-ca: new CA';
  if (names.includes('tls.key')) return 'Secret: new leaf';
  return path.endsWith('-ca') ? 'SECRET-ca: narrowed' : 'Secret: narrowed';
};

const targetWrite = (body: Json): string => {
  const value = valueAt(body, [1, 'value']);
  const pem = Buffer.from(typeof value === 'string' ? value : '', 'base64').toString();
  return certificatesIn(pem) > 1 ? 'target: widened' : 'target: narrowed';
};

/** A request as one of the writes that a CA rotation consists of; null when it is none. */
export const writeInWords = ({ method, path, body }: Passing): string | null => {
  if (method !== 'PATCH' && method !== 'POST') return null;
  if (path.includes('/leases')) return leaseWrite(body);
  if (path.includes('/secrets')) return secretWrite(path, body);
  return path.includes('/validatingwebhookconfigurations') ? targetWrite(body) : null;
};
