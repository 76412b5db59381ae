import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { issuerFor, type Renewal } from '../support/issuing-program.ts';
import { until } from '../support/until.ts';
import { adoptions, another, get, readyReplicas, SYSTEM } from './cluster.ts';
import { dayOf, image } from './day.ts';
import { kubectl } from './kubectl.ts';
import { type Manifest, renderedManifests } from './rendered-manifests.ts';

const CLIENTS = 'webhook-certd-e2e-relay';
const NAME = 'webhook-certd';
const SOURCE = `${NAME}-issued`;
const TARGET = `validatingwebhookconfiguration/${NAME}.${NAME}`;
const READY_MS = 60_000;
/** As cert-manager renews: half of them with another CA. */
const RENEWALS: readonly Renewal[] = ['leaf', 'ca', 'chain', 'self-signed', 'ca', 'leaf'];

const printed = async (): Promise<string> => {
  const main = join(import.meta.dirname, '..', '..', 'src', 'main.ts');
  const args = ['manifests', '--name', NAME, '--namespace', NAME, '--issuer', 'relay', '--image', image];
  return (await promisify(execFile)(process.execPath, [main, ...args, '--create-namespace'])).stdout;
};

/** The spec stands for cert-manager, whose types this cluster does not know. */
const withoutCertManager = (manifests: readonly Manifest[]): readonly Manifest[] =>
  manifests.filter(({ apiVersion }) => !apiVersion.startsWith('cert-manager.io/'));

describe('a webhook whose certificates another program issues, on a real cluster', () => {
  const manifests = (): Promise<string> =>
    renderedManifests(image, { CA_OVERLAP: '5s', TRUST_SETTLE: '3s' }, withoutCertManager, printed);

  const issue = issuerFor([`${NAME}.${NAME}.svc`]);
  const renew = async (what: Renewal): Promise<void> => {
    const stringData = await issue(what);
    const metadata = { name: SOURCE, namespace: NAME };
    await kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata, stringData }));
  };

  const day = dayOf(CLIENTS, manifests);

  it('has two replicas ready once that program has issued', async () => {
    await kubectl(['apply', '-f', '-'], await manifests());
    await renew('ca');
    await until(async () => (await readyReplicas()) === 2, READY_MS);
    await day.begin();
  });

  it(`takes over ${RENEWALS.join(', ')} without a failed create`, async () => {
    for (const what of RENEWALS) {
      const took = await adoptions(await another(() => renew(what)));
      process.stdout.write(`      ${what}: served ${took.join(' and ')} ms after it was announced\n`);
    }
    expect(day.creates.failures).to.deep.equal([]);
  });

  it('trusts the CA of the last renewal alone in the end', async () => {
    const { 'ca.crt': only = '' } = await issue('leaf');
    const trusted = async (): Promise<string> =>
      Buffer.from(await get([TARGET], '{.webhooks[0].clientConfig.caBundle}'), 'base64').toString();
    await until(async () => (await trusted()) === only, 60_000);
    expect(day.creates.failures).to.deep.equal([]);
  });

  it('gives nothing to the Pods that callers would refuse', async () => {
    const before = await get(['secret', `${NAME}-cert`], '{.data.tls\\.crt}');
    const { 'tls.crt': certificate = '' } = await issue('leaf');
    const torn = { stringData: { 'tls.crt': certificate.slice(0, 200) } };
    await kubectl([...SYSTEM, 'patch', 'secret', SOURCE, '--type=merge', '-p', JSON.stringify(torn)]);
    const isTold = async (): Promise<boolean> =>
      (await kubectl([...SYSTEM, 'get', 'events', '-o', 'jsonpath={.items[*].reason}'])).includes('SourceUnusable');
    await until(isTold, 60_000);
    expect(await get(['secret', `${NAME}-cert`], '{.data.tls\\.crt}')).to.equal(before);
    expect(day.creates.failures).to.deep.equal([]);
  });
});
