import { expect } from 'chai';
import { inspectPod, type PodInfo } from '../../src/check/inspect-pod.ts';
import {
  alivePods,
  inspectReplicas,
  isLeaving,
  nudgeKubelet,
  restartWorkload,
  startReplicas,
  workloadOf,
} from '../../src/check/kubectl.ts';
import { fail, ok, skipped, unreadable, warn } from '../../src/check/result.ts';
import {
  announcedHash,
  type ClusterSnapshot,
  isHeldBy,
  isPastDeliveryTime,
  ownCalls,
} from '../../src/check/snapshot.ts';

const SECOND = '2030-01-01T00:00:01Z';
const SECOND_MS = Date.parse(SECOND);

const podOf = (name: string, metadata: object = {}): PodInfo =>
  inspectPod('p', 'certs')({ metadata: { name, ...metadata }, spec: { nodeName: 'n', containers: [] } });
const ownedBy = (kind: string, name: string): PodInfo =>
  podOf('web-0', { ownerReferences: [{ kind, name, controller: true }] });

const config = { namespace: 'hooks', annotationPrefix: 'example.com', podSelector: 'app in (web)' };

const snapshotOf = (given: object): ClusterSnapshot =>
  ({
    config,
    nowMs: 0,
    pods: { state: 'there', value: [] },
    lease: { state: 'absent', why: '' },
    workloads: { state: 'absent', why: '' },
    ...given,
  }) as unknown as ClusterSnapshot;

describe('the Pods that check looks at', () => {
  it('are those that are not gone yet', () => {
    const value = [podOf('a'), podOf('b', { deletionTimestamp: SECOND })];
    const names = (nowMs: number): readonly string[] =>
      alivePods(snapshotOf({ pods: { state: 'there', value }, nowMs })).map(({ name }) => name);
    expect(names(SECOND_MS - 1)).to.deep.equal(['a', 'b']);
    expect(names(SECOND_MS)).to.deep.equal(['a']);
    expect(value.map(isLeaving)).to.deep.equal([false, true]);
  });

  it('are none where they cannot be read', () => {
    expect(alivePods(snapshotOf({ pods: { state: 'forbidden', why: '' } }))).to.deep.equal([]);
  });
});

describe('the commands of check', () => {
  it('restart a workload that replaces its Pods, and show any other Pod', () => {
    const restart = (pod: PodInfo): string => restartWorkload(snapshotOf({}), pod);
    for (const kind of ['Deployment', 'StatefulSet', 'DaemonSet']) {
      expect(workloadOf(ownedBy(kind, 'a b'))).to.equal(`${kind.toLowerCase()}/'a b'`);
      expect(restart(ownedBy(kind, 'web'))).to.equal(`kubectl rollout restart ${kind.toLowerCase()}/web -n hooks`);
    }
    expect(workloadOf(ownedBy('Job', 'web'))).to.equal(null);
    for (const pod of [podOf('web-0'), ownedBy('Job', 'web')])
      expect(restart(pod)).to.equal('kubectl get pod web-0 -n hooks -o yaml');
  });

  it('have a kubelet read the Secret: an annotation changes, even to the same value', () => {
    const pod = "kubectl annotate --overwrite pod 'web 0' -n hooks example.com/expected-hash";
    const lease = { state: 'there', value: { announcement: { hash: 'abc' } } };
    expect(nudgeKubelet(snapshotOf({ lease }), 'web 0')).to.equal(`${pod}- && ${pod}=abc`);
    expect(nudgeKubelet(snapshotOf({}), 'web 0')).to.equal(`${pod}- && ${pod}=now`);
  });

  it('start a workload that is scaled to zero, and else show why it has no Pods', () => {
    const workload = (kind: string, name: string, replicas: number | null, isOurs = true) => ({
      kind,
      name,
      replicas,
      isOurs,
    });
    const start = (...value: readonly object[]): string =>
      startReplicas(snapshotOf({ workloads: { state: 'there', value } }));
    const shown = 'kubectl get deployments,statefulsets,daemonsets,pods -n hooks --show-labels';
    expect(start(workload('deployment', 'a', 2), workload('statefulset', 'b c', 0))).to.equal(
      "kubectl scale statefulset/'b c' -n hooks --current-replicas=0 --replicas=2",
    );
    expect(start(workload('deployment', 'other', 0, false), workload('daemonset', 'a b', null))).to.equal(
      "kubectl describe daemonset/'a b' -n hooks",
    );
    expect(start(workload('deployment', 'other', 0, false))).to.equal(shown);
    expect(startReplicas(snapshotOf({}))).to.equal(shown);
  });

  it('show the log of the replicas, or why there are none', () => {
    expect(inspectReplicas(snapshotOf({ pods: { state: 'there', value: [podOf('a')] } }))).to.equal(
      "kubectl logs -n hooks -l 'app in (web)' --all-containers --prefix --tail=50",
    );
    expect(inspectReplicas(snapshotOf({}))).to.equal(startReplicas(snapshotOf({})));
  });
});

describe('the result of a check', () => {
  it('is its name, its status, one line, and a command where there is something to mend', () => {
    expect(ok('a', 'b')).to.deep.equal({ name: 'a', status: 'ok', detail: 'b', remedy: null });
    expect(skipped('a', 'b')).to.deep.equal({ name: 'a', status: 'skipped', detail: 'b', remedy: null });
    expect(warn('a', 'b', 'c')).to.deep.equal({ name: 'a', status: 'warn', detail: 'b', remedy: 'c' });
    expect(fail('a', 'b', 'c')).to.deep.equal({ name: 'a', status: 'fail', detail: 'b', remedy: 'c' });
  });

  it('is a failure where an object cannot be read, unless only the permission is missing', () => {
    expect(unreadable('a', { state: 'forbidden', why: 'no' }, '/x')).to.deep.equal(
      skipped('a', 'not readable with these permissions: no'),
    );
    for (const state of ['failed', 'absent'] as const)
      expect(unreadable('a', { state, why: 'no' }, '/x?a=b')).to.deep.equal(
        fail('a', 'no', "kubectl get --raw '/x?a=b'"),
      );
  });
});

describe('what check tells from its snapshot', () => {
  it('is the announced hash of the Lease', () => {
    const lease = (announcement: object | null) => snapshotOf({ lease: { state: 'there', value: { announcement } } });
    expect(announcedHash(lease({ hash: 'abc' }))).to.equal('abc');
    expect(announcedHash(lease(null))).to.equal(null);
    expect(announcedHash(snapshotOf({}))).to.equal(null);
  });

  it('is whether a Pod holds the Lease, also by the name that client-go gives it', () => {
    expect(isHeldBy('web-0', 'web-0')).to.equal(true);
    expect(isHeldBy('web-0_5c2b', 'web-0')).to.equal(true);
    expect(isHeldBy('web-01', 'web-0')).to.equal(false);
    expect(isHeldBy('other', 'web-0')).to.equal(false);
  });

  it('is whether kubelets had three minutes to deliver, counted from when a leader issued the certificate', () => {
    const MINUTE_MS = 60_000;
    const isPast = (ageMs: number, keepsCa: boolean, notBeforeMs = 0): boolean =>
      isPastDeliveryTime(
        snapshotOf({
          config: { issuer: { keepsCa } },
          nowMs: notBeforeMs + ageMs,
          secret: { state: 'there', value: { leaf: { notBeforeMs } } },
        }),
      );
    expect(isPast(3 * MINUTE_MS, false)).to.equal(false);
    expect(isPast(3 * MINUTE_MS + 1, false)).to.equal(true);
    // Its own issuer dates a leaf back by an hour, for clocks that are behind.
    expect(isPast(63 * MINUTE_MS, true)).to.equal(false);
    expect(isPast(63 * MINUTE_MS + 1, true)).to.equal(true);
    for (const secret of [
      { state: 'absent', why: '' },
      { state: 'there', value: { leaf: null } },
    ])
      expect(isPastDeliveryTime(snapshotOf({ secret }))).to.equal(true);
  });

  it('is which calls of a target are to this installation', () => {
    const toServices = [
      ['svc', 'hooks'],
      ['svc', 'other'],
      ['other', 'hooks'],
    ].map(([name, namespace]) => ({ service: { name, namespace }, url: null }));
    const toUrls = ['https://svc.hooks.svc/a', 'https://other.hooks.svc/a'].map((url) => ({ service: null, url }));
    const config = { serviceName: 'svc', namespace: 'hooks', serviceNames: ['svc.hooks.svc'] };
    const own = ownCalls(
      { config } as unknown as ClusterSnapshot,
      { calls: [...toServices, ...toUrls] } as unknown as Parameters<typeof ownCalls>[1],
    );
    expect(own).to.deep.equal([toServices[0], toUrls[0]]);
  });
});
