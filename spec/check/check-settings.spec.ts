import { expect } from 'chai';
import { checkSettings } from '../../src/check/check-settings.ts';
import { type Located, unlocated } from '../../src/check/locate.ts';
import { type PodSpec, podSpec } from '../../src/check/pod-settings.ts';
import type { CheckResult } from '../../src/check/result.ts';
import { settings } from '../../src/config/variables.ts';
import { resultNamed, snapshotOf, textOf } from './snapshot-of.ts';

type Env = Readonly<Record<string, string>>;

const COMPLETE = 'configuration is complete';
const PODS = 'kubectl get pods -n hooks --show-labels';
const SHOW = 'kubectl get pod web-0 -n hooks -o yaml';

const podSpecOf = (labels: PodSpec['labels']): PodSpec =>
  podSpec({ metadata: { name: 'web-0', namespace: 'hooks', labels }, spec: { containers: [] } });

describe('check of the settings', () => {
  const pod = podSpecOf({ app: 'web', tier: 'back' });
  const results = (over: Partial<Located> = {}, env: Env = {}): readonly CheckResult[] =>
    checkSettings({ ...unlocated(snapshotOf({ env }).config), ...over });
  const rest = (...given: Parameters<typeof results>): readonly CheckResult[] => results(...given).slice(1);

  it('names the objects that it looks at, and the Pod that says so', () => {
    const objects = 'namespace hooks, Lease web, Secret web-cert, Service web';
    const summary = (env: Env, over: Partial<Located> = {}): string => {
      const found = results(over, env);
      expect(found).to.have.length(1);
      return textOf(found[0]!);
    };
    expect(summary({})).to.equal(`ok: ${COMPLETE}: ${objects}, 1 caBundle target`);
    expect(summary({}, { pod })).to.equal(`ok: ${COMPLETE}: ${objects}, 1 caBundle target; as Pod web-0 says`);
    expect(summary({ CA_BUNDLE_TARGETS: '' })).to.equal(`ok: ${COMPLETE}: ${objects}, no caBundle target`);
    expect(summary({ CA_BUNDLE_TARGETS: 'apiservice/a,apiservice/b' })).to.equal(
      `ok: ${COMPLETE}: ${objects}, 2 caBundle targets`,
    );
    expect(summary({ CERT_ISSUER: 'external' })).to.equal(
      `ok: ${COMPLETE}: ${objects}, 1 caBundle target, certificates from an external issuer`,
    );
    expect(summary({ CERT_ISSUER: 'relay', SOURCE_SECRET: 'issued' })).to.equal(
      `ok: ${COMPLETE}: ${objects}, 1 caBundle target, certificates from Secret issued`,
    );
  });

  it('fails where several installations could be meant, and names how to select each', () => {
    const candidates = [
      { lease: 'one', selector: 'app=one' },
      { lease: 'two', selector: 'app=two' },
    ];
    expect(rest({ candidates })).to.deep.equal([
      {
        name: 'one installation is meant',
        status: 'fail',
        detail:
          'POD_SELECTOR=app.kubernetes.io/name=web matches no Pod of hooks, which has the installations one (POD_SELECTOR=app=one), two (POD_SELECTOR=app=two): select one',
        remedy: PODS,
      },
    ]);
  });

  it('warns of each setting on which this command was told something else than the Pods say', () => {
    const differences = [
      { field: 'leaseName', own: 'other', pods: 'web' },
      { field: 'leaseDurationMs', own: 45_000, pods: 30_000 },
    ] as const;
    expect(rest({ pod, differences })).to.deep.equal([
      {
        name: 'LEASE_NAME is that of the replicas',
        status: 'warn',
        detail: 'your Pods say LEASE_NAME=web, and this command was told other: it goes by the Pods',
        remedy: SHOW,
      },
      {
        name: 'LEASE_DURATION is that of the replicas',
        status: 'warn',
        detail: 'your Pods say LEASE_DURATION=30s, and this command was told 45s: it goes by the Pods',
        remedy: SHOW,
      },
    ]);
    expect(rest({ differences })).to.deep.equal([]);
  });

  it('fails where a replica cannot read its settings, and names all problems', () => {
    const broken = { pod: 'web-0', problems: ['LEASE_DURATION="soon": expected a duration', 'POD_NAME=""'] };
    expect(rest({ broken })).to.deep.equal([
      {
        name: 'replica web-0 can read its settings',
        status: 'fail',
        detail: 'LEASE_DURATION="soon": expected a duration; POD_NAME=""',
        remedy: SHOW,
      },
    ]);
  });

  it('warns where two replicas have different settings, as during a rollout', () => {
    const differences = [
      { field: 'secretName', own: 'web-cert', pods: 'old-cert' },
      { field: 'kubeletNudge', own: true, pods: false },
    ] as const;
    const disagreement = { pod: 'web-1', differences };
    expect(rest({ pod, disagreement })).to.deep.equal([
      {
        name: 'replicas have the same settings',
        status: 'warn',
        detail: 'web-1 says SECRET_NAME=old-cert, KUBELET_NUDGE=false, and web-0 says otherwise; a rollout ends that',
        remedy: PODS,
      },
    ]);
    expect(rest({ disagreement })).to.deep.equal([]);
  });

  it('fails where POD_SELECTOR does not match the Pod that says it, and tells its labels', () => {
    const name = 'POD_SELECTOR matches the replicas';
    const judged = (isSelected: boolean, of: PodSpec | null = pod) => rest({ pod: of, isSelected });
    expect(judged(false)).to.deep.equal([
      {
        name,
        status: 'fail',
        detail:
          'POD_SELECTOR=app.kubernetes.io/name=web does not match Pod web-0, whose labels are app=web, tier=back: its acknowledgements do not count',
        remedy: PODS,
      },
    ]);
    expect(resultNamed(judged(false, podSpecOf({})), name).detail).to.include('whose labels are none: ');
    expect(judged(true)).to.deep.equal([]);
    expect(judged(false, null)).to.deep.equal([]);
  });

  it('says which settings it does not know, of those that it depends on', () => {
    const unread = new Map(settings.map(([field]) => [field, 'Secret hidden'])) as Located['unread'];
    expect(rest({ unread }).map(textOf)).to.have.members(
      ['LEASE_NAME', 'SECRET_NAME', 'SERVICE_NAME', 'ANNOTATION_PREFIX', 'CA_BUNDLE_TARGETS', 'POD_SELECTOR'].map(
        (name) => `skipped: ${name} of the replicas is known: Secret hidden has it, which is not read`,
      ),
    );
  });
});
