import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { expect } from 'chai';
import { type RotateDependencies, type RotateOptions, runRotate } from '../../src/commands/rotate.ts';
import { parseConfig } from '../../src/config/config.ts';
import { type ApiUnderTest, startApiUnderTest } from '../support/api-under-test.ts';
import { install, type Installation, type SpecReplica } from '../support/installation.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { until } from '../support/until.ts';

const never = new Promise<void>(() => undefined);

describe('webhook-certd rotate', function () {
  this.timeout(60_000);
  let api: ApiUnderTest;
  let folder: Awaited<ReturnType<typeof temporaryDirectory>>;
  before(async () => {
    api = await startApiUnderTest();
    folder = await temporaryDirectory();
  });
  after(async () => {
    await folder[Symbol.asyncDispose]();
    await api[Symbol.asyncDispose]();
  });

  interface Asked {
    readonly ca?: boolean;
    readonly options?: Partial<RotateOptions>;
    readonly env?: Readonly<Record<string, string>>;
    readonly kubeconfig?: string;
    readonly around?: Partial<RotateDependencies>;
  }

  /** What somebody at a desk sees. */
  const run = async ({ namespace, paths }: Pick<Installation, 'namespace' | 'paths'>, asked: Asked = {}) => {
    const { ca = false, options = {}, env = {}, kubeconfig = api.adminKubeconfig(), around = {} } = asked;
    const file = join(folder.path, `${namespace}.yaml`);
    await writeFile(file, kubeconfig);
    const targets = `validatingwebhookconfiguration/${basename(paths.target)}`;
    const parsed = parseConfig({
      env: { KUBECONFIG: file, POD_NAMESPACE: namespace, CA_BUNDLE_TARGETS: targets, ...env },
      flags: new Map(),
      serves: false,
      read: { namespace: () => null, hostname: () => 'desk' },
    });
    if (!parsed.ok) throw new Error(parsed.problems.join('\n'));
    const lines: string[] = [];
    const print = (line: string): void => void lines.push(line);
    const surroundings = { inCluster: null, version: '0.0.0', print, stopped: never, ...around };
    const asks = { ca, json: false, noWait: false, timeoutMs: null, ...options };
    return { code: await runRotate(parsed.config, asks, surroundings), lines };
  };

  const serving = async (...replicas: readonly SpecReplica[]): Promise<void> => {
    await until(async () => {
      const answers = await Promise.all(replicas.map((replica) => replica.probe('/readyz').catch(() => null)));
      return answers.every((answer) => answer?.code === 200);
    });
  };

  const fingerprint = '[0-9a-f]{64}';

  it('follows a new leaf until every replica serves it', async () => {
    await using installation = await install(api);
    await using first = await installation.replica();
    await using second = await installation.replica();
    await serving(first, second);
    const before = await installation.leaseAnnotation('cert-hash');

    const { code, lines } = await run(installation);
    const hash = await installation.leaseAnnotation('cert-hash');
    const validUntil = await installation.leaseAnnotation('cert-valid-until');
    expect(hash).not.to.equal(before);
    expect(lines.filter((line) => !/^acknowledged: [01]\/2/.test(line))).to.deep.equal([
      'requested: a new leaf',
      `Secret written: ${hash}`,
      `announced: ${hash}, valid until ${validUntil}`,
      'acknowledged: 2/2 replicas',
    ]);
    expect(code).to.equal(0);
    for (const replica of [first, second]) {
      expect((JSON.parse((await replica.probe('/status')).text) as { served: unknown }).served).to.include({ hash });
    }
  });

  it('follows a new CA through every caBundle to every replica, and says how long the older one is kept', async () => {
    await using installation = await install(api);
    await using replica = await installation.replica();
    await serving(replica);

    const { code, lines } = await run(installation, { ca: true });
    const wanted = [
      /^requested: a new CA and leaf$/,
      new RegExp(`^picked up by ${replica.name}, replaces the CA ${fingerprint}$`),
      new RegExp(`^new CA issued: ${fingerprint}$`),
      /^caBundle extended: validatingwebhookconfiguration\//,
      new RegExp(`^Secret written: ${fingerprint}$`),
      new RegExp(`^announced: ${fingerprint}, valid until `),
      /^acknowledged: 1\/1 replicas$/,
      /^the older CA is kept until \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ \(CA_OVERLAP\), then removed$/,
    ];
    const told = lines.filter((line) => !line.startsWith('acknowledged: 0'));
    expect(told).to.have.length(wanted.length);
    wanted.forEach((pattern, at) => expect(told[at]).to.match(pattern));
    expect(code).to.equal(0);
  });

  it('says that the older CA is removed when it is by then', async () => {
    await using installation = await install(api, { env: { CA_OVERLAP: '0' } });
    await using replica = await installation.replica();
    await serving(replica);
    const { code, lines } = await run(installation, { ca: true, env: { CA_OVERLAP: '0' } });
    expect(lines.at(-1)).to.match(/^the older CA is (removed|kept until .*, then removed)$/);
    expect(code).to.equal(0);
  });

  it('says how long the older CA is kept by the CA_OVERLAP of the leader, not by its own or that of another Pod', async () => {
    await using installation = await install(api, { env: { CA_OVERLAP: '30m' } });
    const saying = (value: string) => ({ image: 'registry/embedding:1', env: [{ name: 'CA_OVERLAP', value }] });
    await using leader = await installation.replica({ container: saying('30m') });
    await serving(leader);
    // In the middle of an update, other Pods may say something else.
    await using other = await installation.replica({ container: saying('2h') });
    await using another = await installation.replica({ container: saying('2h') });
    await serving(other, another);
    const { code, lines } = await run(installation, { ca: true, env: { CA_OVERLAP: '9h' } });
    const until = /kept until (\S+) \(CA_OVERLAP\)/.exec(lines.at(-1) ?? '')?.[1] ?? '';
    expect(Date.parse(until) - Date.now()).to.be.within(29 * 60_000, 31 * 60_000);
    expect(lines[0]).to.match(/^your Pods say CA_OVERLAP=\S+, and this command was told 9h/);
    expect(code).to.equal(0);
  });

  it('ends once it is requested with --no-wait, and says all in one JSON document with -o json', async () => {
    await using installation = await install(api);
    await using replica = await installation.replica();
    await serving(replica);
    const before = await installation.leaseAnnotation('cert-hash');
    const options = { noWait: true, json: true } as const;
    const { code, lines } = await run(installation, { options });
    expect(code).to.equal(0);
    const { hash, validUntil, ...rest } = JSON.parse(lines.join('')) as Record<string, unknown>;
    expect(rest).to.deep.equal({
      ok: true,
      requested: 'leaf',
      alreadyRequested: false,
      lines: ['requested: a new leaf'],
    });
    expect([hash, validUntil]).to.deep.equal([before, await installation.leaseAnnotation('cert-valid-until')]);
    await until(async () => (await installation.leaseAnnotation('cert-hash')) !== before);
    const followed = await run(installation, { options: { json: true } });
    const document = JSON.parse(followed.lines.join('')) as {
      readonly hash: string;
      readonly lines: readonly string[];
    };
    expect(document.hash).to.equal(await installation.leaseAnnotation('cert-hash'));
    expect(document.lines.at(-1)).to.equal('acknowledged: 1/1 replicas');
    expect(followed.code).to.equal(0);
  });

  it('waits for the time of --timeout in all, with or without progress', async () => {
    await using installation = await install(api, { env: { LEASE_DURATION: '60s' } });
    await using replica = await installation.replica();
    await serving(replica);
    replica.kill('SIGKILL');
    await replica.exit;
    const { code, lines } = await run(installation, { options: { timeoutMs: 1_000 }, around: { standstillMs: 1 } });
    expect(lines[1]).to.match(/^not served by every replica after 1 s: no leader: /);
    expect(code).to.equal(1);
  });

  it('says where it looked when there is no Lease', async () => {
    await using installation = await install(api);
    const { code, lines } = await run(installation);
    expect(code).to.equal(1);
    expect(lines).to.have.length(1);
    expect(lines[0]).to.match(/^there is no Lease 8377a775\.my\.company\.com in hooks-/);
  });

  it('says that there is no leader: released, or held by a replica that has ended; and follows what was requested before', async () => {
    await using installation = await install(api, { env: { LEASE_DURATION: '60s' } });
    await using replica = await installation.replica();
    await serving(replica);
    replica.kill('SIGKILL');
    await replica.exit;
    const held = await run(installation, { around: { standstillMs: 1_000 } });
    expect(held.lines[0]).to.equal('requested: a new leaf');
    expect(held.lines[1]).to.match(
      new RegExp(`^no progress for 1 s: no leader: ${replica.name} holds the Lease but has not renewed it`),
    );
    expect(held.code).to.equal(1);

    await api.admin.patch('merge', installation.paths.lease, { spec: { holderIdentity: '' } });
    const released = await run(installation, { around: { standstillMs: 1_000 } });
    expect(released.lines[0]).to.equal('already requested: a new leaf');
    expect(released.lines[1]).to.match(/^no progress for 1 s: no leader: the Lease has no holder/);
    expect(released.code).to.equal(1);
  });

  it('asks for the CA where only a leaf was requested, and for nothing less than was', async () => {
    await using installation = await install(api, { env: { LEASE_DURATION: '60s' } });
    await using replica = await installation.replica();
    await serving(replica);
    replica.kill('SIGKILL');
    await replica.exit;
    await installation.annotateLease({ rotate: 'leaf' });
    const around = { standstillMs: 200 };
    expect((await run(installation, { ca: true, around })).lines[0]).to.equal('requested: a new CA and leaf');
    expect(await installation.leaseAnnotation('rotate')).to.equal('ca');
    expect((await run(installation, { around })).lines[0]).to.equal('already requested: a new CA and leaf');
    expect(await installation.leaseAnnotation('rotate')).to.equal('ca');
  });

  it('leaves it to the leader when somebody does not want to wait', async () => {
    await using installation = await install(api, { env: { LEASE_DURATION: '60s' } });
    await using replica = await installation.replica();
    await serving(replica);
    replica.kill('SIGKILL');
    await replica.exit;
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

  it('does not ask for what somebody else issues, and notices a leader that drops the request', async () => {
    await using installation = await install(api);
    {
      await using replica = await installation.replica();
      await serving(replica);
      const refused = await run(installation, { env: { CERT_ISSUER: 'external' } });
      expect(refused.lines).to.have.length(1);
      expect(refused.lines[0]).to.match(/^CERT_ISSUER is external/);
      expect(refused.code).to.equal(1);
      replica.kill('SIGTERM');
      await replica.exit;
    }
    await using external = await installation.replica({ env: { CERT_ISSUER: 'external' } });
    await serving(external);
    const { code, lines } = await run(installation);
    expect(lines.at(-1)).to.match(/^the request is gone and nothing was rotated/);
    expect(code).to.equal(1);
  });

  it('names the permission that is missing', async () => {
    await using installation = await install(api);
    const kubeconfig = await api.userWithRules(`nobody-${installation.namespace}`, []);
    const { code, lines } = await run(installation, { kubeconfig });
    expect(code).to.equal(1);
    expect(lines).to.have.length(1);
    expect(lines[0]).to.match(/get.*lease/i);
  });

  it('says so when the API server cannot be reached', async () => {
    const paths = { target: 'none' } as Installation['paths'];
    const kubeconfig = api.adminKubeconfig().replaceAll(api.url, 'https://127.0.0.1:1');
    const { code, lines } = await run({ namespace: 'anywhere', paths }, { kubeconfig });
    expect(code).to.equal(1);
    expect(lines.join('\n')).to.include('127.0.0.1:1');
  });
});
