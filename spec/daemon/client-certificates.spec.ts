import { rename, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { expect } from 'chai';
import { type ApiUnderTest, startApiUnderTest } from '../support/api-under-test.ts';
import { install } from '../support/installation.ts';
import { supportPair, type TestPair } from '../support/pki.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** What a caller with this client certificate gets: a status, or no answer at all. */
const status = (port: number, client: TestPair | null): Promise<number | 'refused'> =>
  new Promise((resolve) => {
    const shown = client === null ? {} : { cert: client.certificate, key: client.key };
    const headers = { 'content-type': 'application/json' };
    const call = request(
      { host: '127.0.0.1', port, method: 'POST', headers, agent: false, rejectUnauthorized: false, ...shown },
      (answer) => {
        answer.resume();
        resolve(answer.statusCode ?? 0);
      },
    );
    call.once('error', () => resolve('refused'));
    call.end('{}');
  });

describe('CLIENT_CA_FILE', function () {
  this.timeout(60_000);
  let api: ApiUnderTest;
  before(async () => {
    api = await startApiUnderTest();
  });
  after(() => api[Symbol.asyncDispose]());

  it('lets in only who shows a certificate of it, follows the file, and outlives its loss', async () => {
    await using folder = await temporaryDirectory();
    const file = join(folder.path, 'callers.crt');
    const [before, after] = [await supportPair(['api-server']), await supportPair(['api-server'])];
    await writeFile(file, before.ca);
    await using installation = await install(api, { env: { CLIENT_CA_FILE: file } });
    await using replica = await installation.replica();
    await replica.line('Ready');
    const ask = async () => [
      await status(replica.webhookPort, null),
      await status(replica.webhookPort, before),
      await status(replica.webhookPort, after),
    ];
    // 400: let in, and told that {} is no AdmissionReview.
    expect(await ask()).to.deep.equal(['refused', 400, 'refused']);

    // In one step: a file that is half written is rejected, too.
    await writeFile(`${file}.new`, after.ca);
    await rename(`${file}.new`, file);
    await replica.line('Client CA bundle changed', { file });
    expect(await ask()).to.deep.equal(['refused', 'refused', 400]);

    await rm(file);
    const reason = `CLIENT_CA_FILE ${file}: ENOENT`;
    await replica.line('Client CA bundle rejected, keeping the one in use', { level: 'warn', reason });
    expect(await ask()).to.deep.equal(['refused', 'refused', 400]);
    expect(replica.count('Client CA bundle rejected, keeping the one in use')).to.equal(1);
    expect((await replica.probe('/readyz')).text).to.equal('ok');
  });

  it('ends with 1 and names the file when it cannot be used at the start', async () => {
    await using installation = await install(api, { env: { CLIENT_CA_FILE: '/no/such/ca.crt' } });
    await using replica = await installation.replica();
    expect(await replica.exit).to.equal(1);
    const [line] = replica.lines.filter(({ message }) => message === 'Fatal error');
    expect(line).to.include({ level: 'error', error: 'CLIENT_CA_FILE /no/such/ca.crt: ENOENT' });
  });
});
