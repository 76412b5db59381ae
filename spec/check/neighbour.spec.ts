import { expect } from 'chai';
import { checkReplicas } from '../../src/check/check-replicas.ts';
import type { PodInfo } from '../../src/check/inspect-pod.ts';
import type { CheckResult } from '../../src/check/result.ts';
import type { ClusterSnapshot } from '../../src/check/snapshot.ts';

const ANNOUNCED = 'a'.repeat(64);
const OLDER = 'b'.repeat(64);
const NOW_MS = Date.parse('2030-01-01T00:00:00Z');
const RESTART = 'kubectl rollout restart deployment/webhook -n hooks';

describe('check of a replica whose server terminates TLS itself', () => {
  const pod = (servingHash: string | null, env: Readonly<Record<string, string>>): PodInfo => ({
    name: 'webhook-0',
    servingHash,
    ready: true,
    goneAtMs: null,
    labels: {},
    nodeName: 'node',
    serviceAccount: 'default',
    workload: { kind: 'deployment', name: 'webhook' },
    containers: [
      { name: 'manager', isSidecar: false, env: new Map(), ports: [9443], namedPorts: new Map() },
      {
        name: 'certd',
        isSidecar: true,
        env: new Map(Object.entries({ SERVING_ADDRESS: '127.0.0.1:9443', ...env })),
        ports: [],
        namedPorts: new Map(),
      },
    ],
    volume: 'certs',
    mounts: [],
    problem: null,
    hasExited: false,
    mountedSecrets: [],
  });
  const found = (
    servingHash: string | null,
    env: Readonly<Record<string, string>> = {},
    { ageMs = 600_000, kubeletNudge = true } = {},
  ): CheckResult => {
    const notBeforeMs = NOW_MS - ageMs;
    const snapshot = {
      pods: { state: 'there', value: [pod(servingHash, env)] },
      lease: { state: 'there', value: { announcement: { hash: ANNOUNCED, validUntil: '2031-01-01T00:00:00Z' } } },
      secret: { state: 'there', value: { leaf: { notBeforeMs } } },
      config: {
        namespace: 'hooks',
        podSelector: 'app=webhook',
        kubeletNudge,
        probeBind: { port: 9081 },
        issuer: { writesSecret: false },
      },
      access: [],
      acknowledgement: null,
      nowMs: NOW_MS,
    } as unknown as ClusterSnapshot;
    const [, result] = checkReplicas(snapshot);
    if (result === undefined) throw new Error('nothing was checked');
    return result;
  };

  it('says what the server shows, that nothing makes it read the changed certificate, and to restart it', () => {
    const { status, detail, remedy } = found(OLDER);
    expect([status, remedy]).to.deep.equal(['fail', RESTART]);
    expect(detail).to.include('its server at 127.0.0.1:9443 shows bbbbbbbbbbbb, announced: aaaaaaaaaaaa');
    expect(detail).to.include('RELOAD is not set');
    expect(detail).to.include('stays trusted');
  });

  it('names the RELOAD that had no effect', () => {
    expect(found(OLDER, { RELOAD: 'signal:HUP:nginx' }).detail).to.include(
      'RELOAD=signal:HUP:nginx has not made it read',
    );
  });

  it('only warns while the certificate is so new that the server may still be about to read it', () => {
    expect(found(OLDER, {}, { ageMs: 60_000 })).to.include({ status: 'warn', remedy: RESTART });
  });

  it('asks the replica for the reason where no handshake has shown anything', () => {
    const { status, remedy } = found(null);
    expect(status).to.equal('fail');
    expect(remedy).to.equal('kubectl get --raw /api/v1/namespaces/hooks/pods/webhook-0:9081/proxy/readyz');
  });

  it('finds nothing wrong where the server shows the announced certificate, nor where replicas do not acknowledge', () => {
    expect(found(ANNOUNCED).status).to.equal('ok');
    expect(found(null, {}, { kubeletNudge: false }).status).to.equal('skipped');
  });
});
