import type { Status } from '../../src/status/status.ts';

const hash = 'a'.repeat(64);
const leaf = {
  serial: '01',
  notBefore: '2026-12-06T11:12:18Z',
  notAfter: '2126-12-06T11:12:18Z',
  names: ['hook.ns.svc', '<b>bold</b>'],
};

export const fullStatus: Status = {
  role: 'leader',
  identity: 'pod-0',
  leader: 'pod-0',
  ready: true,
  reasons: [],
  waitsFor: [{ for: 'acknowledgements', since: '2026-11-23T06:00:00.000Z', detail: 'pod-1' }],
  announced: { hash, validUntil: '2126-12-06T11:12:18Z', since: '2026-11-23T06:00:00.000Z' },
  mounted: { hash, ...leaf },
  served: { hash, ...leaf },
  neighbour: null,
  acknowledged: { hash },
  acknowledges: true,
  watch: { state: 'established', since: '2026-11-23T06:00:00.000Z' },
  bundle: [{ subject: 'CN=one', serial: '02', notAfter: '2126-12-06T11:12:18Z' }],
  targets: [{ target: 'validatingwebhookconfiguration/hook', trusts: 1, notAfter: '2126-12-06T11:12:18Z' }],
  replicas: [
    { name: 'pod-0', servingHash: hash },
    { name: 'pod-1', servingHash: null },
  ],
  refused: [],
  step: 'await-acknowledgements',
  rotations: [
    {
      hash,
      kind: 'rotation',
      announcedAt: '2026-11-23T06:00:00.000Z',
      mountedAt: '2026-11-23T06:00:04.000Z',
      loadedAt: '2026-11-23T06:00:04.032Z',
      acknowledgedAt: '2026-11-23T06:00:04.050Z',
      rejected: null,
      replicas: [{ name: 'pod-1', acknowledgedAt: null, witnessed: true }],
    },
  ],
};

export const emptyStatus: Status = {
  role: 'follower',
  identity: 'pod-1',
  leader: null,
  ready: false,
  reasons: ['no-announcement', 'upstream-unreachable'],
  waitsFor: [{ for: 'announcement', since: '2026-11-23T06:00:00.000Z', detail: null }],
  announced: null,
  mounted: null,
  served: null,
  neighbour: null,
  acknowledged: null,
  acknowledges: false,
  watch: { state: 'connecting', since: '2026-11-23T06:00:00.000Z' },
  bundle: null,
  targets: null,
  replicas: null,
  refused: [],
  step: null,
  rotations: [],
};
