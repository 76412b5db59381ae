import { expect } from 'chai';
import { checkLease } from '../../src/check/check-lease.ts';
import type { CheckResult } from '../../src/check/result.ts';
import type { LeaseInfo } from '../../src/check/snapshot.ts';
import {
  absent,
  ANNOUNCED,
  failed,
  forbidden,
  type Given,
  leaseInfoOf,
  NOW_MS,
  podOf,
  resultNamed,
  snapshotOf,
  textOf,
  there,
  unreadableResults,
} from './snapshot-of.ts';

const LOGS = 'kubectl logs -n hooks -l app.kubernetes.io/name=web --all-containers --prefix --tail=50';
const DESCRIBE = 'kubectl describe lease web -n hooks';

describe('check of the Lease', () => {
  const results = (lease: Partial<LeaseInfo> = {}, given: Given = {}): readonly CheckResult[] =>
    checkLease(snapshotOf({ lease: there(leaseInfoOf(lease)), ...given }));
  const stale = (renewed = false) => ({ renewal: { renewed, watchedMs: 75_000, holderSkewMs: null } });

  it('finds nothing wrong where a replica holds it, renews it and announces', () => {
    const announcement = { hash: ANNOUNCED, validUntil: '2030-12-31T00:00:00Z' };
    expect(results({ announcement }).map(textOf)).to.deep.equal([
      'ok: Lease exists: web',
      'ok: Lease is held by a replica: web-0',
      'ok: Lease is renewed: observed within 2 s, its duration is 60 s',
      'ok: Lease announces a certificate: aaaaaaaaaaaa, until 2030-12-31T00:00Z, 364 d left',
    ]);
  });

  it('says nothing more of one that does not exist than that no replica has led, and shows the log of the replicas', () => {
    expect(checkLease(snapshotOf({ lease: absent }))).to.deep.equal([
      {
        name: 'Lease exists',
        status: 'fail',
        detail: 'there is no Lease web in hooks: no replica has ever led',
        remedy: LOGS,
      },
    ]);
  });

  it('says nothing more of one that cannot be read than why', () => {
    const path = '/apis/coordination.k8s.io/v1/namespaces/hooks/leases/web';
    const told = [forbidden, failed].map((lease) => checkLease(snapshotOf({ lease })));
    expect(told).to.deep.equal(unreadableResults('Lease exists', path));
  });

  describe('of its holder', () => {
    const NAME = 'Lease is held by a replica';
    const held = (...given: Parameters<typeof results>): CheckResult => resultNamed(results(...given), NAME);

    it('counts an elector of client-go, which appends a UUID to the name of its Pod', () => {
      expect(held({ holder: 'web-0_4f1d' })).to.include({ status: 'ok', detail: 'web-0_4f1d' });
      expect(held({ holder: 'web-01' }).status).to.equal('warn');
    });

    it('counts any of several replicas, and does not judge it where the Pods cannot be read', () => {
      const pods = there([podOf('web-0'), podOf('web-1')]);
      expect(held({ holder: 'web-1' }, { pods })).to.include({ status: 'ok', detail: 'web-1' });
      expect(held({ holder: 'other' }, { pods: forbidden })).to.include({ status: 'ok', detail: 'other' });
    });

    it('fails without one', () => {
      const detail = 'it has no holder, so nothing is issued or renewed';
      expect(held({ holder: null })).to.deep.equal({ name: NAME, status: 'fail', detail, remedy: LOGS });
    });

    it('says that no replica may lead where that is why there is none', () => {
      const pod = podOf('web-0', { env: { LEADER_ELECTION: 'false' } });
      const { status, detail, remedy } = held({ holder: null }, { pods: there([pod]) });
      expect(status).to.equal('fail');
      expect(detail).to.equal(
        'it has no holder: every replica has LEADER_ELECTION=false, so nothing is issued or renewed',
      );
      expect(remedy).to.match(/ LEADER_ELECTION=true$/);
    });

    it('does not blame the settings of Pods that are gone', () => {
      const metadata = { name: 'web-1', deletionTimestamp: new Date(NOW_MS - 1_000).toISOString() };
      const gone = podOf('web-1', { metadata, env: { LEADER_ELECTION: 'false' } });
      expect(held({ holder: null }, { pods: there([gone]) }).detail).to.equal(
        'it has no holder, so nothing is issued or renewed',
      );
    });

    it('warns of a stranger that renews and announces, as one at a desk does, and shows the Lease', () => {
      expect(held({ holder: 'desk-7' })).to.deep.equal({
        name: NAME,
        status: 'warn',
        detail:
          'its holder desk-7 is not a Pod of app.kubernetes.io/name=web: while another program holds LEASE_NAME, no replica issues or announces',
        remedy: DESCRIBE,
      });
    });

    it('fails where a stranger keeps it and announces nothing, and says which program wrote that', () => {
      expect(held({ holder: 'desk-7', announcement: null, electedBy: 'rival' })).to.deep.equal({
        name: NAME,
        status: 'fail',
        detail:
          'its holder desk-7 is not a Pod of app.kubernetes.io/name=web, and field manager rival wrote that: while another program holds LEASE_NAME, no replica issues or announces',
        remedy: DESCRIBE,
      });
    });

    it('fails where a stranger no longer renews it, and shows the log of the replicas, which should take it over', () => {
      expect(held({ holder: 'desk-7' }, stale())).to.deep.equal({
        name: NAME,
        status: 'fail',
        detail: 'its holder desk-7 is not a Pod of app.kubernetes.io/name=web, and does not renew it',
        remedy: LOGS,
      });
    });

    it('tells the labels of a stranger that is a Pod, by which POD_SELECTOR would match it', () => {
      const detailOf = (labels: Readonly<Record<string, string>>) =>
        held({ holder: 'other' }, { stranger: { labels } });
      expect(detailOf({ app: 'other', tier: 'web' }).detail).to.match(
        /^its holder other is a Pod that POD_SELECTOR=app\.kubernetes\.io\/name=web does not match; its labels are app=other, tier=web: /,
      );
      expect(detailOf({}).detail).to.include('; its labels are none: ');
    });
  });

  describe('of its renewal', () => {
    const NAME = 'Lease is renewed';
    const renewed = (lease: Partial<LeaseInfo>): CheckResult => resultNamed(results(lease, stale()), NAME);

    it('fails without one, and says when the last one was by the clock of the holder', () => {
      expect(renewed({ renewTime: '2029-12-31T23:00:00.123456Z' })).to.deep.equal({
        name: NAME,
        status: 'fail',
        detail: "no renewal in 75 s, last at 2029-12-31T23:00:00Z by web-0's clock; its duration is 60 s",
        remedy: LOGS,
      });
      expect(renewed({ renewTime: null }).detail).to.equal('no renewal in 75 s, never renewed; its duration is 60 s');
    });

    it('is not asked for without a holder, which is reported by itself', () => {
      expect(textOf(renewed({ holder: null }))).to.equal(`skipped: ${NAME}: it has no holder`);
    });
  });

  describe('of its announcement', () => {
    const NAME = 'Lease announces a certificate';
    const announced = (lease: Partial<LeaseInfo>, given: Given = {}): CheckResult =>
      resultNamed(results({ announcement: null, ...lease }, given), NAME);
    const annotations = {
      'webhook-certd/cert-ready': 'no',
      'webhook-certd/cert-hash': "it's",
      'other/cert-hash': 'theirs',
    };
    const malformed = 'cert-ready is not "true"';

    it('says that one has expired', () => {
      const announcement = { hash: ANNOUNCED, validUntil: '2029-12-30T00:00:00Z' };
      expect(textOf(announced({ announcement }))).to.equal(
        `ok: ${NAME}: aaaaaaaaaaaa, expired at 2029-12-30T00:00Z, 2 d ago`,
      );
    });

    it('fails without one, and shows the log of the replicas', () => {
      const detail = 'no certificate has been announced';
      expect(announced({})).to.deep.equal({ name: NAME, status: 'fail', detail, remedy: LOGS });
    });

    it('removes a malformed one, so that the leader announces again, unless it has changed meanwhile', () => {
      const { status, detail, remedy } = announced({ malformed, annotations });
      expect([status, detail]).to.deep.equal(['fail', 'the announcement is malformed: cert-ready is not "true"']);
      const operations = [
        { op: 'test', path: '/metadata/annotations/webhook-certd~1cert-ready', value: 'no' },
        { op: 'remove', path: '/metadata/annotations/webhook-certd~1cert-ready' },
        { op: 'test', path: '/metadata/annotations/webhook-certd~1cert-hash', value: "it's" },
        { op: 'remove', path: '/metadata/annotations/webhook-certd~1cert-hash' },
      ];
      const patch = JSON.stringify(operations).replaceAll("'", String.raw`'\''`);
      expect(remedy).to.equal(`kubectl patch lease web -n hooks --type=json -p '${patch}'`);
    });

    it('removes all three annotations of it', () => {
      const all = Object.fromEntries(
        ['ready', 'hash', 'valid-until'].map((key) => [`webhook-certd/cert-${key}`, 'bad']),
      );
      const { remedy } = announced({ malformed, annotations: all });
      expect(remedy?.match(/"remove"/g)).to.have.length(3);
      expect(remedy).to.include('"path":"/metadata/annotations/webhook-certd~1cert-valid-until"');
    });

    it('shows a malformed one that is under another prefix, since it belongs to other replicas', () => {
      expect(announced({ malformed, annotations: { 'other/cert-hash': 'theirs' } }).remedy).to.equal(DESCRIBE);
    });

    it('leaves a malformed one where there is no leader to announce again, and shows the log of the replicas', () => {
      expect(announced({ malformed, annotations }, stale()).remedy).to.equal(LOGS);
    });

    describe('under the prefix that ANNOTATION_PREFIX had before', () => {
      const changed =
        'ANNOTATION_PREFIX is webhook-certd, but the Lease carries an announcement under kubetemplater.io';
      const set = (workload: string) => `kubectl set env ${workload} -n hooks ANNOTATION_PREFIX=kubetemplater.io`;
      const saying = (...names: readonly string[]): Given => {
        const { config, located } = snapshotOf();
        return { located: { ...located, byPod: new Map(names.map((name) => [name, config])) } };
      };

      it('changes it back in the workload whose Pods have it from there', () => {
        expect(announced({ malformed: changed }, saying('web-0'))).to.deep.equal({
          name: NAME,
          status: 'fail',
          detail: changed,
          remedy: set('deployment/web'),
        });
      });

      it('passes over Pods that do not say it, and those without a workload to change', () => {
        const pods = there([
          podOf('web-0', { owner: 'StatefulSet' }),
          podOf('web-1', { owner: 'Job' }),
          podOf('web-2'),
        ]);
        expect(announced({ malformed: changed }, { ...saying('web-1', 'web-2'), pods }).remedy).to.equal(
          set('deployment/web'),
        );
      });

      it('shows the Lease where no Pod says it: what the check was told is more likely to be wrong', () => {
        expect(announced({ malformed: changed }).remedy).to.equal(DESCRIBE);
      });

      it('is not taken for that where a text only mentions it', () => {
        for (const text of [`${changed} and more`, `it says that ${changed}`, 'ANNOTATION_PREFIX is bad'])
          expect(announced({ malformed: text }, saying('web-0')).detail, text).to.equal(
            `the announcement is malformed: ${text}`,
          );
      });
    });
  });
});
