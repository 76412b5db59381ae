import { basename, dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { sha256Hex } from '../../src/util/hash.ts';
import { type ApiUnderTest, startApiUnderTest } from '../support/api-under-test.ts';
import { type CallingReplicas, startCallingReplicas } from '../support/calling-replicas.ts';
import { install, type Installation, type InstallationOptions, type SpecReplica } from '../support/installation.ts';
import { type IssuingProgram, issuingProgram, type Renewal } from '../support/issuing-program.ts';
import { startNodeNeighbour } from '../support/neighbours/node-neighbour.ts';
import { LOADED } from '../support/rotate-all.ts';
import { certificatesIn } from '../support/standing-objects.ts';
import { slowness, until } from '../support/until.ts';
import { type WatchedObject, watchedObject } from '../support/watched-object.ts';

const SOURCE = 'issued';
/** How far the API server of the callers is behind with every caBundle. */
const LAG_MS = 300;
/** So far that also on a busy machine a certificate is served before they have heard of its CA. */
const LONG_LAG_MS = 3_000;
/** What does not verify before the lag is over meets five calls to each replica. */
const CALLED_EVERY_MS = 60;
/** What the callers have heard of by their API server, this process may hear of later on a slow machine. */
const TRUST_SETTLE = `${Math.ceil(1_000 * slowness)}ms`;
const RELAY = { CERT_ISSUER: 'relay', SOURCE_SECRET: SOURCE, TRUST_SETTLE, CA_OVERLAP: '200ms' };
const DIRECT = { CERT_ISSUER: 'external', TRUST_SETTLE: '1s', CA_OVERLAP: '200ms' };

/** Half of them with another CA, of a new one or of a leaf that signed itself: 20 on a real API server, 6 on the embedded one. */
const ROUND: readonly Renewal[] = ['leaf', 'ca', 'chain', 'self-signed', 'ca'];
const RENEWALS: readonly Renewal[] =
  process.env['SPEC_API'] === undefined
    ? [...ROUND, 'leaf']
    : [...ROUND, ...ROUND.toReversed(), ...ROUND, ...ROUND.toReversed()];

const COPIED = 'Certificate copied from SOURCE_SECRET';
const BAD_SOURCE = 'Certificate in SOURCE_SECRET cannot be used, keeping the one that is mounted';

interface Scene extends AsyncDisposable {
  readonly installation: Installation;
  readonly program: IssuingProgram;
  readonly replicas: readonly SpecReplica[];
  readonly target: WatchedObject;
  readonly calling: CallingReplicas;
}

describe('a daemon that relays what another program issues', function () {
  this.timeout(240_000);
  let api: ApiUnderTest;
  before(async () => {
    api = await startApiUnderTest();
  });
  after(() => api[Symbol.asyncDispose]());

  const programOf = ({ paths, serverName }: Installation, secret = SOURCE): IssuingProgram =>
    issuingProgram(api.admin, `${dirname(paths.secret)}/${secret}`, [serverName]);

  const caBundleOf = ({ current }: Pick<WatchedObject, 'current'>): string =>
    current.text('webhooks', 0, 'clientConfig', 'caBundle');

  /** What an API server calls with that is so far behind. */
  const laggingBundle = (target: WatchedObject, lagMs: number): string => {
    const seen = target.versions.filter(({ atMs }) => atMs <= performance.now() - lagMs).at(-1);
    return caBundleOf({ current: seen ?? target.versions[0]! });
  };

  const mounted = async ({ paths }: Installation): Promise<Readonly<Record<string, string>>> => {
    const data = (await api.admin.get(paths.secret)).at('data') as Readonly<Record<string, string>>;
    return Object.fromEntries(
      Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]),
    );
  };

  const scene = async (
    { env, ...options }: InstallationOptions,
    { serving = false, nudgeDelaysMs = [20, 200], lagMs = LAG_MS } = {},
  ): Promise<Scene> => {
    await using parts = new AsyncDisposableStack();
    const isDirect = env?.['CERT_ISSUER'] === 'external';
    const base = isDirect ? {} : RELAY;
    const installation = parts.use(await install(api, { kubeletDelayMs: 0, ...options, env: { ...base, ...env } }));
    const program = programOf(installation, isDirect ? basename(installation.paths.secret) : SOURCE);
    await program.renew('ca');
    const replicas: SpecReplica[] = [];
    for (const nudgeDelayMs of nudgeDelaysMs) replicas.push(await installation.replica({ nudgeDelayMs, serving }));
    if (serving) {
      const neighbours = replicas.map(({ webhookPort: port, directory, name }) =>
        startNodeNeighbour({ port, directory, name, habit: { afterMs: 0 } }),
      );
      for (const each of await Promise.all(neighbours)) parts.use(each);
    }
    await Promise.all(replicas.map((replica) => replica.line(LOADED, {}, 60_000)));
    const target = parts.use(await watchedObject(api.admin, installation.paths.target));
    await sleep(lagMs);
    const calling = parts.use(
      startCallingReplicas({
        endpoints: () => replicas,
        caBundle: () => laggingBundle(target, lagMs),
        serverName: installation.serverName,
        everyMs: CALLED_EVERY_MS,
      }),
    );
    const everything = parts.move();
    return {
      installation,
      program,
      replicas,
      target,
      calling,
      [Symbol.asyncDispose]: () => everything.disposeAsync(),
    };
  };

  /** Renews, and waits until every replica serves it and the caBundle trusts its CA alone. */
  const renew = async ({ program, replicas, target }: Scene, what: Renewal, isOver = true): Promise<void> => {
    const hash = await program.renew(what);
    await Promise.all(replicas.map((replica) => replica.line(LOADED, { hash }, 90_000)));
    if (isOver) await until(() => certificatesIn(caBundleOf(target)) === 1, 30_000);
  };

  const ended = async (what: string, { calling }: Scene): Promise<readonly string[]> => {
    await sleep(2 * LAG_MS);
    await until(() => calling.calls > 30, 30_000);
    await calling[Symbol.asyncDispose]();
    console.log(`      ${what}: ${calling.calls} calls, ${calling.failures.length} failed`);
    return calling.failures;
  };

  it('fails no call over many renewals, half of them with another CA, over an API server that lags', async () => {
    await using one = await scene({});
    for (const what of RENEWALS) await renew(one, what);
    expect(await ended(`${RENEWALS.length} renewals, relayed`, one)).to.deep.equal([]);
  });

  it('fails no call over them where another server terminates TLS, and some where that one mounts the Secret of the program', async () => {
    await using relayed = await scene({}, { serving: true });
    for (const what of RENEWALS) await renew(relayed, what);
    expect(await ended(`${RENEWALS.length} renewals, relayed to another server`, relayed)).to.deep.equal([]);

    await using direct = await scene({ env: DIRECT }, { serving: true, lagMs: LONG_LAG_MS });
    await renew(direct, 'ca');
    expect(await ended('one renewal, mounted directly', direct)).to.not.deep.equal([]);
  });

  it('fails no call over a new CA with a kubelet that takes 3 s and no nudge', async () => {
    await using one = await scene({ env: { KUBELET_NUDGE: 'false' } });
    for (const { kubelet } of one.replicas) kubelet.delayMs = 3_000;
    await renew(one, 'ca', false);
    // Without acknowledgements only time tells that nobody serves under the older CA.
    expect(certificatesIn(caBundleOf(one.target))).to.equal(2);
    expect(await ended('one renewal, delivered after 3 s', one)).to.deep.equal([]);
  });

  it('copies the bytes of the source, keeps the older CA in ca.crt until the overlap is over, and never writes the source', async () => {
    await using one = await scene({ env: { CA_OVERLAP: '1s' } });
    const { installation, program, replicas } = one;
    const source = await watchedObject(api.admin, `${dirname(installation.paths.secret)}/${SOURCE}`);
    const issued = await program.issue('ca');
    const hash = await program.write(issued);
    await replicas[0]!.line(LOADED, { hash });
    const during = await mounted(installation);
    expect(during).to.include({ 'tls.crt': issued['tls.crt'], 'tls.key': issued['tls.key'] });
    expect(certificatesIn(during['ca.crt']!)).to.equal(2);
    await until(async () => certificatesIn((await mounted(installation))['ca.crt']!) === 1);
    await until(() => certificatesIn(caBundleOf(one.target)) === 1);
    expect(await mounted(installation)).to.deep.include({ 'tls.crt': issued['tls.crt'] });
    expect(source.versions.at(-1)?.text('data', 'tls.crt')).to.equal(issued['tls.crt']);
    expect(source.versions).to.have.lengthOf(2);
    source[Symbol.dispose]();
    expect(await ended('one renewal', one)).to.deep.equal([]);
  });

  it('needs no permission to write the source, and none to read SECRET-ca', async () => {
    await using installation = await install(api, { env: RELAY });
    const secrets = installation.granted.filter(({ resource }) => resource === 'secrets');
    expect(secrets.filter(({ verbs }) => verbs.includes('patch')).flatMap(({ names }) => names)).to.deep.equal([
      basename(installation.paths.secret),
    ]);
    expect(secrets.flatMap(({ names }) => names))
      .to.include(SOURCE)
      .and.not.include(basename(installation.paths.authority));
  });

  it('renews without touching a caBundle when the CA stays', async () => {
    await using one = await scene({});
    const before = one.target.current.resourceVersion;
    for (const what of ['leaf', 'chain', 'leaf'] as const) await renew(one, what);
    expect(one.target.current.resourceVersion).to.equal(before);
    expect(await ended('three renewals of the leaf', one)).to.deep.equal([]);
  });

  it('goes on with what is mounted, and says so, where it may not read the source', async () => {
    await using installation = await install(api, { env: { TRUST_SETTLE: '300ms', CA_OVERLAP: '200ms' } });
    await using own = await installation.replica();
    await own.line(LOADED);
    own.kill('SIGTERM');
    await own.exit;
    const program = programOf(installation);
    const hash = await program.renew('ca');
    // It may not read the source: its permissions are those of an issuer.
    const missing = await installation.replica({ env: RELAY });
    const line = await missing.line(BAD_SOURCE, {}, 30_000);
    expect(line['reason']).to.equal('it cannot be read: get, list or watch is forbidden');
    expect((await mounted(installation))['tls.crt']).not.to.equal(undefined);
    expect(sha256Hex(Buffer.from((await mounted(installation))['tls.crt']!))).not.to.equal(hash);
  });

  describe('and the source is bad', () => {
    const cases: Readonly<Record<string, { readonly reason: RegExp; readonly spoil: Spoil }>> = {
      'the key is of another certificate': {
        reason: /key/,
        spoil: async (program, good) => ({ ...good, 'tls.key': (await program.issue('leaf'))['tls.key'] }),
      },
      'tls.crt is cut off': {
        reason: /tls\.crt/,
        spoil: (_, good) => Promise.resolve({ ...good, 'tls.crt': good['tls.crt']?.slice(0, 200) }),
      },
      'ca.crt is of another CA': {
        reason: /untrusted-chain/,
        spoil: async (program, good) => ({ ...good, 'ca.crt': (await program.issue('self-signed'))['ca.crt'] }),
      },
      'ca.crt is cut off': {
        reason: /ca\.crt/,
        spoil: (_, good) => Promise.resolve({ ...good, 'ca.crt': good['ca.crt']?.slice(0, 200) }),
      },
      'it is for another name': {
        reason: /lacks kubetemplater-webhook-service/,
        spoil: () => issuingProgram(api.admin, '', ['other.ns.svc']).issue('ca'),
      },
      'it is empty': { reason: /it has no tls\.crt/, spoil: () => Promise.resolve({}) },
    };

    /** One for all of them: each ends with a certificate that is served. */
    let shared: Scene;
    before(async () => {
      shared = await scene({}, { nudgeDelaysMs: [20] });
    });
    after(() => shared[Symbol.asyncDispose]());

    for (const [what, { reason, spoil }] of Object.entries(cases))
      it(`because ${what}: reports it, mounts nothing of it, and takes the next good one`, async () => {
        const { installation, program, replicas, calling } = shared;
        const [replica] = replicas;
        const before = await mounted(installation);
        const bundle = caBundleOf(shared.target);
        replica!.mark();
        await program.write(await spoil(program, await program.issue('ca')));
        const line = await replica!.line(BAD_SOURCE);
        expect(line['reason']).to.match(reason);
        expect(JSON.stringify(replica!.lines)).not.to.match(/PRIVATE|BEGIN/);
        const status = JSON.parse((await replica!.probe('/status')).text) as {
          readonly waitsFor: readonly { readonly for: string; readonly detail: string }[];
        };
        expect(status.waitsFor.find((each) => each.for === 'source')?.detail).to.equal(line['reason']);
        expect((await replica!.probe('/readyz')).text).to.equal('ok');
        expect(await mounted(installation)).to.deep.equal(before);
        expect(caBundleOf(shared.target)).to.equal(bundle);
        await renew(shared, 'ca');
        expect(calling.failures).to.deep.equal([]);
      });

    it('fails no call, whatever was bad', async () => {
      expect(await ended(`${Object.keys(cases).length} bad sources`, shared)).to.deep.equal([]);
    });

    it('because it is deleted: goes on serving, and relays the next one', async () => {
      await using one = await scene({});
      await one.program.remove();
      const line = await Promise.any(one.replicas.map((replica) => replica.line(BAD_SOURCE)));
      expect(line['reason']).to.equal('it does not exist');
      await renew(one, 'ca');
      expect(await ended('deleted and issued again', one)).to.deep.equal([]);
    });
  });

  describe('and the source has no ca.crt', () => {
    it('relays what every caBundle accepts, says so once, and leaves the caBundles as they are', async () => {
      await using one = await scene({}, { nudgeDelaysMs: [20] });
      const [replica] = one.replicas;
      const bundle = caBundleOf(one.target);
      const hash = await one.program.write({ ...(await one.program.issue('leaf')), 'ca.crt': undefined });
      await replica!.line(LOADED, { hash });
      await sleep(1_000);
      expect(replica!.count('SOURCE_SECRET has no ca.crt, leaving the caBundles as they are')).to.equal(1);
      expect(caBundleOf(one.target)).to.equal(bundle);
      expect(await ended('one renewal without ca.crt', one)).to.deep.equal([]);
    });

    it('does not relay what a caBundle refuses', async () => {
      await using one = await scene({}, { nudgeDelaysMs: [20] });
      const [replica] = one.replicas;
      const before = await mounted(one.installation);
      await one.program.write({ ...(await one.program.issue('ca')), 'ca.crt': undefined });
      const line = await replica!.line('Object refuses our write, setting it aside');
      expect(line['error']).to.match(/SOURCE_SECRET has no ca\.crt, and a caBundle refuses its certificate: /);
      expect(await mounted(one.installation)).to.deep.equal(before);
      expect(replica!.count(COPIED)).to.equal(1);
      await renew(one, 'leaf');
      expect(await ended('refused without ca.crt', one)).to.deep.equal([]);
    });
  });
});

type Spoil = (
  program: IssuingProgram,
  good: Awaited<ReturnType<IssuingProgram['issue']>>,
) => Promise<Awaited<ReturnType<IssuingProgram['issue']>>>;
