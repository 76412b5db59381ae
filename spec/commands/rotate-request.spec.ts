import { dirname } from 'node:path';
import { expect } from 'chai';
import { type IssuedPair, issueLeaf } from '../../src/certificates/issue.ts';
import { sha256Hex } from '../../src/util/hash.ts';
import { type ApiGate, startApiGate } from '../support/api-gate.ts';
import { type ApiUnderTest, startApiUnderTest } from '../support/api-under-test.ts';
import { install, type Installation, PREFIX } from '../support/installation.ts';
import { pki } from '../support/pki.ts';
import { accepted, type Json } from '../support/raw-api.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';
import { until } from '../support/until.ts';
import { rotating } from './rotating.ts';

const HOUR_MS = 3_600_000;
const LEASE = '8377a775.my.company.com';
const LABELS = { 'app.kubernetes.io/name': 'kubetemplater' } as const;
const VALID_UNTIL = '2036-01-01T00:00:00Z';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

// No daemon runs: the specs write what a leader would.
describe('a rotation is requested', function () {
  this.timeout(60_000);
  let api: ApiUnderTest;
  let folder: TemporaryDirectory;
  let installation: Installation;
  let run: ReturnType<typeof rotating>;
  let issuers: readonly [IssuedPair, IssuedPair];
  before(async () => {
    api = await startApiUnderTest();
    folder = await temporaryDirectory();
    run = rotating(api, folder);
    issuers = [await pki.authority(), await pki.authority()];
  });
  after(async () => {
    await folder[Symbol.asyncDispose]();
    await api[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    installation = await install(api);
  });
  afterEach(() => installation[Symbol.asyncDispose]());

  /** A Lease that was renewed an hour ago. */
  const makeLease = (holder: string | null, annotations: Readonly<Record<string, string>> = {}): Promise<void> => {
    const named = Object.entries(annotations).map(([name, value]) => [`${PREFIX}/${name}`, value] as const);
    const renewed = new Date(Date.now() - HOUR_MS).toISOString().replace('Z', '000Z');
    return accepted(
      api.admin.post(dirname(installation.paths.lease), {
        metadata: { name: LEASE, annotations: Object.fromEntries(named) },
        spec: { holderIdentity: holder, leaseDurationSeconds: 60, renewTime: renewed, acquireTime: renewed },
      }),
    );
  };
  const makePod = (name: string, env: Readonly<Record<string, string>> = {}): Promise<void> =>
    accepted(
      api.admin.post(`/api/v1/namespaces/${installation.namespace}/pods`, {
        metadata: { name, labels: LABELS },
        spec: {
          nodeName: 'node',
          automountServiceAccountToken: false,
          containers: [
            {
              name: 'webhook',
              image: 'registry/embedding:1',
              env: Object.entries(env).map(([variable, value]) => ({ name: variable, value })),
            },
          ],
        },
      }),
    );
  const put = async (path: string, data: Readonly<Record<string, string>>, type: string): Promise<void> => {
    const body: Json = { data: Object.fromEntries(Object.entries(data).map(([key, text]) => [key, base64(text)])) };
    const name = path.split('/').at(-1) ?? '';
    const changed = await api.admin.patch('merge', path, body);
    if (changed.status === 404) await accepted(api.admin.post(dirname(path), { ...body, metadata: { name }, type }));
    else expect(changed.status, changed.text).to.equal(200);
  };

  /** Does what a leader does with a leaf of this CA beside older ones, up to what its Pods acknowledge; returns its hash. */
  const lead = async (
    current: IssuedPair,
    older: readonly IssuedPair[],
    ...pods: readonly string[]
  ): Promise<string> => {
    const nowMs = Date.now();
    const leaf = await issueLeaf({
      authority: current,
      names: pki.names,
      algorithm: 'ecdsa-p256',
      nowMs,
      validityMs: HOUR_MS,
    });
    const bundle = [current, ...older].map(({ certificatePem }) => certificatePem).join('');
    const { secret, authority, target } = installation.paths;
    await put(
      authority,
      { 'ca.crt': current.certificatePem, 'ca.key': current.keyPem, 'ca-bundle.crt': bundle },
      'Opaque',
    );
    const caBundle: Json = [{ op: 'add', path: '/webhooks/0/clientConfig/caBundle', value: base64(bundle) }];
    expect((await api.admin.patch('json', target, caBundle)).status).to.equal(200);
    await put(
      secret,
      { 'tls.crt': leaf.certificatePem, 'tls.key': leaf.keyPem, 'ca.crt': bundle },
      'kubernetes.io/tls',
    );
    const hash = sha256Hex(Buffer.from(leaf.certificatePem));
    for (const pod of pods)
      await accepted(
        api.admin.patch('merge', `/api/v1/namespaces/${installation.namespace}/pods/${pod}`, {
          metadata: { annotations: { [`${PREFIX}/serving-hash`]: hash } },
        }),
      );
    return hash;
  };
  const announce = (hash: string, servedSince: string | null = null): Promise<void> =>
    installation.annotateLease({
      'cert-served-since': servedSince,
      rotate: null,
      'cert-ready': 'true',
      'cert-hash': hash,
      'cert-valid-until': VALID_UNTIL,
    });

  const through = ({ url, caPem }: ApiGate, kubeconfig = api.adminKubeconfig()): string =>
    kubeconfig.replaceAll(api.url, url).replaceAll(base64(api.caPem), base64(caPem));

  it('and followed until every replica serves what the leader has announced', async () => {
    const [ca] = issuers;
    await makeLease('web-0');
    await makePod('web-0');
    await announce(await lead(ca, [], 'web-0'));
    const lines: string[] = [];
    const led = Promise.withResolvers<string>();
    const print = (line: string): void => {
      lines.push(line);
      if (line.startsWith('requested'))
        led.resolve(lead(ca, [], 'web-0').then(async (hash) => (await announce(hash), hash)));
    };
    const { code } = await run(installation, { around: { print } });
    const hash = await led.promise;
    expect(lines.filter((line) => !line.startsWith('acknowledged: 0'))).to.deep.equal([
      'requested: a new leaf',
      `Secret written: ${hash}`,
      `announced: ${hash}, valid until ${VALID_UNTIL}`,
      'acknowledged: 1/1 replicas',
    ]);
    expect(code).to.equal(0);
  });

  it('and followed to the hash that is announced in the end, which the document of -o json has', async () => {
    const [ca] = issuers;
    await makeLease('web-0');
    await makePod('web-0');
    await announce(await lead(ca, [], 'web-0'));
    const running = run(installation, { options: { json: true } });
    await until(async () => (await installation.leaseAnnotation('rotate')) === 'leaf');
    const hash = await lead(ca, [], 'web-0');
    await announce(hash);
    const { code, lines } = await running;
    expect(JSON.parse(lines.join(''))).to.include({ ok: true, hash, validUntil: VALID_UNTIL });
    expect(code).to.equal(0);
  });

  for (const [holder, overlapMs] of [
    ['web-1', HOUR_MS / 2],
    ['web-1_9b2f', HOUR_MS / 2],
    ['gone-0', 2 * HOUR_MS],
  ] as const)
    it(`and followed to the time until which an older CA is kept by the settings of ${holder}, else by those of the newest Pod`, async () => {
      const [older, newer] = issuers;
      await makeLease(holder);
      await makePod('web-1', { CA_OVERLAP: '30m' });
      await makePod('web-0', { CA_OVERLAP: '2h' });
      await announce(await lead(older, [], 'web-0', 'web-1'));
      const servedSince = '2030-01-01T00:00:00Z';
      const failed = Promise.withResolvers<never>();
      const lines: string[] = [];
      const print = (line: string): void => {
        lines.push(line);
        if (!line.startsWith('requested')) return;
        lead(newer, [older], 'web-0', 'web-1')
          .then((hash) => announce(hash, servedSince))
          .catch(failed.reject);
      };
      const { code } = await Promise.race([run(installation, { ca: true, around: { print } }), failed.promise]);
      expect(lines[0]).to.equal('requested: a new CA and leaf');
      const until = new Date(Date.parse(servedSince) + overlapMs).toISOString().replace('.000', '');
      expect(lines.at(-1)).to.equal(`the older CA is kept until ${until} (CA_OVERLAP), then removed`);
      expect(code).to.equal(0);
    });

  it('and not waited for with --no-wait, in one JSON document with -o json', async () => {
    await makeLease('web-0');
    const hash = await lead(issuers[0], []);
    await announce(hash);
    const options = { noWait: true, json: true } as const;
    const { code, lines } = await run(installation, { options });
    expect(lines).to.have.length(1);
    expect(JSON.parse(lines[0] ?? '')).to.deep.equal({
      ok: true,
      requested: 'leaf',
      alreadyRequested: false,
      hash,
      validUntil: VALID_UNTIL,
      lines: ['requested: a new leaf'],
    });
    expect(lines[0]?.split('\n')[1]).to.equal('  "ok": true,');
    expect(code).to.equal(0);
    expect(await installation.leaseAnnotation('rotate')).to.equal('leaf');
  });

  it('where nothing has been announced yet, and says so in the document', async () => {
    await makeLease('web-0');
    const { lines } = await run(installation, { ca: true, options: { noWait: true, json: true } });
    expect(JSON.parse(lines.join(''))).to.include({ requested: 'ca', hash: null, validUntil: null });
  });

  it('for nothing less than was requested before, and for the CA where only a leaf was', async () => {
    await makeLease('web-0');
    const options = { noWait: true, json: true } as const;
    for (const [existing, ca, requested, already] of [
      ['leaf', false, 'leaf', true],
      ['leaf', true, 'ca', false],
      ['ca', true, 'ca', true],
      ['ca', false, 'ca', true],
      ['ca/0123', true, 'ca', true],
      ['ca/0123', false, 'ca', true],
      ['nonsense', false, 'leaf', false],
      ['cactus', true, 'ca', false],
    ] as const) {
      await installation.annotateLease({ rotate: existing });
      const { lines } = await run(installation, { ca, options });
      const told = JSON.parse(lines.join('')) as { readonly lines: readonly string[] };
      expect(told, `${existing}, then ${ca ? 'the CA' : 'a leaf'}`).to.include({
        requested,
        alreadyRequested: already,
      });
      const what = requested === 'ca' ? 'a new CA and leaf' : 'a new leaf';
      expect(told.lines).to.deep.equal([`${already ? 'already requested' : 'requested'}: ${what}`]);
      expect(await installation.leaseAnnotation('rotate')).to.equal(already ? existing : requested);
    }
  });

  it('and given up after the time without progress, with why there is none', async () => {
    await makeLease('web-0');
    await announce(await lead(issuers[0], []));
    const held = await run(installation, { around: { standstillMs: 100 } });
    expect(held.lines[0]).to.equal('requested: a new leaf');
    expect(held.lines[1]).to.match(/^no progress for 0\.1 s: no leader: web-0 holds the Lease but has not renewed it/);
    expect(held.code).to.equal(1);

    await accepted(api.admin.patch('merge', installation.paths.lease, { spec: { holderIdentity: '' } }));
    const released = await run(installation, { around: { standstillMs: 100 } });
    expect(released.lines[0]).to.equal('already requested: a new leaf');
    expect(released.lines[1]).to.match(/^no progress for 0\.1 s: no leader: the Lease has no holder/);
    expect(released.code).to.equal(1);
  });

  it('and given up after the time of --timeout in all, with or without progress', async () => {
    await makeLease('web-0');
    const { code, lines } = await run(installation, { options: { timeoutMs: 200 }, around: { standstillMs: 1 } });
    expect(lines[1]).to.match(/^not served by every replica after 0\.2 s: no leader: /);
    expect(code).to.equal(1);
  });

  it('and left to the leader when somebody does not want to wait', async () => {
    await makeLease('web-0');
    const requested = Promise.withResolvers<void>();
    const lines: string[] = [];
    const print = (line: string): void => {
      lines.push(line);
      requested.resolve();
    };
    const { code } = await run(installation, { around: { print, stopped: requested.promise } });
    expect(lines).to.deep.equal(['requested: a new leaf', 'no longer following; the leader continues']);
    expect(code).to.equal(1);
  });

  it('of no other issuer, whose own command is named', async () => {
    await makeLease('web-0');
    const refused = await run(installation, { env: { CERT_ISSUER: 'external' }, options: { json: true } });
    expect(JSON.parse(refused.lines.join(''))).to.deep.equal({
      ok: false,
      requested: null,
      alreadyRequested: false,
      hash: null,
      validUntil: null,
      lines: ['CERT_ISSUER is external: the certificate is renewed by its issuer (cert-manager: cmctl renew NAME)'],
    });
    expect(refused.code).to.equal(1);
    expect(await installation.leaseAnnotation('rotate')).to.equal(undefined);
  });

  it('by the settings of the Pods, with what the command was told besides', async () => {
    await makeLease('web-0');
    await makePod('web-0', { CA_OVERLAP: '30m' });
    const { lines } = await run(installation, { env: { CA_OVERLAP: '9h' }, options: { noWait: true } });
    expect(lines).to.have.length(2);
    expect(lines[0]).to.match(/^your Pods say CA_OVERLAP=\S+, and this command was told 9h/);
  });

  it('of no Lease that there is not, with where it looked and which there are', async () => {
    const missing = await run(installation);
    expect(missing.lines).to.deep.equal([
      `there is no Lease ${LEASE} in ${installation.namespace}: has a replica ever been leader there? -n selects another namespace`,
    ]);
    expect(missing.code).to.equal(1);

    const ofOrders = (name: string) => ({ LEASE_NAME: name, POD_SELECTOR: `app=${name}`, SERVICE_NAME: name });
    await makePod('orders-0', ofOrders('orders'));
    await makePod('bills-0', ofOrders('bills'));
    const several = await run(installation, { env: { POD_SELECTOR: 'app=none' } });
    expect(several.lines).to.have.length(1);
    const [before, candidates = ''] = several.lines[0]?.split(': there are ') ?? [];
    expect(before).to.equal(`there is no Lease ${LEASE} in ${installation.namespace}`);
    expect(candidates.split(', ')).to.have.members([
      'orders (--pod-selector=app=orders)',
      'bills (--pod-selector=app=bills)',
    ]);
    expect(several.code).to.equal(1);
  });

  it('again where the leader writes the Lease meanwhile, ten times at most', async () => {
    await makeLease('web-0');
    await using gate = await startApiGate(api);
    const kubeconfig = through(gate);
    for (const [conflicts, code] of [
      [10, 0],
      [11, 1],
    ] as const) {
      await installation.annotateLease({ rotate: null });
      let writes = 0;
      gate.keeper = {
        asked: async ({ method, path }) => {
          if (method === 'GET' || path !== installation.paths.lease) return;
          writes += 1;
          if (writes <= conflicts) await installation.annotateLease({ touched: String(writes) });
        },
      };
      const { lines, ...result } = await run(installation, { kubeconfig, options: { noWait: true } });
      expect(result.code, lines.join('\n')).to.equal(code);
      expect(writes).to.equal(11);
      if (code === 0) expect(lines).to.deep.equal(['requested: a new leaf']);
      else expect(lines.join('\n')).to.include('409');
    }
  });

  it('of no Lease that is deleted meanwhile, before or after it is read again', async () => {
    await using gate = await startApiGate(api);
    for (const [moment, said] of [
      ['GET', 'the Lease is gone'],
      ['PATCH', '404'],
    ] as const) {
      await makeLease('web-0');
      let reads = 0;
      gate.keeper = {
        asked: async ({ method, path }) => {
          if (path !== installation.paths.lease) return;
          if (method === 'GET') reads += 1;
          if (moment === 'GET' ? reads === 2 : method !== 'GET') await api.admin.delete(path);
        },
      };
      const { lines, code } = await run(installation, { kubeconfig: through(gate), options: { noWait: true } });
      expect(code).to.equal(1);
      expect(lines.join('\n')).to.include(said);
    }
  });

  it('once where it is refused for another reason than a conflict', async () => {
    await makeLease('web-0');
    await using gate = await startApiGate(api);
    let writes = 0;
    gate.keeper = {
      asked: ({ method }) => {
        if (method !== 'GET') writes += 1;
      },
    };
    const rules = [{ apiGroups: ['*'], resources: ['*'], verbs: ['get', 'list', 'watch'] }];
    const reader = await api.userWithRules(`reader-${installation.namespace}`, rules);
    const { lines, code } = await run(installation, { kubeconfig: through(gate, reader), options: { noWait: true } });
    expect(lines).to.have.length(1);
    expect(lines[0]).to.match(/patch.*lease.*403/i);
    expect([code, writes]).to.deep.equal([1, 1]);
  });

  it('of an API server that returns every object in time', async () => {
    await makeLease('web-0');
    await using gate = await startApiGate(api);
    const ended = Promise.withResolvers<void>();
    gate.keeper = { asked: ({ path }) => (path.endsWith('/secrets') ? ended.promise : undefined) };
    const { lines, code } = await run(installation, { kubeconfig: through(gate), around: { initialListMs: 200 } });
    ended.resolve();
    expect(lines).to.deep.equal(['the API server has not returned every object within 0.2 s']);
    expect(code).to.equal(1);
  });

  it('without hiding where this program is wrong', async () => {
    await makeLease('web-0');
    let printed = 0;
    const print = (): void => {
      printed += 1;
      if (printed === 1) throw new TypeError('a bug');
    };
    const error: unknown = await run(installation, { around: { print } }).catch((each: unknown) => each);
    expect(error).to.be.instanceOf(TypeError).with.property('message', 'a bug');
  });

  it('with a permission, which is named where it is missing', async () => {
    const kubeconfig = await api.userWithRules(`nobody-${installation.namespace}`, []);
    const { code, lines } = await run(installation, { kubeconfig });
    expect(code).to.equal(1);
    expect(lines).to.have.length(1);
    expect(lines[0]).to.match(/get.*lease/i);
  });

  it('of an API server, and says so when that cannot be reached', async () => {
    const kubeconfig = api.adminKubeconfig().replaceAll(api.url, 'https://127.0.0.1:1');
    const { code, lines } = await run(installation, { kubeconfig });
    expect(code).to.equal(1);
    expect(lines.join('\n')).to.include('127.0.0.1:1');
  });
});
