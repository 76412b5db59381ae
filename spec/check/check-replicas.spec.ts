import { expect } from 'chai';
import { checkReplicas } from '../../src/check/check-replicas.ts';
import type { PodInfo } from '../../src/check/inspect-pod.ts';
import type { CheckResult } from '../../src/check/result.ts';
import type { ClusterSnapshot } from '../../src/check/snapshot.ts';
import {
  absent,
  accessWithout,
  failed,
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
  unreadableResults,
} from './snapshot-of.ts';

type PodGiven = Parameters<typeof podOf>[1];

const READYZ = 'kubectl get --raw /api/v1/namespaces/hooks/pods/web-0:8081/proxy/readyz';
const NUDGE =
  'kubectl annotate --overwrite pod web-0 -n hooks webhook-certd/expected-hash- && ' +
  `kubectl annotate --overwrite pod web-0 -n hooks webhook-certd/expected-hash=${'a'.repeat(64)}`;
const MINUTE_MS = 60_000;
const fresh = { secret: secretIssuedAt(NOW_MS - MINUTE_MS) };

describe('check of the replicas', () => {
  const results = (pods: readonly PodInfo[], given: Given = {}): readonly CheckResult[] =>
    checkReplicas(snapshotOf({ pods: there(pods), ...given }));

  it('finds nothing wrong where each serves the announced certificate', () => {
    expect(results([podOf('web-0'), podOf('web-1', { status: { conditions: [] } })]).map(textOf)).to.deep.equal([
      'ok: replicas exist: web-0, web-1',
      'ok: replica web-0 serves the announced certificate: aaaaaaaaaaaa',
      'ok: replica web-1 serves the announced certificate: aaaaaaaaaaaa',
    ]);
  });

  it('fails where there is none, nor one that is not gone', () => {
    const gone = podOf('web-0', { status: { phase: 'Succeeded' } });
    for (const pods of [[], [gone]])
      expect(results(pods)).to.deep.equal([
        {
          name: 'replicas exist',
          status: 'fail',
          detail: 'no Pod of hooks matches app.kubernetes.io/name=web',
          remedy: 'kubectl get deployments,statefulsets,daemonsets,pods -n hooks --show-labels',
        },
      ]);
  });

  it('says nothing more of Pods that cannot be read than why', () => {
    const told = [forbidden, failed].map((pods) => checkReplicas(snapshotOf({ pods })));
    expect(told).to.deep.equal(unreadableResults('replicas exist', '/api/v1/namespaces/hooks/pods'));
  });

  it('does not compare them with a certificate that is not announced, which is reported by itself', () => {
    for (const lease of [absent, there(leaseInfoOf({ announcement: null }))])
      expect(results([podOf('web-0')], { lease }).map(textOf)).to.deep.equal([
        'ok: replicas exist: web-0',
        'skipped: replicas serve the announced certificate: no certificate is announced',
      ]);
  });

  describe('one by one:', () => {
    const replica = (pod: PodGiven, given: Given = {}): CheckResult =>
      resultNamed(results([podOf('web-0', pod)], given), 'replica web-0 serves');
    const judged = (...given: Parameters<typeof replica>) => {
      const { status, detail, remedy } = replica(...given);
      return { status, detail, remedy };
    };
    const waiting = (reason: string) => ({ containerStatuses: [{ state: { waiting: { reason } } }] });

    it('a Pod that is being deleted is not judged', () => {
      const metadata = { name: 'web-0', deletionTimestamp: new Date(NOW_MS + MINUTE_MS).toISOString() };
      expect(judged({ metadata, status: waiting('CrashLoopBackOff') })).to.deep.equal({
        status: 'skipped',
        detail: 'the Pod is being deleted',
        remedy: null,
      });
    });

    it('one whose container does not run fails, and the Pod is shown, which says why it was never started', () => {
      expect(judged({ status: waiting('ImagePullBackOff') })).to.deep.equal({
        status: 'fail',
        detail: 'its container is not running: ImagePullBackOff',
        remedy: 'kubectl describe pod web-0 -n hooks',
      });
    });

    it('one whose container has ended fails, and its log is shown, which says why', () => {
      const containerStatuses = [
        { state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState: { terminated: { exitCode: 1 } } },
      ];
      expect(judged({ status: { containerStatuses } })).to.deep.equal({
        status: 'fail',
        detail: 'its container is not running: CrashLoopBackOff, its last exit code was 1',
        remedy: 'kubectl logs -n hooks web-0 --all-containers --previous --tail=50',
      });
    });

    it('one that serves the announced certificate and is not ready is asked why', () => {
      expect(judged({ status: { conditions: [{ type: 'Ready', status: 'False' }] } })).to.deep.equal({
        status: 'warn',
        detail: 'it does, but is not ready',
        remedy: READYZ,
      });
    });

    it('one that serves another certificate fails once its kubelet should have delivered, and is nudged', () => {
      const detail = 'it serves bbbbbbbbbbbb, announced: aaaaaaaaaaaa, and its kubelet should have delivered by now';
      for (const secret of [secretIssuedAt(NOW_MS - 4 * MINUTE_MS - 3_600_000), absent])
        expect(judged({ serving: OLDER }, { secret })).to.deep.equal({ status: 'fail', detail, remedy: NUDGE });
    });

    it('one that serves another certificate is only warned of while its kubelet may still deliver', () => {
      const detail = 'it serves bbbbbbbbbbbb, announced: aaaaaaaaaaaa since recently';
      expect(judged({ serving: OLDER }, fresh)).to.deep.equal({ status: 'warn', detail, remedy: NUDGE });
    });

    describe('one that says nothing of what it serves', () => {
      const silent = { serving: null };
      const unready = { ...silent, status: { conditions: [{ type: 'Ready', status: 'False' }] } };

      it('fails, and is nudged', () => {
        const detail = 'Pod has no serving-hash annotation';
        for (const pod of [unready, { ...silent, status: { conditions: [] } }])
          expect(judged(pod)).to.deep.equal({ status: 'fail', detail, remedy: NUDGE });
      });

      it('is only warned of while it is ready, since it serves', () => {
        const detail = 'it is ready, but Pod has no serving-hash annotation';
        expect(judged(silent)).to.deep.equal({ status: 'warn', detail, remedy: NUDGE });
      });

      it('is not judged where replicas are told to say nothing', () => {
        const detail = 'KUBELET_NUDGE=false: replicas do not acknowledge';
        const nothing = { status: 'skipped', detail, remedy: null };
        for (const env of [{}, { SERVING_ADDRESS: '127.0.0.1:9443' }])
          expect(judged({ ...silent, env }, { env: { KUBELET_NUDGE: 'false' } })).to.deep.equal(nothing);
      });

      it('gets the permission that it lacks for saying it', () => {
        const grant =
          'kubectl create role webhook-certd-patch-pods-status-hooks-web -n hooks --verb=patch --resource=pods/status && ' +
          'kubectl create rolebinding webhook-certd-patch-pods-status-hooks-web -n hooks ' +
          '--role=webhook-certd-patch-pods-status-hooks-web --serviceaccount=hooks:web';
        const access = [
          accessWithout({ secrets: ['get'] }, { user: 'system:serviceaccount:hooks:other' }),
          accessWithout({ leases: ['get'], 'pods/status': ['patch'] }),
        ];
        expect(replica(unready, { access }).remedy).to.equal(grant);
        expect(replica(silent, { access }).remedy).to.equal(grant);
        expect(replica(silent, { access: access.slice(0, 1) }).remedy).to.equal(NUDGE);
      });
    });

    describe('one whose server terminates TLS itself', () => {
      const RESTART = 'kubectl rollout restart deployment/web -n hooks';
      const ADDRESS = { SERVING_ADDRESS: '127.0.0.1:9443' };
      const beside = (serving: string | null, env: Readonly<Record<string, string>> = {}): PodGiven => ({
        serving,
        spec: {
          containers: [
            { name: 'manager', env: [{ name: 'SERVING_ADDRESS', value: '' }] },
            {
              name: 'certd',
              env: Object.entries({ ...ADDRESS, ...env }).map(([name, value]) => ({ name, value })),
            },
          ],
        },
      });
      const KEPT = 'the CA of what it shows stays trusted until then, and calls fail once that has expired';
      const SHOWS = 'its server at 127.0.0.1:9443 shows bbbbbbbbbbbb, announced: aaaaaaaaaaaa';

      it('fails while the server shows another certificate, and is restarted where nothing else makes it read that', () => {
        const why = 'it does not read a changed certificate by itself, and RELOAD is not set';
        const detail = `${SHOWS}: ${why}; a restart reads it, ${KEPT}`;
        for (const env of [{}, { RELOAD: '' }])
          expect(judged(beside(OLDER, env))).to.deep.equal({ status: 'fail', detail, remedy: RESTART });
      });

      it('names the RELOAD that had no effect', () => {
        const why = 'RELOAD=signal:HUP:nginx has not made it read the changed certificate';
        const detail = `${SHOWS}: ${why}; a restart reads it, ${KEPT}`;
        expect(judged(beside(OLDER, { RELOAD: 'signal:HUP:nginx' }))).to.deep.equal({
          status: 'fail',
          detail,
          remedy: RESTART,
        });
      });

      it('is only warned of while the certificate is so new that the server may still be about to read it', () => {
        const detail = `${SHOWS} since recently`;
        expect(judged(beside(OLDER), fresh)).to.deep.equal({ status: 'warn', detail, remedy: RESTART });
      });

      it('is asked for the reason where no handshake has shown anything', () => {
        const detail = 'no handshake with its server at 127.0.0.1:9443 has shown a certificate that callers accept';
        expect(judged(beside(null))).to.deep.equal({ status: 'fail', detail, remedy: READYZ });
      });

      it('is good where the server shows the announced certificate', () => {
        expect(replica(beside('a'.repeat(64))).status).to.equal('ok');
      });
    });
  });

  describe('of the annotations on their Pods', () => {
    const annotated = (write: NonNullable<ClusterSnapshot['acknowledgement']>['write']) =>
      results([podOf('web-0')], { acknowledgement: { pod: 'web-0', write } }).slice(2);
    const rejected = (why: string) => annotated({ state: 'rejected', status: 403, why });
    const name = 'replica web-0 can be annotated';

    it('finds nothing wrong where a dry run is accepted, and nothing at all where none could be made', () => {
      expect(annotated({ state: 'accepted' }).map(textOf)).to.deep.equal([`ok: ${name}: by a dry run`]);
      expect(annotated({ state: 'unknown' })).to.deep.equal([]);
    });

    it('leaves a missing permission to the checks of permissions', () => {
      const why = 'User "a" cannot patch resource "pods/status" in API group ""';
      expect(rejected(why).map(textOf)).to.deep.equal([`skipped: ${name}: no permission for a dry run`]);
    });

    it('shows the policy that rejects them', () => {
      const why = "ValidatingAdmissionPolicy 'own pods' with binding 'b' denied request: no";
      const detail = `the API server rejects its annotations on the Pod: ${why}`;
      const remedy = "kubectl get validatingadmissionpolicy 'own pods' -o yaml";
      expect(rejected(why)).to.deep.equal([{ name, status: 'warn', detail, remedy }]);
    });

    it('lists the webhooks where it is no policy that rejects them', () => {
      const [result] = rejected('admission webhook "deny.example.com" denied the request');
      expect(result).to.include({
        status: 'warn',
        remedy: 'kubectl get validatingwebhookconfiguration,mutatingwebhookconfiguration',
      });
    });
  });
});
