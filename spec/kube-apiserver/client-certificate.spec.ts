import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { freePort } from '../support/free-port.ts';
import { installHooked } from '../support/hooked.ts';
import { supportPair } from '../support/pki.ts';
import { startRealApi } from '../support/real-api.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { until } from '../support/until.ts';

describe('CLIENT_CA_FILE and the real API server', function () {
  this.timeout(180_000);

  it('lets in the certificate that kube-apiserver shows its webhooks, and nothing once another is asked for', async () => {
    const shown = await supportPair(['api-server']);
    await using folder = await temporaryDirectory();
    const file = join(folder.path, 'callers.crt');
    await writeFile(file, shown.ca);
    await using api = await startRealApi({ webhookClient: { certificate: shown.certificate, key: shown.key } });
    const port = await freePort();
    await using installation = await installHooked(api, port, {
      env: { CLIENT_CA_FILE: file },
      webhook: { timeoutSeconds: 5 },
    });
    const { namespace } = installation;
    const create = (name: string) =>
      api.admin.post(`/api/v1/namespaces/${namespace}/configmaps?dryRun=All`, { metadata: { name } });
    // The API server follows webhook configurations by a watch of its own: it asks once it has heard of this one.
    await until(async () => (await create('unserved')).status === 500, 40_000);

    await using replica = await installation.replica({ env: { WEBHOOK_BIND_ADDRESS: `127.0.0.1:${port}` } });
    await replica.line('Ready');
    await until(async () => (await create('admitted')).status === 201, 40_000);
    for (let time = 0; time < 20; time += 1) expect((await create(`admitted-${time}`)).status).to.equal(201);

    await writeFile(file, (await supportPair(['somebody else'])).ca);
    await replica.line('Client CA bundle changed', { file });
    await until(async () => (await create('refused')).status === 500, 40_000);
    expect((await create('refused')).at('message')).to.match(/failed calling webhook .*(certificate|alert|EOF|reset)/);
  });
});
