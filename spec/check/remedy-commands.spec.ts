import { expect } from 'chai';
import { inspectTarget } from '../../src/check/inspect-target.ts';
import {
  allowWrite,
  confineToNamespaces,
  grantAccess,
  inspectLeader,
  neverLeading,
  replaceNames,
  replacePair,
  requestRotation,
} from '../../src/check/remedies.ts';
import type { TargetSnapshot } from '../../src/check/snapshot.ts';
import { targetPath, type TargetType } from '../../src/cluster/targets.ts';
import {
  absent,
  accessWithout,
  caInfoOf,
  failed,
  type Given,
  podOf,
  secretInfoOf,
  snapshotOf,
  there,
} from './snapshot-of.ts';

const EXTERNAL = { CERT_ISSUER: 'external' };
const RELAY = { CERT_ISSUER: 'relay', SOURCE_SECRET: 'issued' };
const LOGS = 'kubectl logs -n hooks -l app.kubernetes.io/name=web --all-containers --prefix --tail=50';
const DELETE =
  `echo '{"apiVersion":"v1","kind":"DeleteOptions","preconditions":{"resourceVersion":"7"}}' | ` +
  'kubectl delete --raw /api/v1/namespaces/hooks/secrets/web-cert -f -';

const targetOf = (
  type: TargetType,
  object: TargetSnapshot['object'],
  write: TargetSnapshot['write'],
): TargetSnapshot => ({
  path: { id: `${type}/all`, type, name: 'all', collection: targetPath(type), path: `${targetPath(type)}/all` },
  object,
  write,
});

describe('the command of check', () => {
  describe('that grants a permission', () => {
    const granted = (lacking: Readonly<Record<string, readonly string[]>>, user?: string | null): string => {
      const { denials, ...access } = accessWithout(lacking, user === undefined ? {} : { user });
      const [first] = denials;
      if (first === undefined) throw new Error('nothing is denied');
      const { permission } = first;
      const ofIt = denials.filter((each) => each.permission === permission);
      return grantAccess(access, permission, ofIt);
    };

    it('makes a role for the verbs and names that are denied, each once, and binds it to the account', () => {
      expect(granted({ secrets: ['get', 'patch'] })).to.equal(
        'kubectl create role webhook-certd-get-patch-secrets-hooks-web -n hooks --verb=get,patch --resource=secrets ' +
          '--resource-name=web-cert --resource-name=web-cert-ca && ' +
          'kubectl create rolebinding webhook-certd-get-patch-secrets-hooks-web -n hooks ' +
          '--role=webhook-certd-get-patch-secrets-hooks-web --serviceaccount=hooks:web',
      );
    });

    it('names the API group of what is not in the core one, and no object where none can be named', () => {
      expect(granted({ events: ['create'] })).to.include(' --resource=events && ');
      expect(granted({ leases: ['create'] })).to.match(/ --resource=leases\.coordination\.k8s\.io && /);
    });

    it('makes a ClusterRole for what is in no namespace', () => {
      const role = 'webhook-certd-list-validatingwebhookconfigurations-hooks-web';
      expect(granted({ validatingwebhookconfigurations: ['list'] })).to.equal(
        `kubectl create clusterrole ${role} --verb=list ` +
          '--resource=validatingwebhookconfigurations.admissionregistration.k8s.io --resource-name=web.hooks && ' +
          `kubectl create clusterrolebinding ${role} --clusterrole=${role} --serviceaccount=hooks:web`,
      );
    });

    it('binds it to a user who is no account, by a name that the shell keeps whole', () => {
      const role = 'webhook-certd-patch-pods-status';
      for (const [user, subject] of [
        ['ann', '--user=ann'],
        ["o'neil", String.raw`--user='o'\''neil'`],
        ['system:node:a:b', '--user=system:node:a:b'],
        ['system:serviceaccount:hooks', '--user=system:serviceaccount:hooks'],
      ] as const)
        expect(granted({ 'pods/status': ['patch'] }, user)).to.equal(
          `kubectl create role ${role} -n hooks --verb=patch --resource=pods/status && ` +
            `kubectl create rolebinding ${role} -n hooks --role=${role} ${subject}`,
        );
    });

    it('lists what an unnamed user may do, in the namespace where it matters', () => {
      expect(granted({ leases: ['get'] }, null)).to.equal('kubectl auth can-i --list -n hooks');
      expect(granted({ validatingwebhookconfigurations: ['get'] }, null)).to.equal('kubectl auth can-i --list');
    });
  });

  describe('for a leader that does not do its work', () => {
    const remedy = (given: Given): string => inspectLeader(snapshotOf(given));
    const lacking = (...given: Parameters<typeof accessWithout>): Given => ({ access: [accessWithout(...given)] });
    const created = { lease: absent, secret: absent, ca: absent };

    it('shows the log of its replicas', () => {
      expect(remedy({})).to.equal(LOGS);
    });

    it('grants the first permission that it lacks, with all its verbs, and nothing of another one', () => {
      const first = remedy(lacking({ secrets: ['get', 'list'], pods: ['watch'] }));
      expect(first).to.match(/^kubectl create role webhook-certd-get-list-secrets-hooks-web /);
    });

    it('grants what the first account lacks that lacks something', () => {
      const access = [accessWithout({}), accessWithout({ pods: ['list'] }, { user: 'ann' })];
      expect(remedy({ access })).to.match(/^kubectl create role webhook-certd-list-pods -n hooks .* --user=ann$/);
    });

    it('passes over permissions that it can do without', () => {
      expect(remedy(lacking({ 'pods/status': ['patch'], events: ['create', 'patch'] }))).to.equal(LOGS);
    });

    it('grants to create an object only where that does not exist', () => {
      const there3 = { secret: there(secretInfoOf()), ca: there(caInfoOf()) };
      const withoutCreate = (resource: string, given: Given): boolean =>
        remedy({ ...lacking({ [resource]: ['create'] }), ...there3, ...given }) !== LOGS;
      expect(withoutCreate('leases', {})).to.equal(false);
      expect(withoutCreate('leases', { ...created, lease: failed })).to.equal(false);
      expect(withoutCreate('leases', { lease: absent })).to.equal(true);
      expect(withoutCreate('secrets', { lease: absent })).to.equal(false);
      expect(withoutCreate('secrets', { secret: absent })).to.equal(true);
      expect(withoutCreate('secrets', { ca: absent })).to.equal(true);
    });

    describe('where none may lead', () => {
      const NEVER = { env: { LEADER_ELECTION: 'false' } };
      const set = (workload: string): string =>
        `kubectl set env ${workload} -n hooks --list | grep -qx LEADER_ELECTION=false && ` +
        `kubectl set env ${workload} -n hooks LEADER_ELECTION=true`;

      it('lets the replicas lead, if their workload still says that they must not', () => {
        expect(remedy({ pods: there([podOf('web-0', NEVER), podOf('web-1', NEVER)]) })).to.equal(set('deployment/web'));
        expect(remedy({ pods: there([podOf('web-0', { ...NEVER, owner: 'StatefulSet' })]) })).to.equal(
          set('statefulset/web'),
        );
      });

      it('shows a Pod that no workload has made', () => {
        expect(remedy({ pods: there([podOf('web-0', { ...NEVER, owner: null })]) })).to.equal(
          'kubectl get pod web-0 -n hooks -o yaml',
        );
      });

      it('shows a Pod that has the setting from elsewhere than a variable', () => {
        const { config, located } = snapshotOf({ env: { LEADER_ELECTION: 'false' } });
        const byPod = new Map([['web-0', config]]);
        expect(remedy({ located: { ...located, byPod } })).to.equal('kubectl get pod web-0 -n hooks -o yaml');
      });

      it('is for that only where all of at least one are told so', () => {
        const none = (...pods: Parameters<typeof podOf>[1][]) =>
          neverLeading(snapshotOf({ pods: there(pods.map((pod, at) => podOf(`web-${at}`, pod))) }))?.name ?? null;
        expect(none()).to.equal(null);
        expect(none(NEVER, {})).to.equal(null);
        expect(none({ env: { LEADER_ELECTION: 'true' } })).to.equal(null);
        expect(none({ env: { OTHER: 'false' } })).to.equal(null);
        expect(none(NEVER, NEVER)).to.equal('web-0');
        const containers = [
          { name: 'beside' },
          { name: 'webhook', env: [{ name: 'LEADER_ELECTION', value: 'false' }] },
        ];
        expect(none({ spec: { containers } })).to.equal('web-0');
        const { config, located } = snapshotOf();
        const byPod = new Map([['web-0', config]]);
        expect(neverLeading(snapshotOf({ located: { ...located, byPod } }))).to.equal(null);
      });

      it('grants what is missing first, without which nobody can lead', () => {
        const pods = there([podOf('web-0', NEVER)]);
        expect(remedy({ ...lacking({ leases: ['patch'] }), pods })).to.match(/^kubectl create role /);
      });
    });
  });

  describe('that asks for a rotation', () => {
    it('asks a leader that works, and else gets one first', () => {
      const asked = (what: 'leaf' | 'ca', given: Given = {}): string => requestRotation(snapshotOf(given), what);
      const annotate = 'kubectl annotate --overwrite lease web -n hooks webhook-certd/rotate=';
      expect(asked('leaf')).to.equal(`${annotate}leaf`);
      expect(asked('ca')).to.equal(`${annotate}ca`);
      expect(asked('ca', { renewal: { renewed: false, watchedMs: 0, holderSkewMs: null } })).to.equal(LOGS);
      expect(asked('ca', { access: [accessWithout({ secrets: ['patch'] })] })).to.match(/^kubectl create role /);
    });
  });

  describe('for a write of a caBundle that the API server rejects', () => {
    const rejected = (why: string) => ({ state: 'rejected', status: 422, why }) as const;
    const serviceOf = (insecureSkipTLSVerify?: boolean) =>
      there(
        inspectTarget('apiservice')({
          metadata: { resourceVersion: '1' },
          spec: { insecureSkipTLSVerify, service: { name: 'web', namespace: 'hooks' } },
        }),
      );

    it('is none where nothing is rejected', () => {
      for (const write of [{ state: 'accepted' }, { state: 'unknown' }] as const)
        expect(allowWrite(snapshotOf(), targetOf('apiservice', serviceOf(true), write))).to.equal(null);
    });

    it('lets an APIService verify again, which must not have a caBundle otherwise', () => {
      expect(allowWrite(snapshotOf(), targetOf('apiservice', serviceOf(true), rejected('no')))).to.equal(
        `kubectl patch apiservice all --type=json -p '[{"op":"remove","path":"/spec/insecureSkipTLSVerify"}]'`,
      );
    });

    it('shows the object for any other reason', () => {
      const show = 'kubectl get apiservice all -o yaml';
      for (const object of [serviceOf(false), serviceOf(), failed])
        expect(allowWrite(snapshotOf(), targetOf('apiservice', object, rejected('no')))).to.equal(show);
    });

    it('grants exactly the permission that RBAC denies: the verb, the kind and the name', () => {
      const env = {
        CA_BUNDLE_TARGETS:
          'validatingwebhookconfiguration/other,validatingwebhookconfiguration/all,mutatingwebhookconfiguration/all',
      };
      const target = targetOf('validatingwebhookconfiguration', absent, rejected('User "a" cannot patch resource "x"'));
      const command = (lacking: Readonly<Record<string, readonly string[]>>): string | null =>
        allowWrite(snapshotOf({ access: [accessWithout({}), accessWithout(lacking, { env })] }), target);
      expect(command({ validatingwebhookconfigurations: ['patch', 'get'] })).to.match(
        /^kubectl create clusterrole webhook-certd-patch-validatingwebhookconfigurations-hooks-web --verb=patch --resource=validatingwebhookconfigurations\.admissionregistration\.k8s\.io --resource-name=all && /,
      );
      expect(command({ validatingwebhookconfigurations: ['get'] })).to.equal(null);
      expect(command({ mutatingwebhookconfigurations: ['patch'] })).to.equal(null);
    });
  });

  describe('for a webhook that keeps the API server from reviewing permissions', () => {
    const message = 'Internal error: failed calling webhook "second": no endpoints';
    const rule = { operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*'] };
    const configured = (...webhooks: readonly object[]) =>
      targetOf(
        'mutatingwebhookconfiguration',
        there(inspectTarget('mutatingwebhookconfiguration')({ metadata: { resourceVersion: '1' }, webhooks })),
        { state: 'unknown' },
      );
    const confined = (targets: readonly TargetSnapshot[], text = message): string | null =>
      confineToNamespaces(snapshotOf({ targets }), text);
    const first = { name: 'first', clientConfig: {}, rules: [rule] };
    const second = { name: 'second', clientConfig: {}, rules: [rule, rule] };

    it('confines each of its rules to objects in namespaces', () => {
      const unread = targetOf('mutatingwebhookconfiguration', failed, { state: 'unknown' });
      const patch = [0, 1].map((at) => ({ op: 'add', path: `/webhooks/1/rules/${at}/scope`, value: 'Namespaced' }));
      expect(confined([unread, configured(first), configured(first, second)])).to.equal(
        `kubectl patch mutatingwebhookconfiguration all --type=json -p '${JSON.stringify(patch)}'`,
      );
    });

    it('is none where the error names no webhook of a target, or one without rules', () => {
      expect(confined([configured(first)])).to.equal(null);
      expect(confined([])).to.equal(null);
      expect(confined([configured(first, second)], 'Forbidden')).to.equal(null);
      expect(confined([configured({ ...second, rules: [] })])).to.equal(null);
    });
  });

  describe('that gets another pair into the Secret', () => {
    const replaced = (secret: Parameters<typeof secretInfoOf>[0] | null, env: Given['env'] = {}, more: Given = {}) =>
      replacePair(snapshotOf({ env, secret: secret === null ? absent : there(secretInfoOf(secret)), ...more }));
    const setAside = '(umask 077 && kubectl get secret web-cert -n hooks -o yaml > web-cert.backup.yaml) && ' + DELETE;
    const ROTATE = 'kubectl annotate --overwrite lease web -n hooks webhook-certd/rotate=leaf';
    const foreign = { foreign: 'another party wrote it' };
    const issued = { certificateName: 'webhook' };

    it('asks the leader where that issues it, and sets aside one of another party first', () => {
      expect(replaced({})).to.equal(ROTATE);
      expect(replaced(null)).to.equal(ROTATE);
      expect(replaced(foreign)).to.equal(setAside);
      expect(replaced(issued)).to.equal(ROTATE);
    });

    it('leaves it to the leader where that copies it, unless it is one of another party', () => {
      expect(replaced({}, RELAY)).to.equal(LOGS);
      expect(replaced(null, RELAY)).to.equal(LOGS);
      expect(replaced(foreign, RELAY)).to.equal(setAside);
    });

    it('deletes one that cert-manager issues again, if it has not changed meanwhile', () => {
      expect(replaced(issued, EXTERNAL)).to.equal(DELETE);
    });

    const openssl =
      '(umask 077 && openssl req -x509 -newkey rsa:2048 -nodes -keyout tls.key -out tls.crt -days 365 -subj /CN=web ' +
      "-addext 'subjectAltName=DNS:web,DNS:web.hooks,DNS:web.hooks.svc,DNS:web.hooks.svc.cluster.local,DNS:*.example.com') && ";
    const env = { ...EXTERNAL, EXTRA_DNS_NAMES: '*.example.com' };

    it('makes a self-signed one for users without an issuer at hand', () => {
      expect(replaced(null, env)).to.equal(
        `${openssl}kubectl create secret generic web-cert -n hooks --type=kubernetes.io/tls ` +
          '--from-file=tls.crt --from-file=tls.key --from-file=ca.crt=tls.crt',
      );
    });

    it('writes a self-signed one in the place of the one that was read, and of no other', () => {
      const value = (file: string): string => `"'"$(base64 <${file} | tr -d '\\n')"'"`;
      expect(replaced({}, env)).to.equal(
        `${openssl}kubectl patch secret web-cert -n hooks --type=json -p '[` +
          '{"op":"test","path":"/metadata/resourceVersion","value":"7"},' +
          `{"op":"add","path":"/data/tls.crt","value":${value('tls.crt')}},` +
          `{"op":"add","path":"/data/tls.key","value":${value('tls.key')}},` +
          `{"op":"add","path":"/data/ca.crt","value":${value('tls.crt')}}]'`,
      );
    });

    it('changes the names where cert-manager has them from: in its Certificate', () => {
      const names = (secret: Parameters<typeof secretInfoOf>[0] | null, given: Given['env']): string =>
        replaceNames(snapshotOf({ env: given ?? {}, secret: secret === null ? absent : there(secretInfoOf(secret)) }));
      const dnsNames = ['web', 'web.hooks', 'web.hooks.svc', 'web.hooks.svc.cluster.local'];
      expect(names(issued, EXTERNAL)).to.equal(
        `kubectl patch certificate webhook -n hooks --type=merge -p '${JSON.stringify({ spec: { dnsNames } })}'`,
      );
      expect(names(issued, {})).to.equal(ROTATE);
      expect(names({}, EXTERNAL)).to.match(/^\(umask 077 && openssl .* kubectl patch secret /);
      expect(names(null, EXTERNAL)).to.match(/^\(umask 077 && openssl .* kubectl create secret /);
    });
  });
});
