import { expect } from 'chai';
import { firstValueFrom, lastValueFrom, of, toArray } from 'rxjs';
import { decodeCa, decodeSecret, decodeTarget } from '../../src/cluster/decode.ts';
import { clusterPaths } from '../../src/cluster/paths.ts';
import type { SelfSignedIssuer } from '../../src/cluster/self-signed-issuer.ts';
import { stepExecutor } from '../../src/cluster/step-executor.ts';
import type { KubeRequest } from '../../src/kube/request.ts';
import type { ObjectStep } from '../../streams/leader.ts';
import { parse } from '../config/parse.ts';
import { pki } from '../support/pki.ts';
import { recordingClient } from '../support/recording-client.ts';

const SECRETS = '/api/v1/namespaces/webhooks/secrets';
const SECRET = `${SECRETS}/certs`;
const CA = `${SECRETS}/certs-ca`;
const TARGET = 'validatingwebhookconfiguration/hook';
const TARGET_PATH = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/hook';
const query = { fieldManager: 'webhook-certd' };
const MERGE = 'application/merge-patch+json';

const base64 = (text: string | Buffer): string => Buffer.from(text).toString('base64');
const encoded = (values: Readonly<Record<string, string | Buffer>>) =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [key, base64(value)]));
const secretOf = (resourceVersion: string, values: Readonly<Record<string, string | Buffer>>) => ({
  metadata: { resourceVersion },
  type: 'kubernetes.io/tls',
  data: encoded(values),
});
const targetOf = (resourceVersion: string, ...bundles: readonly string[]) => ({
  metadata: { resourceVersion },
  webhooks: bundles.map((pem) => ({ clientConfig: { caBundle: base64(pem) } })),
});

let made: ReturnType<typeof make> | undefined;
const fixture = () => (made ??= make());

const make = async () => {
  const [current, older, pair] = await Promise.all([pki.authority(), pki.authority(), pki.pair()]);
  const stored = { 'ca.crt': current.certificatePem, 'ca.key': current.keyPem };
  const ca = secretOf('3', { ...stored, 'ca-bundle.crt': current.certificatePem + older.certificatePem });
  const secret = secretOf('5', { 'tls.crt': pair.certificate, 'tls.key': pair.key, 'ca.crt': pair.trust });
  const target = targetOf('7', current.certificatePem, '');
  return { ca, secret, target, pems: [current.certificatePem, older.certificatePem] as const };
};

/** Performs steps on a cluster whose objects are read from `objects` by path; every write is answered by `written`. */
const executor = (objects: Readonly<Record<string, unknown>>, written: unknown = secretOf('9', {})) => {
  const parsed = parse({ CA_BUNDLE_TARGETS: TARGET, SECRET_NAME: 'certs' });
  if (!parsed.ok) throw new Error(parsed.problems.join());
  const paths = clusterPaths(parsed.config);
  const { client, sent } = recordingClient(({ method, path }) => of(method === 'GET' ? objects[path] : written));
  const asked: unknown[] = [];
  const values = { 'tls.crt': 'issued' };
  const issue: SelfSignedIssuer = {
    ca: (...of) => {
      asked.push(['ca', ...of]);
      return Promise.resolve(values);
    },
    leaf: (...of) => {
      asked.push(['leaf', ...of]);
      return Promise.resolve(values);
    },
  };
  const { perform, refresh } = stepExecutor(client, paths, issue);
  return {
    sent,
    asked,
    perform: (step: ObjectStep, fence = () => true) => firstValueFrom(perform(step, fence)),
    refresh: (step: ObjectStep) => lastValueFrom(refresh(step).pipe(toArray())),
    decode: {
      secret: (object: unknown) => decodeSecret(object, paths.issuesFor),
      ca: decodeCa,
      target: decodeTarget('validatingwebhookconfiguration', paths.service),
    },
  };
};

const read = (path: string): KubeRequest => ({ method: 'GET', path });
const patch = (path: string, resourceVersion: string, data: object): KubeRequest => ({
  method: 'PATCH',
  path,
  query,
  contentType: MERGE,
  body: { metadata: { resourceVersion }, data },
});
const create = (name: string, type: string): KubeRequest => ({
  method: 'POST',
  path: SECRETS,
  query,
  body: { apiVersion: 'v1', kind: 'Secret', type, metadata: { name }, data: { 'tls.crt': base64('issued') } },
});

describe('a step of the leader', () => {
  it('issue-ca creates SECRET-ca where it is absent, and fails where it exists by then (L3)', async () => {
    const { ca, pems } = await fixture();
    const { perform, sent, asked, decode } = executor({}, ca);
    const keep = decode.ca(ca).bundle;
    const touched = await perform({ kind: 'issue-ca', reason: 'missing', keep, plannedOn: 'absent' });
    expect(sent).to.deep.equal([create('certs-ca', 'Opaque')]);
    expect(asked).to.deep.equal([['ca', null, pems.join('')]]);
    expect(touched).to.deep.equal({ object: 'ca', state: decode.ca(ca) });
  });

  it('issue-ca patches SECRET-ca with a CA that the stored one may cross-sign, on the version it was planned on', async () => {
    const { ca, pems } = await fixture();
    const { perform, sent, asked, decode } = executor({ [CA]: ca }, ca);
    const plannedOn = decode.ca(ca);
    await perform({ kind: 'issue-ca', reason: 'expiring', keep: plannedOn.bundle.slice(1), plannedOn });
    expect(sent).to.deep.equal([read(CA), patch(CA, '3', { 'tls.crt': base64('issued') })]);
    const [[, stored, kept] = []] = asked as [string, Record<string, Buffer>, string][];
    expect(encoded(stored ?? {})).to.deep.equal(ca.data);
    expect(kept).to.equal(pems[1]);
  });

  it('extend-ca-bundle writes the bundle with the current CA first, and touches nothing else', async () => {
    const { ca, pems } = await fixture();
    const { perform, sent, decode } = executor({}, ca);
    const plannedOn = decode.ca(ca);
    const touched = await perform({ kind: 'extend-ca-bundle', keep: plannedOn.bundle.slice(1), plannedOn });
    expect(sent).to.deep.equal([patch(CA, '3', { 'ca-bundle.crt': base64(pems.join('')) })]);
    expect(touched).to.deep.equal({ object: 'ca', state: plannedOn });
  });

  it('extend-ca-bundle writes only what is kept where SECRET-ca has no current CA', async () => {
    const { ca, pems } = await fixture();
    const { perform, sent, decode } = executor({}, ca);
    const keep = decode.ca(ca).bundle.slice(1);
    await perform({ kind: 'extend-ca-bundle', keep, plannedOn: { ...decode.ca(ca), current: null } });
    expect(sent).to.deep.equal([patch(CA, '3', { 'ca-bundle.crt': base64(pems[1]) })]);
  });

  it('prune-ca-bundle leaves the current CA and removes the CA that the older one had signed', async () => {
    const { ca, pems } = await fixture();
    const { perform, sent, decode } = executor({}, ca);
    await perform({ kind: 'prune-ca-bundle', keep: [], plannedOn: decode.ca(ca) });
    expect(sent).to.deep.equal([patch(CA, '3', { 'ca-bundle.crt': base64(pems[0]), 'ca-bridge.crt': null })]);
  });

  it('issue-leaf creates the Secret where it is absent, with what SECRET-ca holds and trusts', async () => {
    const { ca, secret, pems } = await fixture();
    const { perform, sent, asked, decode } = executor({ [CA]: ca }, secret);
    const touched = await perform({ kind: 'issue-leaf', reason: 'missing', ca: decode.ca(ca), plannedOn: 'absent' });
    expect(sent).to.deep.equal([read(CA), create('certs', 'kubernetes.io/tls')]);
    const [[, stored, trust] = []] = asked as [string, Record<string, Buffer>, string][];
    expect(encoded(stored ?? {})).to.deep.equal(ca.data);
    expect(trust).to.equal(pems.join(''));
    expect(touched).to.deep.equal({ object: 'secret', state: decode.secret(secret) });
  });

  it('issue-leaf patches the Secret on the version it was planned on', async () => {
    const { ca, secret } = await fixture();
    const { perform, sent, decode } = executor({ [CA]: ca }, secret);
    const plannedOn = decode.secret(secret);
    await perform({ kind: 'issue-leaf', reason: 'expiring', ca: decode.ca(ca), plannedOn });
    expect(sent).to.deep.equal([read(CA), patch(SECRET, '5', { 'tls.crt': base64('issued') })]);
  });

  it('update-secret-ca writes ca.crt of the Secret and nothing else', async () => {
    const { ca, secret, pems } = await fixture();
    const { perform, sent, decode } = executor({}, secret);
    const plannedOn = decode.secret(secret);
    const touched = await perform({ kind: 'update-secret-ca', trust: decode.ca(ca).bundle, plannedOn });
    expect(sent).to.deep.equal([patch(SECRET, '5', { 'ca.crt': base64(pems.join('')) })]);
    expect(touched).to.deep.equal({ object: 'secret', state: plannedOn });
  });

  it('inject sets the caBundles that differ, by their place, on the version they were read in', async () => {
    const { ca, target, pems } = await fixture();
    const { perform, sent, decode } = executor({ [TARGET_PATH]: target });
    const trust = decode.ca(ca).bundle.slice(0, 1);
    await perform({ kind: 'inject', target: TARGET, trust, plannedOn: decode.target(target) });
    expect(sent).to.deep.equal([
      read(TARGET_PATH),
      {
        method: 'PATCH',
        path: TARGET_PATH,
        query,
        contentType: 'application/json-patch+json',
        body: [
          { op: 'replace', path: '/metadata/resourceVersion', value: '7' },
          { op: 'add', path: '/webhooks/1/clientConfig/caBundle', value: base64(pems[0]) },
        ],
      },
      read(TARGET_PATH),
    ]);
  });

  it('is not written where the object it rests on has changed since', async () => {
    const { ca, secret, target } = await fixture();
    const { perform, sent, decode } = executor({
      [CA]: { ...ca, metadata: { resourceVersion: '4' } },
      [TARGET_PATH]: { ...target, metadata: { resourceVersion: '8' } },
    });
    const planned = { ca: decode.ca(ca), secret: decode.secret(secret), target: decode.target(target) };
    for (const step of [
      { kind: 'issue-ca', reason: 'expiring', keep: [], plannedOn: planned.ca },
      { kind: 'issue-leaf', reason: 'expiring', ca: planned.ca, plannedOn: planned.secret },
      { kind: 'inject', target: TARGET, trust: [], plannedOn: planned.target },
    ] satisfies ObjectStep[]) {
      const failure = await perform(step).catch((error: unknown) => error);
      expect(failure, step.kind).to.deep.include({
        name: 'Problem',
        status: 409,
        message: 'the object changed before it was written',
      });
    }
    expect(sent.map(({ method }) => method)).to.deep.equal(['GET', 'GET', 'GET']);
  });

  it('is not written once another replica leads, asked right before the write', async () => {
    const { ca, secret } = await fixture();
    const { perform, sent, decode } = executor({ [CA]: ca });
    const seen: number[] = [];
    const fence = () => {
      seen.push(sent.length);
      return false;
    };
    const step = { kind: 'issue-leaf', reason: 'missing', ca: decode.ca(ca), plannedOn: 'absent' } as const;
    const failure = await perform(step, fence).catch((error: unknown) => error);
    expect(failure).to.deep.include({ name: 'Problem', message: 'no longer the leader, nothing was written' });
    expect({ seen, methods: sent.map(({ method }) => method) }).to.deep.equal({ seen: [1], methods: ['GET'] });
    expect(decode.secret(secret)).to.be.an('object');
  });

  it('fails by a Problem that names the object where the answer is no such object', async () => {
    const { ca, secret, target } = await fixture();
    const { perform, refresh, decode } = executor({ [TARGET_PATH]: { kind: 'Status' } }, 'no object');
    const messageOf = (result: Promise<unknown>) =>
      result.then(
        () => 'no failure',
        (error: unknown) => (error as Error).message,
      );
    const update: ObjectStep = { kind: 'update-secret-ca', trust: [], plannedOn: decode.secret(secret) };
    const inject: ObjectStep = { kind: 'inject', target: TARGET, trust: [], plannedOn: decode.target(target) };
    expect(await messageOf(perform(update))).to.match(/^update-secret-ca: /);
    expect(await messageOf(perform(inject))).to.match(/^validatingwebhookconfiguration\/hook: /);
    expect(await messageOf(refresh(inject))).to.match(/^inject: /);
    const leaf: ObjectStep = { kind: 'issue-leaf', reason: 'missing', ca: decode.ca(ca), plannedOn: 'absent' };
    const precondition = { object: 'ca', state: decode.ca(ca) } as const;
    expect(await messageOf(executor({ [CA]: 'no object' }).perform(leaf))).to.match(/^a Secret: /);
    expect(await messageOf(executor({ [CA]: 'no object' }).refresh({ ...inject, precondition }))).to.match(
      /^a Secret: /,
    );
  });

  it('is refreshed by a read of the object it writes', async () => {
    const { ca, secret, target } = await fixture();
    const { refresh, sent, decode } = executor({ [CA]: ca, [SECRET]: secret, [TARGET_PATH]: target });
    const states = { ca: decode.ca(ca), secret: decode.secret(secret), target: decode.target(target) };
    const inCa = { object: 'ca', state: states.ca };
    const inSecret = { object: 'secret', state: states.secret };
    const rows: readonly (readonly [ObjectStep, unknown, string])[] = [
      [{ kind: 'issue-ca', reason: 'missing', keep: [], plannedOn: 'absent' }, inCa, CA],
      [{ kind: 'extend-ca-bundle', keep: [], plannedOn: states.ca }, inCa, CA],
      [{ kind: 'prune-ca-bundle', keep: [], plannedOn: states.ca }, inCa, CA],
      [{ kind: 'issue-leaf', reason: 'missing', ca: states.ca, plannedOn: 'absent' }, inSecret, SECRET],
      [{ kind: 'update-secret-ca', trust: [], plannedOn: states.secret }, inSecret, SECRET],
      [
        { kind: 'inject', target: TARGET, trust: [], plannedOn: states.target },
        { object: 'target', id: TARGET, state: states.target },
        TARGET_PATH,
      ],
    ];
    for (const [step, expected, path] of rows) {
      sent.length = 0;
      expect(await refresh(step), step.kind).to.deep.equal([expected]);
      expect(sent, step.kind).to.deep.equal([read(path)]);
    }
  });
});
