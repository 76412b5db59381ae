import { expect } from 'chai';
import { firstValueFrom, lastValueFrom, of, toArray } from 'rxjs';
import { decodeSecret, decodeSource, decodeTarget } from '../../src/cluster/decode.ts';
import { observationPorts } from '../../src/cluster/observe.ts';
import { clusterPaths } from '../../src/cluster/paths.ts';
import { permissions } from '../../src/cluster/permissions.ts';
import type { SelfSignedIssuer } from '../../src/cluster/self-signed-issuer.ts';
import { stepExecutor } from '../../src/cluster/step-executor.ts';
import type { ObjectStep } from '../../streams/leader.ts';
import { Problem } from '../../streams/problem.ts';
import { parse } from '../config/parse.ts';
import type { IssuedValues } from '../support/issuing-program.ts';
import { madeCertificates } from '../support/made-certificates.ts';
import { recordingClient } from '../support/recording-client.ts';

const NAME = 'svc.webhooks.svc';
const SECRETS = '/api/v1/namespaces/webhooks/secrets';
const SECRET = `${SECRETS}/certs`;
const SOURCE = `${SECRETS}/issued`;
const TARGET = 'validatingwebhookconfiguration/hook';
const TARGET_PATH = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/hook';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const secretOf = (resourceVersion: string, values: IssuedValues) => ({
  metadata: { resourceVersion },
  type: 'kubernetes.io/tls',
  data: Object.fromEntries(
    Object.entries(values).flatMap(([key, value]) => (value === undefined ? [] : [[key, base64(value as string)]])),
  ),
});

const configured = () => {
  const parsed = parse({
    CERT_ISSUER: 'relay',
    SOURCE_SECRET: 'issued',
    SECRET_NAME: 'certs',
    SERVICE_NAME: 'svc',
    CA_BUNDLE_TARGETS: TARGET,
  });
  if (!parsed.ok) throw new Error(parsed.problems.join());
  return { config: parsed.config, paths: clusterPaths(parsed.config) };
};

/** A pair as it is issued, with the one that issued it. */
const issued = async (names: readonly string[] = [NAME], life: { readonly toDays?: number } = {}) => {
  const ca = await madeCertificates.ca();
  const { pem, key } = await madeCertificates.leaf({ ca, names, ...life });
  return { ca, values: { 'tls.crt': pem, 'tls.key': key, 'ca.crt': ca.pem } };
};

const executor = (objects: Readonly<Record<string, unknown>>) => {
  const { paths } = configured();
  const { client, sent } = recordingClient(({ method, path }) =>
    of(method === 'GET' ? objects[path] : objects[SECRET]),
  );
  const { perform, refresh } = stepExecutor(client, paths, {} as SelfSignedIssuer);
  const failureOf = async (step: ObjectStep): Promise<Problem> => {
    const failure: unknown = await firstValueFrom(perform(step, () => true)).catch((error: unknown) => error);
    if (!(failure instanceof Problem)) throw new Error('it did not fail', { cause: failure });
    return failure;
  };
  return {
    sent,
    perform: (step: ObjectStep) => firstValueFrom(perform(step, () => true)),
    failureOf,
    refresh: (step: ObjectStep) => lastValueFrom(refresh(step).pipe(toArray())),
    writes: () => sent.filter(({ method }) => method !== 'GET'),
  };
};

const relayed = (object: unknown) => decodeSource(object, [NAME]);

const copy = (source: unknown, rest: Partial<Extract<ObjectStep, { kind: 'copy-secret' }>> = {}): ObjectStep => {
  const state = relayed(source);
  return { kind: 'copy-secret', source: state, plannedOn: 'absent', trust: state.trust, acceptedBy: [], ...rest };
};

describe('copying the source', () => {
  it('creates the Secret with the bytes of the source and the CAs of the step', async () => {
    const { values } = await issued();
    const source = secretOf('5', values);
    const { perform, sent } = executor({ [SOURCE]: source, [SECRET]: secretOf('9', values) });
    const older = relayed(secretOf('1', (await issued()).values)).trust;
    const trust = [...relayed(source).trust, ...older];
    const written = await perform(copy(source, { trust }));
    expect(sent).to.deep.equal([
      { method: 'GET', path: SOURCE },
      {
        method: 'POST',
        path: SECRETS,
        query: { fieldManager: 'webhook-certd' },
        body: {
          apiVersion: 'v1',
          kind: 'Secret',
          type: 'kubernetes.io/tls',
          metadata: { name: 'certs' },
          data: {
            'tls.crt': base64(values['tls.crt']),
            'tls.key': base64(values['tls.key']),
            'ca.crt': base64(trust.map(({ pem }) => pem).join('')),
          },
        },
      },
    ]);
    expect(written).to.deep.include({ object: 'secret' });
  });

  it('patches the Secret on its version, and removes a ca.crt that the source does not have', async () => {
    const { values } = await issued();
    const source = secretOf('5', { ...values, 'ca.crt': undefined });
    const before = decodeSecret(secretOf('8', (await issued()).values));
    const { perform, writes } = executor({ [SOURCE]: source, [SECRET]: secretOf('9', values) });
    await perform(copy(source, { plannedOn: before, trust: [] }));
    expect(writes()).to.deep.equal([
      {
        method: 'PATCH',
        path: SECRET,
        query: { fieldManager: 'webhook-certd' },
        contentType: 'application/merge-patch+json',
        body: {
          metadata: { resourceVersion: '8' },
          data: { 'tls.crt': base64(values['tls.crt']), 'tls.key': base64(values['tls.key']), 'ca.crt': null },
        },
      },
    ]);
    const created = executor({ [SOURCE]: source, [SECRET]: secretOf('9', values) });
    await created.perform(copy(source, { trust: [] }));
    expect(created.writes()[0]?.body).to.have.property('data').with.keys('tls.crt', 'tls.key');
  });

  it('writes nothing once the source has changed, and both are read again', async () => {
    const { values } = await issued();
    const now = secretOf('6', (await issued()).values);
    const secret = secretOf('9', values);
    const { failureOf, writes, refresh } = executor({ [SOURCE]: now, [SECRET]: secret });
    const step = copy(secretOf('5', values));
    expect(await failureOf(step)).to.have.property('status', 409);
    expect(writes()).to.deep.equal([]);
    expect(await refresh(step)).to.deep.equal([
      { object: 'source', state: relayed(now) },
      { object: 'secret', state: decodeSecret(secret, configured().paths.issuesFor, [NAME]) },
    ]);
  });

  it('writes nothing of a pair that callers refuse by now, whatever was planned', async () => {
    const { values } = await issued();
    const torn = secretOf('5', { ...values, 'tls.key': (await issued()).values['tls.key'] });
    const expired = secretOf('5', (await issued([NAME], { toDays: -0.01 })).values);
    const empty = secretOf('5', {});
    for (const [source, reason] of [
      [torn, /^SOURCE_SECRET is not relayed: key-mismatch: /],
      [expired, /^SOURCE_SECRET is not relayed: expired: /],
      [empty, /^SOURCE_SECRET holds no pair$/],
    ] as const) {
      const { failureOf, writes } = executor({ [SOURCE]: source });
      const planned = { ...relayed(secretOf('5', values)), resourceVersion: '5' };
      const failure = await failureOf(copy(source, { source: planned }));
      expect(failure.message).to.match(reason);
      expect(failure.status).to.equal(422);
      expect(writes()).to.deep.equal([]);
    }
  });

  it('of which nobody says who signed it asks every caBundle', async () => {
    const [one, other] = await Promise.all([issued(), issued()]);
    const source = secretOf('5', { ...one.values, 'ca.crt': undefined });
    const bundleOf = (values: IssuedValues) => relayed(secretOf('1', values)).trust;
    const objects = { [SOURCE]: source, [SECRET]: secretOf('9', one.values) };
    const accepting = executor(objects);
    await accepting.perform(copy(source, { acceptedBy: [bundleOf(one.values)] }));
    expect(accepting.writes()).to.have.lengthOf(1);

    const refusing = executor(objects);
    const step = copy(source, { acceptedBy: [bundleOf(one.values), bundleOf(other.values)] });
    const failure = await refusing.failureOf(step);
    expect(failure.message).to.match(
      /^SOURCE_SECRET has no ca\.crt, and a caBundle refuses its certificate: untrusted-/,
    );
    expect(refusing.writes()).to.deep.equal([]);
  });

  it('is no step of an issuer that reads no source', () => {
    const parsed = parse({});
    if (!parsed.ok) throw new Error(parsed.problems.join());
    const { client } = recordingClient(() => of({}));
    const { perform } = stepExecutor(client, clusterPaths(parsed.config), {} as SelfSignedIssuer);
    expect(() => perform(copy(secretOf('5', {})), () => true)).to.throw('no SOURCE_SECRET is set');
  });
});

describe('a caBundle that loses a CA on account of the source', () => {
  it('is written while the source stands, and not once another one does', async () => {
    const { values, ca } = await issued();
    const target = { metadata: { resourceVersion: '7' }, webhooks: [{ clientConfig: { caBundle: base64(ca.pem) } }] };
    const { paths } = configured();
    const plannedOn = decodeTarget('validatingwebhookconfiguration', paths.service)(target);
    const precondition = { object: 'source', state: relayed(secretOf('5', values)) } as const;
    const step: ObjectStep = { kind: 'inject', target: TARGET, trust: [], plannedOn, precondition };
    const standing = executor({ [SOURCE]: secretOf('5', values), [TARGET_PATH]: target });
    await standing.perform(step);
    expect(standing.writes()).to.have.lengthOf(1);

    const now = secretOf('6', values);
    const moved = executor({ [SOURCE]: now, [TARGET_PATH]: target });
    expect(await moved.failureOf(step)).to.have.property('status', 409);
    expect(moved.writes()).to.deep.equal([]);
    expect(await moved.refresh(step)).to.deep.equal([
      { object: 'source', state: relayed(now) },
      { object: 'target', id: TARGET, state: plannedOn },
    ]);
  });
});

describe('a source is usable', () => {
  const problemOf = (values: IssuedValues): string | null => relayed(secretOf('1', values)).problem;

  it('with a leaf of its ca.crt, also over an intermediate, and with one that signed itself', async () => {
    const { values, ca } = await issued();
    expect(problemOf(values)).to.equal(null);
    const between = await madeCertificates.intermediate(ca);
    const leaf = await madeCertificates.leaf({ ca: between, names: [NAME] });
    const chain = { 'tls.crt': leaf.pem + between.pem, 'tls.key': leaf.key, 'ca.crt': ca.pem };
    expect(problemOf(chain)).to.equal(null);
    expect(problemOf({ ...chain, 'tls.crt': leaf.pem })).to.match(/^untrusted-chain: /);
    const own = await madeCertificates.selfSigned([NAME]);
    expect(problemOf({ 'tls.crt': own.pem, 'tls.key': own.key, 'ca.crt': own.pem })).to.equal(null);
    expect(problemOf({ 'tls.crt': own.pem, 'tls.key': own.key })).to.equal(null);
  });

  it('without ca.crt, or with an empty one, as far as can be told', async () => {
    const { values } = await issued();
    expect(problemOf({ ...values, 'ca.crt': undefined })).to.equal(null);
    expect(problemOf({ ...values, 'ca.crt': '' })).to.equal(null);
  });

  it('whatever its dates are, which are judged when it is copied', async () => {
    expect(problemOf((await issued([NAME], { toDays: -0.01 })).values)).to.equal(null);
  });

  it('and not for another name, with another ca.crt or an unreadable one, for clients, or with another key', async () => {
    const [one, other] = await Promise.all([issued(), issued()]);
    expect(problemOf((await issued(['other.ns.svc'])).values)).to.match(/^missing-names: /);
    expect(problemOf({ ...one.values, 'ca.crt': other.ca.pem })).to.match(/^untrusted-chain: /);
    expect(problemOf({ ...one.values, 'ca.crt': 'garbage' })).to.match(/ca\.crt/);
    expect(problemOf({ ...one.values, 'tls.key': other.values['tls.key'] })).to.match(/key/);
    const usages = [madeCertificates.clientAuth];
    const { pem, key } = await madeCertificates.leaf({ ca: one.ca, names: [NAME], usages });
    expect(problemOf({ 'tls.crt': pem, 'tls.key': key, 'ca.crt': one.ca.pem })).to.match(/^not-for-servers: /);
    expect(problemOf({ 'ca.crt': one.ca.pem })).to.equal(null);
    expect(problemOf({ tls: 'x' } as IssuedValues)).to.match(/^it holds tls instead of/);
  });
});

describe('the relay may', () => {
  it('read and patch the Secret, create one, and only read the source', () => {
    const { config, paths } = configured();
    const secrets = permissions(config, paths).filter(({ resource }) => resource === 'secrets');
    expect(secrets.map(({ verbs, names }) => [verbs.join(' '), names])).to.deep.equal([
      ['get list watch patch', ['certs']],
      ['create', []],
      ['get list watch', ['issued']],
    ]);
  });

  it('watch the source by its name, and no SECRET-ca', async () => {
    const { config, paths } = configured();
    const { client, sent } = recordingClient(() => of({ metadata: { resourceVersion: '1' }, items: [] }));
    const { sourceWatch, caWatch } = observationPorts(client, paths, config);
    await firstValueFrom(sourceWatch!.list());
    await firstValueFrom(caWatch.list());
    expect(sent.map(({ path, query }) => [path, query?.['fieldSelector']])).to.deep.equal([
      [SECRETS, 'metadata.name=issued'],
    ]);
    const { config: own } = (() => {
      const parsed = parse({});
      if (!parsed.ok) throw new Error(parsed.problems.join());
      return parsed;
    })();
    expect(observationPorts(client, clusterPaths(own), own)).not.to.have.property('sourceWatch');
  });
});
