import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { load } from 'js-yaml';
import { checkMounts } from '../../src/check/check-mounts.ts';
import { checkReplicas } from '../../src/check/check-replicas.ts';
import { inspectPod } from '../../src/check/inspect-pod.ts';
import type { ClusterSnapshot } from '../../src/check/snapshot.ts';
import { MANIFESTS } from '../manifests/rendered.ts';
import { OLDER, resultNamed, secretIssuedAt, snapshotOf, there } from './snapshot-of.ts';

interface PodSpec {
  readonly initContainers: readonly object[];
  readonly volumes: readonly object[];
}

const manifest = load(readFileSync(join(MANIFESTS, 'components/serving/sidecar.yaml'), 'utf8')) as {
  readonly spec: { readonly template: { readonly spec: PodSpec } };
};
const SECRET = 'webhook-server-cert';

describe('check of webhook-certd as a native sidecar', () => {
  /** A Pod of the manifest, whose own container has its certificate elsewhere than the sidecar. */
  const sidecarIn = (certDir: string): ClusterSnapshot => {
    const env = { SECRET_NAME: SECRET, CERT_DIR: certDir };
    const { initContainers, volumes } = manifest.spec.template.spec;
    const own = { name: 'manager', volumeMounts: [{ name: 'webhook-certs', mountPath: '/own/certs' }] };
    const pod = inspectPod(
      'webhook-certd',
      SECRET,
    )({
      metadata: {
        name: 'web-0',
        annotations: { 'webhook-certd/serving-hash': OLDER },
        ownerReferences: [{ kind: 'StatefulSet', name: 'web', controller: true }],
      },
      spec: { nodeName: 'node', containers: [own], initContainers, volumes },
    });
    const { config, located } = snapshotOf({ env });
    return snapshotOf({
      env,
      located: { ...located, byPod: new Map([[pod.name, config]]) },
      pods: there([pod]),
      secret: secretIssuedAt(0),
    });
  };

  it('is content where the sidecar mounts the Secret at CERT_DIR, and the server beside it elsewhere', () => {
    const { status, detail } = resultNamed(
      checkMounts(sidecarIn('/tmp/k8s-webhook-server/serving-certs')),
      'replica web-0',
    );
    expect(`${status}: ${detail}`).to.equal('ok: /tmp/k8s-webhook-server/serving-certs');
  });

  it('has the mount of the sidecar changed, and leaves that of the server beside it', () => {
    const { status, remedy } = resultNamed(checkMounts(sidecarIn('/certs')), 'replica web-0');
    expect(status).to.equal('fail');
    const [, patch = ''] = /^kubectl patch statefulset\/web -n hooks -p '(.*)'$/.exec(remedy ?? '') ?? [];
    const volumeMounts = [
      { mountPath: '/tmp/k8s-webhook-server/serving-certs', $patch: 'delete' },
      { mountPath: '/certs', name: 'webhook-certs', readOnly: true, subPath: null },
    ];
    expect(JSON.parse(patch)).to.deep.equal({
      spec: { template: { spec: { initContainers: [{ name: 'webhook-certd', volumeMounts }] } } },
    });
  });

  it('blames the server beside it, which the sidecar asks what it serves', () => {
    const { status, detail, remedy } = resultNamed(checkReplicas(sidecarIn('/certs')), 'replica web-0');
    expect(status).to.equal('fail');
    expect(detail).to.include('its server at 127.0.0.1:9443 shows bbbbbbbbbbbb').and.include('RELOAD is not set');
    expect(remedy).to.equal('kubectl rollout restart statefulset/web -n hooks');
  });
});
