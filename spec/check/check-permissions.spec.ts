import { expect } from 'chai';
import type { Access } from '../../src/check/access.ts';
import { checkPermissions } from '../../src/check/check-permissions.ts';
import { inspectTarget } from '../../src/check/inspect-target.ts';
import type { CheckResult } from '../../src/check/result.ts';
import { accessWithout, forbidden, type Given, podOf, resultNamed, snapshotOf, textOf, there } from './snapshot-of.ts';

const ACCOUNT = 'ServiceAccount hooks/web';
const REVIEWED = `ok: permissions are reviewed: for ${ACCOUNT}`;
const LEASES = 'may get, list, watch, patch leases "web"';

describe('check of the permissions', () => {
  const results = (access: readonly Access[], given: Given = {}): readonly CheckResult[] =>
    checkPermissions(snapshotOf({ access, ...given }));
  const texts = (...given: Parameters<typeof results>): readonly string[] => results(...given).map(textOf);
  const podsOf = (...accounts: readonly (string | undefined)[]) =>
    there(accounts.map((serviceAccountName, at) => podOf(`web-${at}`, { spec: { serviceAccountName } })));

  it('lists each permission that the replicas have, with the objects that it is for', () => {
    expect(texts([accessWithout({})])).to.deep.equal([
      REVIEWED,
      `ok: ${LEASES}: `,
      'ok: may create leases: ',
      'ok: may get, list, watch, patch secrets "web-cert" "web-cert-ca": ',
      'ok: may create secrets: ',
      'ok: may list, watch pods: ',
      'ok: may patch pods/status: ',
      'ok: may create, patch events: ',
      'ok: may get, list, watch, patch validatingwebhookconfigurations "web.hooks": ',
    ]);
  });

  it('says for each permission what of it is denied, to whom and where, and grants it', () => {
    const found = results([accessWithout({ secrets: ['get', 'patch'], validatingwebhookconfigurations: ['list'] })]);
    const [secrets, ...more] = found.filter(({ status }) => status !== 'ok');
    expect(secrets).to.include({
      name: 'may get, list, watch, patch secrets "web-cert" "web-cert-ca"',
      status: 'fail',
      detail: `${ACCOUNT} may not get, patch secrets "web-cert", "web-cert-ca" in namespace hooks`,
    });
    expect(secrets?.remedy).to.match(/^kubectl create role webhook-certd-get-patch-secrets-hooks-web /);
    expect(more.map(({ detail }) => detail)).to.deep.equal([
      `${ACCOUNT} may not list validatingwebhookconfigurations "web.hooks" at the cluster scope`,
    ]);
    expect(more[0]?.remedy).to.match(/^kubectl create clusterrole /);
  });

  it('names no object where RBAC can name none', () => {
    expect(resultNamed(results([accessWithout({ pods: ['watch'] })]), 'may list, watch pods').detail).to.equal(
      `${ACCOUNT} may not watch pods in namespace hooks`,
    );
  });

  it('only warns of a permission that replicas can do without', () => {
    const found = results([accessWithout({ 'pods/status': ['patch'], events: ['create'] })]);
    expect(found.filter(({ status }) => status === 'warn').map(({ name }) => name)).to.deep.equal([
      'may patch pods/status',
      'may create, patch events',
    ]);
    expect(found.map(({ status }) => status)).not.to.include('fail');
  });

  it('does not ask for the annotations of Pods where replicas are told to write none', () => {
    const names = results([accessWithout({})], { env: { KUBELET_NUDGE: 'false' } }).map(({ name }) => name);
    expect(names).to.include('may list, watch pods').and.not.include('may patch pods/status');
  });

  it('names a user that is no account as it is, and one without a name by what it does', () => {
    const lacking = (user: string | null): readonly CheckResult[] =>
      results([accessWithout({ pods: ['list'] }, { user })]);
    const named = (user: string | null): string => resultNamed(lacking(user), 'may list, watch pods').detail;
    expect(named('ann')).to.equal('ann may not list pods in namespace hooks');
    expect(named('system:node:a:b')).to.equal('system:node:a:b may not list pods in namespace hooks');
    expect(named('system:serviceaccount:hooks')).to.equal(
      'system:serviceaccount:hooks may not list pods in namespace hooks',
    );
    expect(named(null)).to.equal('the user of this check may not list pods in namespace hooks');
    expect(lacking('ann')[0]).to.include({ name: 'permissions are reviewed', detail: 'for ann' });
    expect(lacking(null)[0]?.name).to.equal(LEASES);
  });

  it('judges each account of the replicas', () => {
    const user = 'system:serviceaccount:hooks:other';
    const access = [accessWithout({}), accessWithout({ pods: ['list'] }, { user })];
    const found = results(access, { pods: podsOf('web', 'other') });
    expect(found.filter(({ name }) => name === 'permissions are reviewed').map(({ detail }) => detail)).to.deep.equal([
      `for ${ACCOUNT}`,
      'for ServiceAccount hooks/other',
    ]);
    expect(found.filter(({ status }) => status === 'fail')).to.have.length(1);
  });

  it('does not take the permissions of the user of the check for those of the replicas', () => {
    const access = [accessWithout({}, { user: 'ann' })];
    const nothing = 'skipped: replicas have their permissions: ann may not review the permissions of';
    expect(texts(access, { pods: podsOf('web', 'web', undefined) })).to.deep.equal([`${nothing} ${ACCOUNT}`]);
    expect(texts(access, { pods: podsOf('web', 'other') })).to.deep.equal([
      `${nothing} ${ACCOUNT}, ServiceAccount hooks/other`,
    ]);
  });

  it('judges the user of the check where that runs in a replica, or the account of the replicas is unknown', () => {
    const access = [accessWithout({}, { user: 'ann' })];
    for (const given of [
      { pods: podsOf('web'), inReplica: true },
      { pods: podsOf(undefined) },
      { pods: there([]) },
      { pods: forbidden },
    ])
      expect(texts(access, given)[0]).to.equal('ok: permissions are reviewed: for ann');
    expect(texts([accessWithout({}, { user: null })], { pods: podsOf('web') })[0]).to.equal(`ok: ${LEASES}: `);
  });

  describe('that cannot be reviewed', () => {
    const name = 'permissions can be reviewed';

    it('fails, says why, and lists what the user of the check may do', () => {
      expect(results([], { accessProblem: 'no such review' })).to.deep.equal([
        { name, status: 'fail', detail: 'no such review', remedy: 'kubectl auth can-i --list -n hooks' },
      ]);
    });

    it('confines the webhook that stands in the way', () => {
      const [path] = snapshotOf().paths.targets;
      const webhooks = [{ name: 'all', clientConfig: {}, rules: [{ resources: ['*'] }] }];
      const read = inspectTarget('validatingwebhookconfiguration');
      const object = there(read({ metadata: { resourceVersion: '1' }, webhooks }));
      const [result] = results([], {
        accessProblem: 'failed calling webhook "all": refused',
        targets: [{ path: path!, object, write: { state: 'unknown' } }],
      });
      expect(result?.remedy).to.match(/^kubectl patch validatingwebhookconfiguration web\.hooks .*"Namespaced"/);
    });
  });
});
