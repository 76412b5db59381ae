import type { Status } from '../../src/probes/status.ts';

const hash = 'a'.repeat(64);

export const fullStatus: Status = {
  role: 'leader',
  identity: 'pod-0',
  leader: 'pod-0',
  ready: true,
  reasons: [],
  announced: { hash, validUntil: '2126-12-06T11:12:18Z' },
  mounted: { hash },
  served: {
    hash,
    serial: '01',
    notBefore: '2026-12-06T11:12:18Z',
    notAfter: '2126-12-06T11:12:18Z',
    names: ['hook.ns.svc', '<b>bold</b>'],
  },
  watch: { state: 'established', since: '2026-11-23T06:00:00.000Z' },
  bundle: [{ subject: 'CN=one', notAfter: '2126-12-06T11:12:18Z' }],
  replicas: [
    { name: 'pod-0', servingHash: hash },
    { name: 'pod-1', servingHash: null },
  ],
};

export const emptyStatus: Status = {
  role: 'follower',
  identity: 'pod-1',
  leader: null,
  ready: false,
  reasons: ['no-announcement', 'upstream-unreachable'],
  announced: null,
  mounted: null,
  served: null,
  watch: { state: 'connecting', since: '2026-11-23T06:00:00.000Z' },
  bundle: null,
  replicas: null,
};
