import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { load } from 'js-yaml';
import { checkReplicas } from '../../src/check/check-replicas.ts';
import type { ClusterSnapshot } from '../../src/check/snapshot.ts';
import type { Rule } from '../../src/dev-cluster/users.ts';
import { type ApiUnderTest, startApiUnderTest } from '../support/api-under-test.ts';
import type { MountedPair } from '../support/pki.ts';
import type { Json } from '../support/raw-api.ts';
import { type CheckRun, layOut, type Scene } from './scene.ts';

const caseFile = (...path: readonly string[]): Buffer =>
  readFileSync(join(import.meta.dirname, '..', 'cases', ...path));

type Manifest = Readonly<Record<string, Json>>;
const caseObject = (...path: readonly string[]): Manifest => load(caseFile(...path).toString()) as Manifest;

const EXTERNAL = { CERT_ISSUER: 'external' };
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/** Remedies that replace the pair in the Secret, or inject tls.crt. */
const overwriting = ({ checks }: CheckRun): readonly (string | null)[] =>
  checks.map(({ remedy }) => remedy).filter((remedy) => /create secret|delete secret|tls\\\.crt/.test(remedy ?? ''));

describe('check', function () {
  this.timeout(60_000);
  let api: ApiUnderTest;
  before(async () => {
    api = await startApiUnderTest();
  });
  after(() => api[Symbol.asyncDispose]());

  const expectWritten = async (answer: Promise<{ readonly status: number; readonly text: string }>) => {
    const { status, text } = await answer;
    expect(status, text).to.be.below(300);
  };

  describe('with an external issuer and a flawed ca.crt beside a good pair', () => {
    const flawed: Readonly<Record<string, readonly [string, (trust: Buffer) => Buffer, RegExp]>> = {
      'a byte order mark': [
        'warn',
        (trust) => Buffer.concat([BYTE_ORDER_MARK, trust]),
        /starts with a byte order mark/,
      ],
      'a byte order mark, of another CA': [
        'warn',
        () => caseFile('external-ca-crt-half-readable', 'bom.pem'),
        /starts with a byte order mark/,
      ],
      'one broken block': [
        'warn',
        () => caseFile('external-ca-crt-half-readable', 'one-broken-block.pem'),
        /ca\.crt: PEM block \d/,
      ],
      'no certificate': ['fail', () => Buffer.from('nothing'), /contains no certificate/],
    };
    for (const [flaw, [status, alter, expected]] of Object.entries(flawed))
      it(`names the flaw, ${flaw}, and never offers to overwrite the pair or to inject tls.crt`, async () => {
        const broken = (pair: MountedPair): MountedPair => ({
          ...pair,
          trust: alter(Buffer.from(pair.trust)),
        });
        await using scene = await layOut(api, { env: EXTERNAL, broken });
        const [target] = scene.paths.targets;
        const path = '/webhooks/0/clientConfig/caBundle';
        await api.admin.patch('json', target!.path, [{ op: 'remove', path }]);
        const run = await scene.check();
        const found = run.named('ca.crt is readable');
        expect(found.status).to.equal(status);
        expect(found.detail).to.match(expected);
        expect(run.named(`${target!.id} trusts`).status).to.equal('fail');
        expect(overwriting(run)).to.deep.equal([]);
      });
  });

  describe('of a configuration with a webhook of another Service', () => {
    const [, other] = caseObject('foreign-webhook-in-our-configuration', 'validatingwebhookconfiguration.yaml')[
      'webhooks'
    ] as unknown as readonly Json[];

    const share = async ({ paths }: Scene, added: Json): Promise<void> => {
      const operations = [{ op: 'add', path: '/webhooks/-', value: added }] as unknown as Json;
      await expectWritten(api.admin.patch('json', `${paths.targets[0]!.path}?fieldManager=helm`, operations));
    };

    it('reports it as not of this installation, and leaves it out of the other checks', async () => {
      await using scene = await layOut(api);
      await share(scene, other!);
      const { checks, named } = await scene.check();
      const { id } = scene.paths.targets[0]!;
      expect(named(`${id} calls other servers`)).to.include({
        status: 'skipped',
        detail: 'not of this installation, left unchanged: other-service.other.svc',
      });
      expect(checks.filter(({ status }) => status === 'fail' || status === 'warn')).to.deep.equal([]);
    });

    it('does the same for a webhook that is called by URL', async () => {
      await using scene = await layOut(api);
      const clientConfig = { url: 'https://elsewhere.example.com/hook' };
      await share(scene, { ...(other as object), clientConfig });
      const { named } = await scene.check();
      const { id } = scene.paths.targets[0]!;
      expect(named(`${id} calls other servers`).detail).to.include('https://elsewhere.example.com/hook');
      expect(named(`${id} trusts the serving certificate`).status).to.equal('ok');
    });
  });

  describe('of an immutable Secret', () => {
    for (const which of ['secret', 'ca'] as const)
      it(`says that SECRET_NAME${which === 'ca' ? '-ca' : ''} is immutable, and recreates it with its data`, async () => {
        await using scene = await layOut(api);
        const { immutable } = caseObject('failed-write-is-never-spaced-out', 'secret.yaml');
        const { path, name } = scene.paths[which];
        await expectWritten(api.admin.patch('merge', path, { immutable: immutable! }));
        const { status, detail, remedy } = (await scene.check()).named(`Secret ${name} can be changed`);
        expect(status).to.equal('fail');
        expect(detail).to.match(/^it is immutable/);
        expect(remedy).to.include(`kubectl get secret ${name} -n ${scene.namespace} -o json | sed`);
        expect(remedy).to.match(/kubectl replace --force -f -$/);
      });
  });

  describe('of a target that rejects the write of its caBundle', () => {
    it('prints the reason of the API server, and removes insecureSkipTLSVerify from an APIService', async () => {
      await using scene = await layOut(api);
      const { metadata, spec, ...rest } = caseObject('refused-target-blocks-everything', 'apiservice.yaml');
      const { name } = metadata as { readonly name: string };
      const service = { namespace: scene.namespace, name: 'kubetemplater-webhook-service' };
      const path = '/apis/apiregistration.k8s.io/v1/apiservices';
      await expectWritten(
        api.admin.post(path, { ...rest, metadata, spec: { ...(spec as object), service } as Json } as Json),
      );
      await writeFile(scene.kubeconfig, api.adminKubeconfig());
      const targets = `${scene.env['CA_BUNDLE_TARGETS'] ?? ''},apiservice/${name}`;
      const { named } = await scene.check({ CA_BUNDLE_TARGETS: targets });
      const { status, detail, remedy } = named(`apiservice/${name} accepts writes of caBundle`);
      await api.admin.delete(`${path}/${name}`);
      expect(status).to.equal('fail');
      expect(detail).to.match(/^the API server rejects it: .* 422 .*insecureSkipTLSVerify.* may not be true/);
      expect(remedy).to.equal(
        `kubectl patch apiservice ${name} --type=json -p '[{"op":"remove","path":"/spec/insecureSkipTLSVerify"}]'`,
      );
      expect(named(`${scene.paths.targets[0]!.id} accepts writes of caBundle`).status).to.equal('ok');
    });

    it('grants the permission that is missing', async () => {
      const rules = (granted: readonly Rule[]) =>
        granted.map((rule) =>
          rule.resources[0] === 'validatingwebhookconfigurations'
            ? { ...rule, verbs: rule.verbs.filter((verb) => verb !== 'patch') }
            : rule,
        );
      await using scene = await layOut(api, { rules });
      const [target] = scene.paths.targets;
      const { status, detail, remedy } = (await scene.check()).named(`${target!.id} accepts writes of caBundle`);
      expect(status).to.equal('fail');
      expect(detail).to.match(/ 403 .*cannot patch resource/);
      expect(remedy).to.match(
        /^kubectl create clusterrole webhook-certd-patch-validatingwebhookconfigurations-default-checker-\w+ /,
      );
    });
  });

  describe('of a SECRET_NAME-ca that webhook-certd did not write', () => {
    const unusable = {
      'encrypted-key.yaml': /ca\.key: .*(passphrase|encrypted)/,
      'cert-manager-ca.yaml': /it holds .*tls\.crt.* instead of ca\.crt and ca\.key/,
    };
    for (const [file, expected] of Object.entries(unusable))
      it(`says why it cannot be used and how to continue: ${file}`, async () => {
        await using scene = await layOut(api);
        const { metadata, ...secret } = caseObject('own-ca-is-overwritten', file);
        const { annotations } = metadata as { readonly annotations?: Json };
        const { path, name, collection } = scene.paths.ca;
        await api.admin.delete(path);
        const named = annotations === undefined ? { name } : { name, annotations };
        await expectWritten(api.admin.post(collection, { ...secret, metadata: named }));
        const { status, detail, remedy } = (await scene.check()).named('CA is usable');
        expect(status).to.equal('fail');
        expect(detail).to.include(`webhook-certd did not write Secret ${name} and does not overwrite it`);
        expect(detail).to.match(expected);
        const resourceVersion = (await api.admin.get(path)).at('metadata', 'resourceVersion') as string;
        const options = `{"apiVersion":"v1","kind":"DeleteOptions","preconditions":{"resourceVersion":"${resourceVersion}"}}`;
        expect(remedy).to.equal(
          `(umask 077 && kubectl get secret ${name} -n ${scene.namespace} -o yaml > ${name}.backup.yaml) && ` +
            `echo '${options}' | kubectl delete --raw ${path} -f -`,
        );
      });
  });

  describe('of a Lease that no replica holds', () => {
    const NAME = 'Lease is held by a replica';

    it('names the holder, and warns as long as that one renews and announces', async () => {
      await using scene = await layOut(api, { holder: 'desk-7_123' });
      const { status, detail, remedy } = (await scene.check()).named(NAME);
      expect(status).to.equal('warn');
      expect(detail).to.match(/^its holder desk-7_123 is not a Pod of app\.kubernetes\.io\/name=kubetemplater/);
      expect(remedy).to.equal(`kubectl describe lease ${scene.paths.lease.name} -n ${scene.namespace}`);
    });

    it('fails when the holder does not renew it, and looks in the logs of the replicas first', async () => {
      await using scene = await layOut(api, { holder: 'desk-7_123', isLed: false });
      const { status, detail, remedy } = (await scene.check()).named(NAME);
      expect(status).to.equal('fail');
      expect(detail).to.match(/is not a Pod of .*, and does not renew it$/);
      expect(remedy).to.match(/^kubectl logs /);
    });

    it('tells the labels of a Pod that POD_SELECTOR does not match', async () => {
      await using scene = await layOut(api, { holder: 'other-5d9c_1' });
      const metadata = { name: 'other-5d9c', labels: { app: 'other' } };
      const spec = { automountServiceAccountToken: false, containers: [{ name: 'other', image: 'none' }] };
      await expectWritten(api.admin.post(scene.paths.pods, { metadata, spec }));
      const { detail } = (await scene.check()).named(NAME);
      expect(detail).to.include('is a Pod that POD_SELECTOR=app.kubernetes.io/name=kubetemplater does not match');
      expect(detail).to.include('its labels are app=other');
    });
  });

  it('says that a Secret of another party is not overwritten, and keeps a copy before it makes room', async () => {
    await using scene = await layOut(api);
    const { path, name, collection } = scene.paths.secret;
    await api.admin.delete(path);
    const data = { password: Buffer.from('secret').toString('base64') };
    await expectWritten(api.admin.post(collection, { metadata: { name }, type: 'Opaque', data }));
    const { status, detail, remedy } = (await scene.check()).named('Secret is that of this installation');
    expect(status).to.equal('fail');
    expect(detail).to.include(`webhook-certd did not write Secret ${name} and does not overwrite it`);
    expect(remedy).to.match(/^\(umask 077 && kubectl get secret .*backup\.yaml\) && echo .* \| kubectl delete --raw /);
  });

  it('finds by a dry run that a policy rejects the annotations of a replica', async () => {
    await using scene = await layOut(api);
    expect((await scene.check()).named(`replica ${scene.podName} can be annotated`).status).to.equal('ok');
    const why = `patch pods/status "${scene.podName}": 403 pods "${scene.podName}" is forbidden: ValidatingAdmissionPolicy 'kubetemplater-own-annotations' with binding 'b' denied request: a replica may write to its own Pod only`;
    const snapshot = {
      pods: { state: 'there', value: [{ name: scene.podName, goneAtMs: null }] },
      lease: { state: 'absent', why: '' },
      config: {},
      acknowledgement: { pod: scene.podName, write: { state: 'rejected', status: 403, why } },
    } as unknown as ClusterSnapshot;
    const found = checkReplicas(snapshot).find(({ name }) => name.endsWith('can be annotated'));
    expect(found?.status).to.equal('warn');
    expect(found?.detail).to.include(why);
    expect(found?.remedy).to.equal('kubectl get validatingadmissionpolicy kubetemplater-own-annotations -o yaml');
  });
});
