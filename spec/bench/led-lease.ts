import type { Json, RawAnswer, RawApi } from '../support/raw-api.ts';
import { leaseOf } from './lease-of-fleet.ts';

/** A Lease that the bench itself leads. */
export interface LedLease {
  renew(): Promise<void>;
  announce(hash: string): Promise<void>;
}

const ok = async (asked: Promise<RawAnswer>): Promise<void> => {
  const { status, text } = await asked;
  if (status >= 300) throw new Error(text);
};

const announcement = (hash: string) => ({
  'kubetemplater.io/cert-ready': 'true',
  'kubetemplater.io/cert-hash': hash,
  'kubetemplater.io/cert-valid-until': '2099-01-01T00:00:00Z',
});

const now = (): string => `${new Date().toISOString().slice(0, -1)}000Z`;

/** Makes namespace and Lease, held for an hour and announcing this hash. */
export const ledLease = async (admin: RawApi, namespace: string, hash: string): Promise<LedLease> => {
  const { collection, name, path } = leaseOf(namespace);
  await ok(admin.post('/api/v1/namespaces', { metadata: { name: namespace } }));
  const held = { holderIdentity: 'bench', leaseDurationSeconds: 3_600, leaseTransitions: 0 };
  const spec = { ...held, acquireTime: now(), renewTime: now() };
  await ok(admin.post(collection, { metadata: { name, annotations: announcement(hash) }, spec }));
  const patch = (body: Json) => ok(admin.patch('merge', path, body));
  return {
    renew: () => patch({ spec: { renewTime: now() } }),
    announce: (next) => patch({ metadata: { annotations: announcement(next) } }),
  };
};
