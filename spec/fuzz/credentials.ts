import { expect } from 'chai';
import fc from 'fast-check';
import { firstValueFrom } from 'rxjs';
import { type KubeClientOptions, openKubeClient } from '../../src/kube/client.ts';
import { ApiError } from '../../src/kube/errors.ts';
import { base64, kubeconfig } from '../kube/kubeconfig.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { corpus } from './corpus.ts';
import { type FuzzLaw, openedLaw } from './fuzz-law.ts';
import { mutated } from './mutated.ts';

const SECRET = 'canary-5ecreT';
const UNREACHABLE = 'https://127.0.0.1:9';
const caPem = corpus.authority.certificate.toString();

/** Whatever happens is a problem of one line that does not tell the credential: anything else would end the daemon. */
const asks = async (options: Omit<KubeClientOptions, 'userAgent'>): Promise<void> => {
  try {
    await using client = await openKubeClient({ ...options, userAgent: 'fuzz' });
    await firstValueFrom(client.send({ method: 'GET', path: '/api/v1/namespaces/n/pods/p', timeoutMs: 1_000 }));
  } catch (error) {
    expect(error, String(error instanceof Error ? error.stack : error)).to.be.instanceOf(ApiError);
    expect((error as Error).message).to.not.match(/[\r\n]/);
    expect((error as Error).message).to.not.include(SECRET);
    return;
  }
  expect.fail('nothing listens on this port');
};

const users = [
  { token: SECRET },
  { username: 'a', password: SECRET },
  {
    'client-certificate-data': base64(corpus.good.certificate.toString()),
    'client-key-data': base64(corpus.good.key.toString()),
  },
  { 'auth-provider': { name: 'oidc', config: { 'id-token': SECRET } } },
  { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: '/no/such/plugin', args: [SECRET] } },
];
const files = users.map((user) =>
  kubeconfig({ server: UNREACHABLE, cluster: { 'certificate-authority-data': base64(caPem) }, user }),
);
const tidy = files.map((file) => JSON.stringify(JSON.parse(file), null, 1));
const servers = fc.constantFrom(
  '',
  'x',
  'http://',
  'https://[',
  '127.0.0.1:9',
  'ftp://127.0.0.1:9',
  'https://127.0.0.1:99999',
  'https://127.0.0.1:9/a path',
  'unix:/a',
);
const tokens = fc.oneof(
  mutated([SECRET]).map((bytes) => bytes.toString('latin1')),
  fc.string({ unit: 'binary' }),
  fc.constantFrom(`${SECRET}\nX: y`, `${SECRET}\0`, `ü${SECRET}`, ''),
);

export const credentials: readonly FuzzLaw[] = [
  openedLaw('of any bytes are used or refused with a problem that tells none of it', temporaryDirectory, (directory) =>
    fc.asyncProperty(
      fc.oneof(
        mutated([...files, ...tidy]),
        servers.map((server) => Buffer.from(kubeconfig({ server, user: { token: SECRET } }))),
      ),
      async (bytes) => {
        await asks({ kubeconfig: await directory.write('config', bytes.toString('latin1')) });
      },
    ),
  ),
  openedLaw(
    'inside a pod, whatever stands in their files, are used or refused with a problem that tells none of it',
    temporaryDirectory,
    (directory) =>
      fc.asyncProperty(tokens, fc.oneof(fc.constant(Buffer.from(caPem)), mutated([caPem])), async (token, ca) => {
        await directory.write('token', token);
        await directory.write('ca.crt', ca.toString('latin1'));
        await asks({ kubeconfig: null, inCluster: { host: '127.0.0.1', port: '9', directory: directory.path } });
      }),
  ),
];
