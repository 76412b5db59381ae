import { expect } from 'chai';
import { firstValueFrom } from 'rxjs';
import { openClient } from '../../src/cluster/open-client.ts';
import { parse } from '../config/parse.ts';
import { base64, kubeconfig } from '../kube/kubeconfig.ts';
import { scriptedApi } from '../kube/scripted-api.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

describe('the client of a replica', () => {
  it('goes where the kubeconfig says, and names the program with its version', async () => {
    await using api = await scriptedApi();
    await using directory = await temporaryDirectory();
    const cluster = { 'certificate-authority-data': base64(api.pki.ca) };
    const parsed = parse({ KUBECONFIG: await directory.write('config', kubeconfig({ server: api.url, cluster })) });
    if (!parsed.ok) throw new Error(parsed.problems.join());
    await using client = await openClient(parsed.config, null, '1.2.3');
    await firstValueFrom(client.send({ method: 'GET', path: '/version' }));
    expect(api.asked.map(({ url, headers }) => [url, headers['user-agent']])).to.deep.equal([
      ['/version', 'webhook-certd/1.2.3'],
    ]);
  });
});
