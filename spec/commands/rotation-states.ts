import type { CertificateInfo, LeaseSnapshot, Replica } from '../../streams/model.ts';
import type { ClusterState } from '../../streams/observe-cluster.ts';

export const nowMs = Date.parse('2026-01-01T00:00:00Z');
export const terms = {
  podSelector: 'app=hook',
  kubeletNudge: true,
  caOverlapMs: 3_600_000,
  trustSettleMs: 10_000,
  nowMs,
};

export const certificate = (fingerprint: string): CertificateInfo => ({
  fingerprint,
  subject: fingerprint,
  serial: '01',
  notBeforeMs: 0,
  notAfterMs: nowMs * 2,
  names: [],
  pem: '',
});
export const [oldCa, newCa] = [certificate('old'), certificate('new')];

export const lease: LeaseSnapshot = {
  uid: 'u',
  resourceVersion: '1',
  holder: 'first',
  durationMs: 60_000,
  renewTime: 'at first',
  transitions: 0,
  announcement: { hash: 'a', validUntil: 'then' },
  malformed: null,
  rotate: null,
  servedSinceMs: null,
  trusted: null,
  otherManager: null,
};
export const secretOf = (hash: string, trust = [oldCa]): ClusterState['secret'] => ({
  resourceVersion: '1',
  hash,
  leaf: null,
  validUntil: '',
  issuer: null,
  trust,
  problem: null,
  otherManager: null,
});
export const authorityOf = (current: CertificateInfo, bundle = [current]): ClusterState['ca'] => ({
  resourceVersion: '1',
  current,
  bundle,
  otherManager: null,
});
export const targetOf = (bundle: readonly CertificateInfo[]): ClusterState['targets'][number] => ({
  id: 'target',
  state: { resourceVersion: '1', bundles: [bundle], otherManager: null },
});
export const replicaOf = (name: string, servingHash: string | null, more: Partial<Replica> = {}): Replica => ({
  name,
  servingHash,
  goneAtMs: null,
  ...more,
});

export const before: ClusterState = {
  lease,
  secret: secretOf('a'),
  ca: authorityOf(oldCa),
  targets: [targetOf([oldCa])],
  replicas: [replicaOf('first', 'a'), replicaOf('second', 'a')],
};
export const asked = (rotate: string, more: Partial<ClusterState> = {}): ClusterState => ({
  ...before,
  lease: { ...lease, rotate },
  ...more,
});
export const announcedLease = { ...lease, announcement: { hash: 'b', validUntil: 'later' } };
