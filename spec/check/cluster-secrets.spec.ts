import { expect } from 'chai';
import type { Backend } from '../../src/check/cluster-backends.ts';
import { readMountedCertificates } from '../../src/check/cluster-secrets.ts';
import { madeCertificates, type MadeLeaf } from '../support/made-certificates.ts';
import { answering, type Answers, certificateOf } from './surveyed.ts';

type Mounts = readonly { readonly name: string; readonly isSubPath: boolean }[];

const whole = (...names: readonly string[]): Mounts => names.map((name) => ({ name, isSubPath: false }));
const subPath = (...names: readonly string[]): Mounts => names.map((name) => ({ name, isSubPath: true }));

/** What stands behind a Service whose Pods mount these Secrets; null where its Pods cannot be read. */
const backendOf = (pods: Readonly<Record<string, Mounts>> | null, namespace = 'ns'): Backend => ({
  reference: { namespace, name: 'svc', port: 443 },
  service: { state: 'absent', why: '' },
  endpoints: { state: 'there', value: [] },
  pods:
    pods === null
      ? { state: 'forbidden', why: 'no' }
      : {
          state: 'there',
          value: Object.entries(pods).map(([name, secrets]) => ({ name, labels: {}, secrets, problem: null })),
        },
});
const pathOf = (name: string, namespace = 'ns'): string => `/api/v1/namespaces/${namespace}/secrets/${name}`;
const secret = (data: Readonly<Record<string, string>>) => ({
  metadata: { resourceVersion: '1' },
  data: Object.fromEntries(Object.entries(data).map(([key, pem]) => [key, Buffer.from(pem).toString('base64')])),
});

let first: MadeLeaf;
let second: MadeLeaf;
before(async () => {
  const ca = await madeCertificates.ca();
  const leaf = (name: string) => madeCertificates.leaf({ ca, names: [name] });
  [first, second] = await Promise.all([leaf('first.ns.svc'), leaf('second.ns.svc')]);
});

/** What the Secrets behind the first of these Services hold, with the leaf by its subject. */
const mountedBehind = async (answers: Answers, ...backends: readonly [Backend, ...Backend[]]) => {
  const { client, asked, most } = answering(answers);
  const mounted = await readMountedCertificates(client, backends, 2);
  const shown = (backend: Backend) => {
    const { certificates, problems } = mounted(backend);
    return { certificates: certificates.map(({ leaf, ...rest }) => ({ ...rest, leaf: leaf.subject })), problems };
  };
  return { ...shown(backends[0]), asked, most, shown };
};

describe('the Secrets that the Pods behind a Service mount are read', () => {
  it('with the leaf of each, and the Pods that mount it', async () => {
    const answers = {
      [pathOf('one')]: secret({ 'tls.crt': `${first.pem}${second.pem}` }),
      [pathOf('two')]: secret({ 'tls.crt': second.pem }),
    };
    const { certificates, problems } = await mountedBehind(
      answers,
      backendOf({ a: whole('one'), b: whole('one', 'two'), c: [] }),
    );
    expect(certificates).to.deep.equal([
      { secret: 'one', leaf: 'CN=first.ns.svc', pods: ['a', 'b'], subPathPods: [] },
      { secret: 'two', leaf: 'CN=second.ns.svc', pods: ['b'], subPathPods: [] },
    ]);
    expect(problems).to.deep.equal([]);
  });

  it('with the Pods in which every mount is a subPath', async () => {
    const { certificates } = await mountedBehind(
      { [pathOf('one')]: secret({ 'tls.crt': first.pem }) },
      backendOf({
        a: subPath('one'),
        b: whole('one'),
        c: [...subPath('one'), ...whole('one')],
        d: [...subPath('one', 'one'), ...whole('two')],
        e: [...whole('one'), ...subPath('two')],
      }),
    );
    expect(certificates[0]).to.deep.include({ pods: ['a', 'b', 'c', 'd', 'e'], subPathPods: ['a', 'd'] });
  });

  it('under the keys that webhooks use, tls.crt before all', async () => {
    const leafOf = async (data: Readonly<Record<string, string>>) =>
      (await mountedBehind({ [pathOf('one')]: secret(data) }, backendOf({ a: whole('one') }))).certificates[0]?.leaf;
    for (const key of ['tls.crt', 'cert', 'cert.pem', 'server-cert.pem'])
      expect(await leafOf({ [key]: first.pem }), key).to.equal(certificateOf(first).subject);
    expect(await leafOf({ cert: second.pem, 'tls.crt': first.pem })).to.equal('CN=first.ns.svc');
    for (const data of [{}, { 'ca.crt': first.pem }, { 'tls.crt': 'no PEM' }, { 'tls.key': first.key }])
      expect(await leafOf(data), Object.keys(data)[0]).to.equal(undefined);
  });

  it('or not, with the reason; one that is absent is no problem, since it may be optional', async () => {
    const answers = { [pathOf('forbidden')]: 403, [pathOf('failed')]: 500, [pathOf('malformed')]: { data: 1 } };
    const names = ['forbidden', 'failed', 'malformed', 'absent'];
    const { certificates, problems } = await mountedBehind(answers, backendOf({ a: whole(...names) }));
    expect(certificates).to.deep.equal([]);
    expect(problems.slice(0, 2)).to.deep.equal([
      `status 403 for ${pathOf('forbidden')}`,
      `status 500 for ${pathOf('failed')}`,
    ]);
    expect(problems).to.have.length(3);
  });

  it('each once, few at once, and none of Pods that cannot be read', async () => {
    const here = backendOf({ a: whole('one', 'two', 'three'), b: whole('one') });
    const { asked, most } = await mountedBehind({}, here, here, backendOf({ c: whole('two') }));
    expect(asked).to.deep.equal(['one', 'two', 'three'].map((name) => pathOf(name)));
    expect(most()).to.equal(2);
    const unread = await mountedBehind({}, backendOf(null));
    expect(unread.asked).to.deep.equal([]);
    expect(unread.certificates).to.deep.equal([]);
  });

  it('in the namespace of the Service', async () => {
    const answers = {
      [pathOf('one')]: secret({ 'tls.crt': first.pem }),
      [pathOf('one', 'other')]: secret({ 'tls.crt': second.pem }),
    };
    const other = backendOf({ a: whole('one') }, 'other');
    const { certificates, shown } = await mountedBehind(answers, backendOf({ a: whole('one') }), other);
    expect(certificates[0]?.leaf).to.equal('CN=first.ns.svc');
    expect(shown(other).certificates[0]?.leaf).to.equal('CN=second.ns.svc');
    const { asked } = await mountedBehind({}, backendOf({ a: whole('c?d') }, 'a/b'));
    expect(asked).to.deep.equal([pathOf('c%3Fd', 'a%2Fb')]);
  });
});
