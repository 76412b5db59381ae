import { expect } from 'chai';
import { type ApiUnderTest, startApiUnderTest } from '../support/api-under-test.ts';
import { install, type SpecReplica } from '../support/installation.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';
import { until } from '../support/until.ts';
import { rotating } from './rotating.ts';

describe('webhook-certd rotate', function () {
  this.timeout(60_000);
  let api: ApiUnderTest;
  let folder: TemporaryDirectory;
  let run: ReturnType<typeof rotating>;
  before(async () => {
    api = await startApiUnderTest();
    folder = await temporaryDirectory();
    run = rotating(api, folder);
  });
  after(async () => {
    await folder[Symbol.asyncDispose]();
    await api[Symbol.asyncDispose]();
  });

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

  it('notices a leader that drops the request, since another program issues there', async () => {
    await using installation = await install(api);
    {
      await using replica = await installation.replica();
      await serving(replica);
      replica.kill('SIGTERM');
      await replica.exit;
    }
    await using external = await installation.replica({ env: { CERT_ISSUER: 'external' } });
    await serving(external);
    const { code, lines } = await run(installation);
    expect(lines.at(-1)).to.match(/^the request is gone and nothing was rotated/);
    expect(code).to.equal(1);
  });
});
