import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { type ApiUnderTest, startApiUnderTest } from '../support/api-under-test.ts';
import { install, type Installation, type SpecReplica } from '../support/installation.ts';
import { openssl } from '../support/pki.ts';
import type { LogLine } from '../support/running-daemon.ts';
import { servedSerial } from '../support/served-serial.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { until } from '../support/until.ts';

const LOADED = 'Certificate loaded and verified';
const EVENT = 'Lease watch event received';
const MISMATCH = 'Certificate hash mismatch, waiting for kubelet sync';
/** How long the API server is gone, and how often a watch is attempted in that time, at most: further and further apart. */
const [GONE_S, MOST_ATTEMPTS] = process.env['SPEC_API'] === undefined ? [8, 6] : [30, 12];

describe('a daemon on an API server', function () {
  this.timeout(120_000);
  let api: ApiUnderTest;
  before(async () => {
    api = await startApiUnderTest();
  });
  after(() => api[Symbol.asyncDispose]());

  /** What `openssl req -x509` and `kubectl create secret tls … | kubectl apply` do. */
  const manualSecret = async ({ paths }: Installation, folder: string, name: string): Promise<void> => {
    const [key, certificate] = [join(folder, `${name}.key`), join(folder, `${name}.crt`)];
    await openssl(
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      key,
      '-out',
      certificate,
      '-days',
      '1',
      '-subj',
      `/CN=${name}`,
    );
    const encoded = async (path: string): Promise<string> => (await readFile(path)).toString('base64');
    const data = { 'tls.crt': await encoded(certificate), 'tls.key': await encoded(key) };
    const body = { metadata: { name: basename(paths.secret) }, type: 'kubernetes.io/tls', data };
    const answer = await api.admin.patch('merge', paths.secret, { data });
    if (answer.status === 404) expect((await api.admin.post(dirname(paths.secret), body)).status).to.equal(201);
  };

  const certificateHash = async ({ paths }: Installation): Promise<string> => {
    const encoded = (await api.admin.get(paths.secret)).at('data', 'tls.crt');
    return createHash('sha256')
      .update(Buffer.from(typeof encoded === 'string' ? encoded : '', 'base64'))
      .digest('hex');
  };

  it('starts where there is nothing: issues, injects, announces the hash of tls.crt, and serves it', async () => {
    await using installation = await install(api);
    await using replica = await installation.replica();
    const { hash } = await replica.line(LOADED);

    expect(hash).to.equal(await certificateHash(installation));
    expect(await installation.leaseAnnotation('cert-hash')).to.equal(hash);
    expect(await installation.leaseAnnotation('cert-ready')).to.equal('true');
    expect(await installation.leaseAnnotation('cert-valid-until')).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect((await replica.probe('/readyz')).text).to.equal('ok');
    expect((await api.admin.get(installation.paths.target)).at('webhooks', 0, 'clientConfig', 'caBundle')).to.be.a(
      'string',
    );
  });

  it('starts where there is everything without a write but the claim of the Lease', async () => {
    await using installation = await install(api);
    {
      await using first = await installation.replica();
      await first.line(LOADED);
      first.kill('SIGTERM');
      expect(await first.exit).to.equal(0);
    }
    await using second = await installation.replica();
    await second.line(LOADED);
    await second.line('Leadership acquired');
    await sleep(1_000);
    for (const written of [
      'Certificate issued',
      'Certificate authority issued',
      'Certificate announced',
      'caBundle written',
    ])
      expect(second.count(written), written).to.equal(0);
  });

  it('renews on request, in every replica, with one hash from event to load', async () => {
    await using installation = await install(api, { kubeletDelayMs: 700, env: { KUBELET_NUDGE: 'false' } });
    await using leader = await installation.replica();
    const before = await leader.line(LOADED);
    await using follower = await installation.replica();
    await follower.line(LOADED);
    follower.mark();
    await installation.annotateLease({ rotate: 'leaf' });

    const after = await follower.line(LOADED);
    expect(after['hash']).not.to.equal(before['hash']);
    const told = follower.lines.filter((line) => line['hash'] === after['hash']).map(({ message }) => message);
    expect(told.slice(0, 3)).to.deep.equal(['Lease watch event received', MISMATCH, LOADED]);
    expect(await installation.leaseAnnotation('rotate')).to.equal(undefined);
  });

  it('ends with 1 and says what it was waiting for when no certificate comes in time', async () => {
    await using installation = await install(api, { env: { LEADER_ELECTION: 'false', CERT_TIMEOUT: '1s' } });
    await using replica = await installation.replica();
    expect(await replica.exit).to.equal(1);
    const [line] = replica.lines.filter(({ message }) => message === 'Timeout waiting for webhook certificates');
    expect(line).to.include({ level: 'error', timeoutSeconds: 1, reason: 'no-announcement' });
  });

  it(`outlives an API server that is gone for ${GONE_S} s, serving all the time, and renews when it is back`, async () => {
    // The same failure again is told at debug.
    await using installation = await install(api, { env: { LOG_LEVEL: 'debug' } });
    await using replica = await installation.replica();
    const before = await replica.line(LOADED);
    await api.stop();
    try {
      const failures = () =>
        replica.lines.filter((line) => line.message === 'Watch creation failed' && !('object' in line)).length;
      await sleep(GONE_S * 1_000);
      expect(await servedSerial(replica.webhookPort)).to.equal(before['serial']);
      expect((await replica.probe('/readyz')).text).to.equal('ok');
      expect(failures()).to.be.within(3, MOST_ATTEMPTS);
    } finally {
      await api.start();
    }

    await until(() => replica.probe('/status').then(({ text }) => text.includes('"state": "established"')), 40_000);
    replica.mark();
    await installation.annotateLease({ rotate: 'leaf' });
    expect((await replica.line(LOADED))['hash']).not.to.equal(before['hash']);
  });

  it('lists afresh when the watch history has been compacted away', async () => {
    await using installation = await install(api);
    await using replica = await installation.replica();
    const before = await replica.line(LOADED);
    replica.mark();
    await api.compact();
    await replica.line('Lease watch established, monitoring for certificate updates', {}, 40_000);
    await installation.annotateLease({ rotate: 'leaf' });
    expect((await replica.line(LOADED))['hash']).not.to.equal(before['hash']);
  });

  it('makes a deleted Lease again, with its announcement', async () => {
    await using installation = await install(api);
    await using replica = await installation.replica();
    const { hash } = await replica.line(LOADED);
    expect((await api.admin.delete(installation.paths.lease)).status).to.equal(200);
    await until(async () => (await installation.leaseAnnotation('cert-hash')) === hash);
    expect((await replica.probe('/readyz')).text).to.equal('ok');
  });

  describe('whose announcement another program spoils', () => {
    /** One for all: each case ends with the announcement put right. */
    let installation: Installation;
    let replica: SpecReplica;
    let loaded: LogLine;
    before(async () => {
      installation = await install(api);
      replica = await installation.replica();
      loaded = await replica.line(LOADED);
    });
    after(() => installation[Symbol.asyncDispose]());

    for (const [what, annotations] of Object.entries({
      'a hash of the wrong length': { 'cert-hash': 'abc' },
      'a hash that is not hex': { 'cert-hash': 'z'.repeat(64) },
      'cert-ready that is not "true"': { 'cert-ready': 'yes' },
      'an annotation of 200 kB': { 'cert-hash': 'a'.repeat(200_000) },
      'a date that is none': { 'cert-valid-until': 'tomorrow' },
    }))
      it(`goes on serving under ${what}, and the leader puts the announcement right`, async () => {
        await installation.annotateLease(annotations);
        await until(async () => {
          const standing = await Promise.all(
            ['cert-hash', 'cert-ready', 'cert-valid-until'].map((name) => installation.leaseAnnotation(name)),
          );
          return standing[0] === loaded['hash'] && standing[1] === 'true' && standing[2] === loaded['validUntil'];
        });
        expect((await replica.probe('/readyz')).text).to.equal('ok');
        expect(JSON.stringify(replica.lines).length).to.be.below(50_000);
        expect(replica.count(LOADED)).to.equal(1);
      });
  });

  it('issues a deleted Secret again and goes on serving meanwhile', async () => {
    await using installation = await install(api);
    await using replica = await installation.replica();
    const before = await replica.line(LOADED);
    replica.mark();
    expect((await api.admin.delete(installation.paths.secret)).status).to.equal(200);
    const after = await replica.line(LOADED);
    expect(after['hash']).not.to.equal(before['hash']);
    expect(after['hash']).to.equal(await certificateHash(installation));
    expect(replica.lines.some((line) => line.message === 'Not ready' && line['hash'] !== null)).to.equal(false);
  });

  it("takes the seed's manual renewal: event, mismatch, loaded, in that order and with one hash", async () => {
    await using installation = await install(api, {
      kubeletDelayMs: 1_000,
      env: { CERT_ISSUER: 'external', KUBELET_NUDGE: 'false' },
    });
    await using folder = await temporaryDirectory();
    await using replica = await installation.replica();
    await replica.line('Leadership acquired');
    await manualSecret(installation, folder.path, 'first');
    const first = await replica.line(LOADED);
    replica.mark();
    await manualSecret(installation, folder.path, 'second');
    const second = await replica.line(LOADED);
    expect(second['hash']).not.to.equal(first['hash']);
    const told = replica.lines
      .filter((line) => line['hash'] === second['hash'])
      .map(({ message }) => message)
      .filter((message) => [EVENT, MISMATCH, LOADED].includes(message));
    expect(told).to.deep.equal([EVENT, MISMATCH, LOADED]);
    expect(replica.count('Certificate issued')).to.equal(0);
  });
});
