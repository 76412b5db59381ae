import { expect } from 'chai';
import { checkMounts } from '../../src/check/check-mounts.ts';
import type { PodInfo } from '../../src/check/inspect-pod.ts';
import type { CheckResult } from '../../src/check/result.ts';
import type { CertDirInfo } from '../../src/check/snapshot.ts';
import {
  absent,
  ANNOUNCED,
  forbidden,
  type Given,
  leaseInfoOf,
  NOW_MS,
  OLDER,
  podOf,
  resultNamed,
  secretIssuedAt,
  snapshotOf,
  textOf,
  there,
} from './snapshot-of.ts';

type PodGiven = Parameters<typeof podOf>[1];

const MINUTE_MS = 60_000;
const LOCAL = 'local CERT_DIR is the mounted Secret';
const SHOW = 'kubectl get pod web-0 -n hooks -o yaml';
const VOLUMES = [{ name: 'certs', secret: { secretName: 'web-cert' } }];

const patched = (spec: object, workload = 'deployment/web'): string =>
  `kubectl patch ${workload} -n hooks -p '${JSON.stringify({ spec: { template: { spec } } })}'`;
const mounting = (name: string, mountPath = '/certs') => ({ mountPath, name, readOnly: true, subPath: null });
const unmounting = (mountPath: string) => ({ mountPath, $patch: 'delete' });
/** The mount that is missing, where there is no volume either. */
const VOLUME_AND_MOUNT = {
  volumes: [{ name: 'serving-certs', secret: { secretName: 'web-cert', optional: true } }],
  containers: [{ name: 'webhook', volumeMounts: [mounting('serving-certs')] }],
};

describe('check of the mounts', () => {
  const results = (pods: readonly PodInfo[], given: Given = {}): readonly CheckResult[] =>
    checkMounts(snapshotOf({ pods: there(pods), ...given }));
  const texts = (...given: Parameters<typeof results>): readonly string[] => results(...given).map(textOf);
  /** Of a Pod that says its settings, as most do. */
  const told = (env: Given['env'] = {}): Given => {
    const { config, located } = snapshotOf({ env });
    return { env, located: { ...located, byPod: new Map([['web-0', config]]) } };
  };
  const judged = (pod: PodGiven, given: Given = {}) => {
    const [{ name, status, detail, remedy } = { name: '', status: '', detail: '', remedy: '' }] = results(
      [podOf('web-0', pod)],
      given,
    );
    expect(name).to.equal('replica web-0 mounts the Secret');
    return { status, detail, remedy };
  };
  /** One container with these mounts of the volume. */
  const mountedAt = (...mounts: readonly object[]): PodGiven => ({
    spec: {
      containers: [{ name: 'webhook', volumeMounts: mounts.map((each) => ({ name: 'certs', ...each })) }],
      volumes: VOLUMES,
    },
  });

  it('finds nothing wrong where a replica mounts the whole Secret at CERT_DIR', () => {
    const here = `skipped: ${LOCAL}: not running in a replica: there is no /certs`;
    expect(texts([podOf('web-0')])).to.deep.equal(['ok: replica web-0 mounts the Secret: /certs', here]);
    for (const CERT_DIR of ['/certs/', '/certs//'])
      expect(texts([podOf('web-0', { env: { CERT_DIR } })])[0]).to.equal('ok: replica web-0 mounts the Secret: /certs');
    for (const path of ['/', '/var/certs'])
      expect(judged(mountedAt({ mountPath: path }), { env: { CERT_DIR: path } }).status, path).to.equal('ok');
  });

  it('finds it among other mounts of the Secret', () => {
    expect(judged(mountedAt({ mountPath: '/other' }, { mountPath: '/certs' })).status).to.equal('ok');
  });

  it('names one Pod of those that are alike, and each that is not', () => {
    const names = (...pods: readonly PodInfo[]): readonly string[] =>
      results(pods).map(({ name }) => name.split(' ')[1]!);
    const unlike = podOf('web-2', mountedAt({ mountPath: '/other' }));
    expect(names(podOf('web-0'), podOf('web-1'), unlike)).to.deep.equal(['web-1', 'web-2', 'CERT_DIR']);
    expect(names(podOf('web-0', { owner: null }), podOf('web-1', { owner: null }))).to.deep.equal([
      'web-0',
      'web-1',
      'CERT_DIR',
    ]);
    expect(names(podOf('web-0'), podOf('web-1', { owner: 'StatefulSet' }))).to.have.length(3);
  });

  it('leaves out a Pod that is leaving', () => {
    const metadata = { name: 'web-0', deletionTimestamp: new Date(NOW_MS + MINUTE_MS).toISOString() };
    expect(texts([podOf('web-0', { metadata, spec: { volumes: [] } })])).to.have.length(1);
  });

  describe('of a replica that mounts it wrongly or not at all:', () => {
    it('the volume and the mount are added where there is no volume', () => {
      const detail = 'it has no volume of Secret web-cert';
      expect(judged({ spec: { volumes: [] } })).to.deep.equal({
        status: 'fail',
        detail,
        remedy: patched(VOLUME_AND_MOUNT),
      });
    });

    it('the Pod is shown where nothing has made it that could be changed', () => {
      expect(judged({ spec: { volumes: [] }, owner: null }).remedy).to.equal(SHOW);
      expect(judged({ spec: { volumes: [] }, owner: 'StatefulSet' }).remedy).to.equal(
        patched(VOLUME_AND_MOUNT, 'statefulset/web'),
      );
    });

    it('the Pod is shown where it has no container', () => {
      expect(judged({ spec: { containers: [] } })).to.deep.equal({
        status: 'fail',
        detail: 'no container mounts its volume certs',
        remedy: SHOW,
      });
    });

    it('the mount is added where the volume is there', () => {
      expect(judged(mountedAt())).to.deep.equal({
        status: 'fail',
        detail: 'no container mounts its volume certs',
        remedy: patched({ containers: [{ name: 'webhook', volumeMounts: [mounting('certs')] }] }),
      });
    });

    it('a subPath is taken away, which kubelets never update, also beside a good mount', () => {
      const detail = '/certs is mounted with subPath, which kubelets never update';
      const remedy = patched({ containers: [{ name: 'webhook', volumeMounts: [mounting('certs')] }] });
      expect(judged(mountedAt({ mountPath: '/certs', subPath: 'tls' }))).to.deep.equal({
        status: 'fail',
        detail,
        remedy,
      });
      const file = { mountPath: '/certs/tls.crt', subPath: 'tls.crt' };
      expect(judged(mountedAt({ mountPath: '/certs' }, file))).to.deep.equal({
        status: 'fail',
        detail: '/certs/tls.crt is mounted with subPath, which kubelets never update',
        remedy: patched({
          containers: [{ name: 'webhook', volumeMounts: [unmounting('/certs/tls.crt'), mounting('certs')] }],
        }),
      });
    });

    describe('one at another place than CERT_DIR', () => {
      const elsewhere = mountedAt({ mountPath: '/first' }, { mountPath: '/second' });
      const detail = 'it is mounted at /first, but CERT_DIR is /certs';

      it('is moved where the Pod says its CERT_DIR', () => {
        const volumeMounts = [unmounting('/first'), unmounting('/second'), mounting('certs')];
        const remedy = patched({ containers: [{ name: 'webhook', volumeMounts }] });
        expect(judged(elsewhere, told())).to.deep.equal({ status: 'fail', detail, remedy });
        expect(judged({ env: { CERT_DIR: '/other' } })).to.deep.equal({
          status: 'fail',
          detail: 'it is mounted at /certs, but CERT_DIR is /other',
          remedy: patched({
            containers: [{ name: 'webhook', volumeMounts: [unmounting('/certs'), mounting('certs', '/other')] }],
          }),
        });
      });

      it('is shown where the Pod does not say it: what the check was told is more likely to be wrong', () => {
        expect(judged(elsewhere)).to.deep.equal({ status: 'fail', detail, remedy: SHOW });
      });
    });

    it('another Secret at CERT_DIR is shown: it is in use, so that SECRET_NAME is more likely to be wrong', () => {
      const volumes = [{ name: 'certs', secret: { secretName: 'other' } }];
      expect(judged({ spec: { volumes } })).to.deep.equal({
        status: 'fail',
        detail: 'it mounts Secret other at CERT_DIR, and SECRET_NAME is web-cert',
        remedy: SHOW,
      });
    });

    it('another Secret at another place is none of its business', () => {
      const volumes = [...VOLUMES, { name: 'more', secret: { secretName: 'other' } }];
      const volumeMounts = [
        { name: 'more', mountPath: '/more' },
        { name: 'certs', mountPath: '/certs' },
      ];
      expect(judged({ spec: { containers: [{ name: 'webhook', volumeMounts }], volumes } }).status).to.equal('ok');
    });
  });

  describe('of a Pod with several containers changes', () => {
    const CERTS = [{ name: 'certs', mountPath: '/wrong' }];
    const changed = (spec: object, given: Given = {}): object => {
      const { remedy } = judged({ spec: { volumes: VOLUMES, ...spec } }, { ...told(), ...given });
      const [, patch = '{}'] = /^kubectl patch deployment\/web -n hooks -p '(.*)'$/.exec(remedy ?? '') ?? [];
      const parsed = JSON.parse(patch) as { readonly spec: { readonly template: { readonly spec: object } } };
      return parsed.spec.template.spec;
    };
    const ports = [{ containerPort: 9443 }];
    const address = { name: 'SERVING_ADDRESS', value: '127.0.0.1:9443' };

    it('the one with SERVING_ADDRESS, whose server is in another one, and leaves the mounts of that alone', () => {
      const containers = [
        { name: 'server', ports, volumeMounts: CERTS },
        { name: 'certd', env: [address], volumeMounts: [{ name: 'certs', mountPath: '/old' }] },
      ];
      const volumeMounts = [unmounting('/old'), mounting('certs')];
      expect(changed({ containers })).to.deep.equal({ containers: [{ name: 'certd', volumeMounts }] });
    });

    it('a native sidecar where it stands, under initContainers', () => {
      const initContainers = [{ name: 'certd', restartPolicy: 'Always', env: [address] }];
      expect(changed({ containers: [{ name: 'server' }], initContainers })).to.deep.equal({
        initContainers: [{ name: 'certd', volumeMounts: [mounting('certs')] }],
      });
    });

    it('the one that mounts the Secret, rather than the one with the port', () => {
      const containers = [{ name: 'first' }, { name: 'server', ports }, { name: 'mounting', volumeMounts: CERTS }];
      const volumeMounts = [unmounting('/wrong'), mounting('certs')];
      expect(changed({ containers })).to.deep.equal({ containers: [{ name: 'mounting', volumeMounts }] });
    });

    it('the one with the port where none mounts it, and the first one where none has it', () => {
      const containers = [
        { name: 'first', ports: [{ containerPort: 1 }] },
        { name: 'server', ports },
      ];
      const volumeMounts = [mounting('certs')];
      expect(changed({ containers })).to.deep.equal({ containers: [{ name: 'server', volumeMounts }] });
      const { env, ...elsewhere } = told({ WEBHOOK_BIND_ADDRESS: ':1234' });
      expect(changed({ containers }, { ...elsewhere, env: env ?? {} })).to.deep.equal({
        containers: [{ name: 'first', volumeMounts }],
      });
    });
  });

  describe('of CERT_DIR on this machine', () => {
    const local = (certDir: Partial<CertDirInfo>, given: Given = {}): CheckResult =>
      resultNamed(
        results([podOf('web-0')], {
          certDir: { kind: 'projected', hash: ANNOUNCED, problem: null, ...certDir },
          ...given,
        }),
        LOCAL,
      );
    const inReplica = { inReplica: true, env: { POD_NAME: 'web-0' } };
    const volumeMounts = [mounting('certs')];
    const REMOUNT = patched({ containers: [{ name: 'webhook', volumeMounts }] });
    const nudge = (hash: string): string =>
      'kubectl annotate --overwrite pod web-0 -n hooks webhook-certd/expected-hash- && ' +
      `kubectl annotate --overwrite pod web-0 -n hooks webhook-certd/expected-hash=${hash}`;

    it('finds nothing wrong where the announced certificate is mounted', () => {
      expect(textOf(local({}, inReplica))).to.equal(`ok: ${LOCAL}: aaaaaaaaaaaa`);
    });

    it('compares it with nothing where nothing is announced', () => {
      for (const lease of [absent, there(leaseInfoOf({ announcement: null }))]) {
        expect(textOf(local({ hash: OLDER }, { ...inReplica, lease }))).to.equal(`ok: ${LOCAL}: bbbbbbbbbbbb`);
        expect(textOf(local({ hash: null }, { ...inReplica, lease }))).to.equal(`ok: ${LOCAL}: still empty`);
      }
    });

    it('fails inside a replica where it is not there, or no volume, or a subPath, and mounts it', () => {
      for (const [kind, detail] of [
        ['absent', 'there is no /certs'],
        ['plain', '/certs is not a Secret volume'],
        ['sub-path', '/certs is mounted with subPath, which kubelets never update'],
      ] as const)
        expect(local({ kind, hash: null }, inReplica)).to.deep.equal({
          name: LOCAL,
          status: 'fail',
          detail,
          remedy: REMOUNT,
        });
    });

    it('outside of a replica only warns of a directory that is no volume, and fails for a subPath', () => {
      expect(local({ kind: 'plain', hash: null })).to.include({ status: 'warn', remedy: REMOUNT });
      expect(local({ kind: 'sub-path', hash: null })).to.include({ status: 'fail', remedy: REMOUNT });
    });

    it('changes the workload of the replica that it runs in, and else of the first one that lives', () => {
      const pods = there([
        podOf('web-1', { status: { phase: 'Failed' }, owner: null }),
        podOf('web-2'),
        podOf('web-0', { owner: 'StatefulSet' }),
      ]);
      const remedy = (given: Given) => local({ kind: 'plain' }, { ...given, pods }).remedy;
      expect(remedy(inReplica)).to.match(/^kubectl patch statefulset\/web /);
      expect(remedy({ ...inReplica, env: { POD_NAME: 'other' } })).to.match(/^kubectl patch deployment\/web /);
    });

    it('starts replicas where there is none to change', () => {
      const start = 'kubectl get deployments,statefulsets,daemonsets,pods -n hooks --show-labels';
      for (const pods of [there([]), forbidden])
        expect(local({ kind: 'plain' }, { ...inReplica, pods }).remedy).to.equal(start);
    });

    it('fails where what is mounted cannot be read, and nudges the kubelet', () => {
      expect(local({ problem: 'it is torn', hash: null }, inReplica)).to.deep.equal({
        name: LOCAL,
        status: 'fail',
        detail: 'it is torn',
        remedy: nudge(ANNOUNCED),
      });
    });

    it('fails where another certificate is mounted once the kubelet should have delivered, and warns before', () => {
      const other = (hash: string | null, agoMs: number) =>
        local({ hash }, { ...inReplica, secret: secretIssuedAt(NOW_MS - 60 * MINUTE_MS - agoMs) });
      const detail = 'mounted: bbbbbbbbbbbb, announced: aaaaaaaaaaaa';
      const remedy = nudge(ANNOUNCED);
      expect(other(OLDER, 4 * MINUTE_MS)).to.deep.equal({ name: LOCAL, status: 'fail', detail, remedy });
      expect(other(OLDER, MINUTE_MS)).to.deep.equal({ name: LOCAL, status: 'warn', detail, remedy });
      expect(other(null, MINUTE_MS).detail).to.equal('mounted: nothing, announced: aaaaaaaaaaaa');
    });
  });
});
