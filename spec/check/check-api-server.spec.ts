import { expect } from 'chai';
import { checkApiServer } from '../../src/check/check-api-server.ts';
import type { CheckResult } from '../../src/check/result.ts';
import {
  absent,
  forbidden,
  type Given,
  leaseInfoOf,
  podOf,
  resultNamed,
  snapshotOf,
  textOf,
  there,
} from './snapshot-of.ts';

const HERE = "this machine's clock is right";
const LEADER = "the leader's clock is right";
const SET = "sudo sh -c 'chronyc -a makestep || timedatectl set-ntp true'";
const setOn = (node: string): string =>
  `kubectl debug node/${node} -it --image=busybox --profile=sysadmin -- chroot /host sh -c 'chronyc -a makestep || timedatectl set-ntp true'`;

describe('check of the API server', () => {
  const results = (given: Given = {}): readonly CheckResult[] => checkApiServer(snapshotOf(given));

  it('names it and its version, and finds nothing wrong where a watch opens and the clocks agree', () => {
    expect(results().map(textOf)).to.deep.equal([
      'ok: API server answers: https://10.0.0.1:6443, v1.33.0',
      'ok: Lease can be watched: a watch opens',
      `ok: ${HERE}: to the second`,
      `ok: ${LEADER}: to the second`,
    ]);
  });

  it('fails where the Lease cannot be watched, and tries it with kubectl', () => {
    expect(results({ watchProblem: 'it ended before it opened' })[1]).to.deep.equal({
      name: 'Lease can be watched',
      status: 'fail',
      detail: 'it ended before it opened',
      remedy:
        "kubectl get --raw '/apis/coordination.k8s.io/v1/namespaces/hooks/leases?watch=true&timeoutSeconds=5&fieldSelector=metadata.name%3Dweb'",
    });
  });

  describe('finds this clock', () => {
    const clock = (skewMs: number | null, given: Given = {}): CheckResult =>
      resultNamed(results({ ...given, skewMs }), HERE);

    it('right within half a minute, since the API server tells whole seconds', () => {
      for (const [skewMs, detail] of [
        [1_999, 'to the second'],
        [-1_999, 'to the second'],
        [2_000, '2 s apart'],
        [-2_000, '2 s apart'],
        [30_000, '30 s apart'],
        [-30_000, '30 s apart'],
      ] as const)
        expect(textOf(clock(skewMs)), String(skewMs)).to.equal(`ok: ${HERE}: ${detail}`);
    });

    it('suspicious from then on, wrong from five minutes, and says in which direction', () => {
      for (const [skewMs, status, detail] of [
        [30_001, 'warn', "it is 30 s behind the API server's"],
        [-30_001, 'warn', "it is 30 s ahead of the API server's"],
        [300_000, 'warn', "it is 5 min behind the API server's"],
        [-300_000, 'warn', "it is 5 min ahead of the API server's"],
        [300_001, 'fail', "it is 5 min behind the API server's"],
        [-300_001, 'fail', "it is 5 min ahead of the API server's"],
      ] as const)
        expect(clock(skewMs), String(skewMs)).to.deep.equal({ name: HERE, status, detail, remedy: SET });
    });

    it('unknown where the API server does not tell its own', () => {
      expect(textOf(clock(null))).to.equal(`skipped: ${HERE}: the API server sent no Date header`);
    });

    it('set on its node where the check runs in a replica', () => {
      const pods = there([podOf('web-0'), podOf('web-1', { spec: { nodeName: 'second' } })]);
      const remedy = (POD_NAME: string, given: Given = {}) =>
        clock(60_000, { pods, inReplica: true, env: { POD_NAME }, ...given }).remedy;
      expect(remedy('web-1')).to.equal(setOn('second'));
      expect(remedy('other')).to.equal(SET);
      expect(remedy('web-1', { inReplica: false })).to.equal(SET);
      expect(remedy('web-1', { pods: forbidden })).to.equal(SET);
      expect(remedy('web-1', { pods: there([podOf('web-1', { spec: { nodeName: undefined } })]) })).to.equal(SET);
    });
  });

  describe('finds the clock of the leader', () => {
    const clock = (holderSkewMs: number | null, given: Given = {}): CheckResult =>
      resultNamed(results({ renewal: { renewed: true, watchedMs: 0, holderSkewMs }, ...given }), LEADER);

    it('ahead where it is ahead, and is set on the node of the holder', () => {
      const pods = there([podOf('web-1', { spec: { nodeName: 'second' } }), podOf('web-0')]);
      expect(clock(60_000, { pods })).to.deep.equal({
        name: LEADER,
        status: 'warn',
        detail: "it is 60 s ahead of the API server's",
        remedy: setOn('node'),
      });
      expect(clock(-400_000, { pods, lease: there(leaseInfoOf({ holder: 'web-1' })) })).to.deep.equal({
        name: LEADER,
        status: 'fail',
        detail: "it is 6 min behind the API server's",
        remedy: setOn('second'),
      });
    });

    it('wrong on a machine that is not known: the Lease is shown, which names it, and the clock here is left alone', () => {
      const stranger = { lease: there(leaseInfoOf({ holder: 'desk' })) };
      for (const given of [
        { lease: absent },
        { lease: there(leaseInfoOf({ holder: null })) },
        { pods: forbidden },
        stranger,
      ])
        expect(clock(60_000, given).remedy).to.equal('kubectl describe lease web -n hooks');
    });

    it('set on the node of a holder that appends a UUID to the name of its Pod', () => {
      expect(clock(60_000, { lease: there(leaseInfoOf({ holder: 'web-0_4f1d' })) }).remedy).to.equal(setOn('node'));
    });

    it('unknown without a renewal', () => {
      expect(textOf(clock(null))).to.equal(`skipped: ${LEADER}: no renewal was observed to read it from`);
    });
  });
});
