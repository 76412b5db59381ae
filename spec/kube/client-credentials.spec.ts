import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { firstValueFrom } from 'rxjs';
import { openKubeClient } from '../../src/kube/client.ts';
import { kubeconfigCredentials } from '../../src/kube/kubeconfig.ts';
import { createPki } from '../support/pki.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';
import { eventually } from '../support/until.ts';
import { base64, kubeconfig } from './kubeconfig.ts';
import { openSpecClient, problemOf } from './open-spec-client.ts';
import { json, type ScriptedApi, scriptedApi } from './scripted-api.ts';

const get = { method: 'GET', path: '/api/v1/namespaces/ns/pods/p' } as const;

describe('the credentials of the Kubernetes client', () => {
  let api: ScriptedApi;
  let directory: TemporaryDirectory;

  beforeEach(async () => {
    [api, directory] = await Promise.all([scriptedApi(), temporaryDirectory()]);
  });
  afterEach(async () => {
    await api[Symbol.asyncDispose]();
    await directory[Symbol.asyncDispose]();
  });

  const lastHeader = (name: string): unknown => api.asked.at(-1)?.headers[name];

  describe('inside a pod', () => {
    const inCluster = (): { host: string; port: string; directory: string } => ({
      host: '127.0.0.1',
      port: String(api.port),
      directory: directory.path,
    });

    it('are the token and the CA that the kubelet mounts', async () => {
      await directory.write('token', 'first\n');
      await directory.write('ca.crt', api.pki.ca);
      await using client = await openKubeClient({ kubeconfig: null, inCluster: inCluster(), userAgent: 'me/1' });
      await firstValueFrom(client.send(get));
      expect(client.server).to.equal(api.url);
      expect(lastHeader('authorization')).to.equal('Bearer first');
      expect(lastHeader('user-agent')).to.equal('me/1');
    });

    it('are read again, and the request asked again, when the old token is refused', async () => {
      await directory.write('token', 'first');
      await directory.write('ca.crt', api.pki.ca);
      await using client = await openKubeClient({ kubeconfig: null, inCluster: inCluster(), userAgent: 'me' });
      await firstValueFrom(client.send(get));
      await directory.write('token', 'second');
      await firstValueFrom(client.send(get));
      expect(lastHeader('authorization'), 'within the minute it is not read again').to.equal('Bearer first');

      api.answer((response, { headers }) =>
        headers.authorization === 'Bearer second' ? json(response, 'welcome') : json(response, {}, 401),
      );
      expect(await firstValueFrom(client.send(get))).to.equal('welcome');
      expect(api.asked.map(({ headers }) => headers.authorization).slice(-2)).to.deep.equal([
        'Bearer first',
        'Bearer second',
      ]);
      expect(api.connections()).to.equal(1);
    });

    it('are refused for good after one more try', async () => {
      await directory.write('token', 'stale');
      await directory.write('ca.crt', api.pki.ca);
      api.answer((response) =>
        json(response, { kind: 'Status', reason: 'Unauthorized', message: 'Unauthorized' }, 401),
      );
      await using client = await openKubeClient({ kubeconfig: null, inCluster: inCluster(), userAgent: 'me' });
      const problem = await problemOf(firstValueFrom(client.stream({ ...get, query: { watch: 'true' } })));
      expect(problem).to.include({ status: 401, reason: 'Unauthorized' });
      expect(api.asked).to.have.length(2);
    });

    it('take up a new CA as soon as the old one no longer verifies', async () => {
      await directory.write('token', 't');
      await directory.write('ca.crt', (await createPki()).ca);
      await using client = await openKubeClient({ kubeconfig: null, inCluster: inCluster(), userAgent: 'me' });
      expect(await problemOf(firstValueFrom(client.send(get)))).to.include({ status: null, reason: 'Untrusted' });
      await directory.write('ca.crt', api.pki.ca);
      expect(await firstValueFrom(client.send(get))).to.deep.equal({});
    });

    for (const [what, file, text] of [
      ['token that no header can carry', 'token', 's3cret\nX: y'],
      ['CA that is none', 'ca.crt', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'],
    ] as const) {
      it(`are told as a problem when the file has a ${what}`, async () => {
        await directory.write('token', 'fine');
        await directory.write('ca.crt', api.pki.ca);
        await directory.write(file, text);
        await using client = await openKubeClient({ kubeconfig: null, inCluster: inCluster(), userAgent: 'me' });
        const problem = await problemOf(firstValueFrom(client.send(get)));
        expect(problem).to.include({ name: 'ApiError', status: null });
        expect(problem.message)
          .to.match(/^get pods "p" in namespace "ns": /)
          .and.not.include('s3cret');
      });
    }

    it('are named when they are missing', async () => {
      await using client = await openKubeClient({ kubeconfig: null, inCluster: inCluster(), userAgent: 'me' });
      const { message } = await problemOf(firstValueFrom(client.send(get)));
      expect(message).to.match(/^credentials: cannot read the service account file .*\/(token|ca\.crt): ENOENT$/);
    });
  });

  describe('from a kubeconfig', () => {
    it('are a bearer token', async () => {
      await using client = await openSpecClient(api, { user: { token: 'static' } });
      await firstValueFrom(client.send(get));
      expect(lastHeader('authorization')).to.equal('Bearer static');
    });

    it('are a name and a password', async () => {
      await using client = await openSpecClient(api, { user: { username: 'u', password: 'p' } });
      await firstValueFrom(client.send(get));
      expect(lastHeader('authorization')).to.equal(`Basic ${base64('u:p')}`);
    });

    it('are a client certificate, renewed when its files change', async () => {
      const [alice, bob] = [await api.pki.issue('alice'), await api.pki.issue('bob')];
      await directory.write('me.crt', alice.cert);
      await directory.write('me.key', alice.key);
      const path = await directory.write(
        'config',
        kubeconfig({
          server: api.url,
          cluster: { 'certificate-authority-data': base64(api.pki.ca) },
          user: { 'client-certificate': 'me.crt', 'client-key': 'me.key' },
        }),
      );
      await using client = await openKubeClient({ kubeconfig: path, userAgent: 'spec' });
      await firstValueFrom(client.send(get));
      await directory.write('me.crt', bob.cert);
      await directory.write('me.key', bob.key);
      await firstValueFrom(client.send(get));
      expect(api.asked.map(({ clientName }) => clientName)).to.deep.equal(['alice', 'bob']);
    });

    it('come from an exec plugin, which runs once for many requests at once', async () => {
      const runs = join(directory.path, 'runs');
      const plugin = await directory.write(
        'plugin',
        `#!/bin/sh
echo run >> ${runs}
n=$(wc -l < ${runs} | tr -d ' ')
printf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"token-%s"}}' "$n"
`,
        0o700,
      );
      const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: plugin, interactiveMode: 'Never' };
      await using client = await openSpecClient(api, { user: { exec } });
      await Promise.all([1, 2, 3].map(() => firstValueFrom(client.send(get))));
      expect(api.asked.map(({ headers }) => headers.authorization)).to.deep.equal(Array(3).fill('Bearer token-1'));
    });

    it('are asked of the exec plugin afresh when they are refused, although the kubeconfig is gone', async () => {
      const expired = await directory.write('expired', 'yes');
      const plugin = await directory.write(
        'plugin',
        `#!/bin/sh\nprintf '{"kind":"ExecCredential","status":{"token":"%s"}}' "$(cat ${expired})"\n`,
        0o700,
      );
      await using client = await openSpecClient(api, { user: { exec: { command: plugin } } });
      await firstValueFrom(client.send(get));
      await directory.write('expired', 'no');
      api.answer((response, { headers }) => json(response, {}, headers.authorization === 'Bearer no' ? 200 : 401));
      await firstValueFrom(client.send(get));
      expect(lastHeader('authorization')).to.equal('Bearer no');
    });

    it('tell why an exec plugin failed, without its secrets', async () => {
      const token = `eyJhbGciOi${'JIUzI1NiIsInR5cCI6IkpXVCJ9'.repeat(3)}`;
      const plugin = await directory.write(
        'plugin',
        `#!/bin/sh\necho "run sso login; Bearer ${token}" >&2\nexit 1\n`,
        0o700,
      );
      await using client = await openSpecClient(api, { user: { exec: { command: plugin } } });
      const { message } = await problemOf(firstValueFrom(client.send(get)));
      expect(message).to.contain('run sso login').and.not.contain('eyJ');
    });

    it('do not leak from a plugin that answers garbage', async () => {
      const plugin = await directory.write('plugin', '#!/bin/sh\necho s3cret-token\n', 0o700);
      await using client = await openSpecClient(api, { user: { exec: { command: plugin } } });
      const { message } = await problemOf(firstValueFrom(client.send(get)));
      expect(message).to.contain('the exec plugin did not answer JSON').and.not.contain('s3cret');
    });

    it('are waited for no longer than the request may take', async () => {
      const plugin = await directory.write('plugin', '#!/bin/sh\nexec sleep 1\n', 0o700);
      await using client = await openSpecClient(api, { user: { exec: { command: plugin } } });
      const { message } = await problemOf(firstValueFrom(client.send({ ...get, timeoutMs: 50 })));
      expect(message).to.equal('get pods "p" in namespace "ns": no credentials within 0.05 s');
    });

    it('kill an exec plugin that never ends', async () => {
      const runs = join(directory.path, 'runs');
      const plugin = await directory.write('plugin', `#!/bin/sh\necho $$ >> ${runs}\nexec sleep 60\n`, 0o700);
      const user = { exec: { command: plugin } };
      const path = await directory.write('config', kubeconfig({ server: api.url, user }));
      const credentials = await kubeconfigCredentials(path, { pluginTimeoutMs: 500 });
      const { message } = await problemOf(credentials.access());
      expect(message).to.contain('the exec plugin failed without an error message');
      const pid = Number(await readFile(runs, 'utf8'));
      await eventually(() => !existsSync(`/proc/${pid}`), 'the plugin ends');
    });

    it('are refused by name when they are of a kind that is not supported, instead of asking as anonymous', async () => {
      const openWith = async (user: object): Promise<string> => {
        const path = await directory.write('config', kubeconfig({ server: api.url, user: user as never }));
        return (await problemOf(openKubeClient({ kubeconfig: path, userAgent: 'me' }))).message.replace(path, 'FILE');
      };
      expect(await openWith({ tokenFile: '/run/token' })).to.equal(
        'kubeconfig FILE: tokenFile is not supported, use token, exec or a client certificate',
      );
      expect(await openWith({ token: 't', as: 'a', 'as-groups': ['g'] })).to.equal(
        'kubeconfig FILE: as-groups is not supported, use a user that needs no impersonation of groups',
      );
      expect(await openWith({ token: 't', as: 'a', 'as-uid': '1' })).to.contain('as-uid is not supported');
      expect(await openWith({ token: 't', as: 'a', 'as-user-extra': {} })).to.contain('as-user-extra is not supported');
    });

    it('impersonate', async () => {
      await using client = await openSpecClient(api, { user: { token: 't', as: 'somebody' } });
      await firstValueFrom(client.send(get));
      expect(lastHeader('impersonate-user')).to.equal('somebody');
    });
  });

  describe('the server named by a kubeconfig', () => {
    it('is verified under tls-server-name', async () => {
      await using other = await scriptedApi({ name: 'api.internal' });
      await using wrong = await openSpecClient(other);
      expect((await problemOf(firstValueFrom(wrong.send(get)))).reason).to.equal('Untrusted');
      await using right = await openSpecClient(other, { cluster: { 'tls-server-name': 'api.internal' } });
      expect(await firstValueFrom(right.send(get))).to.deep.equal({});
    });

    it('is taken on trust only with insecure-skip-tls-verify', async () => {
      const strangers = { 'certificate-authority-data': base64((await createPki()).ca) };
      await using strict = await openSpecClient(api, { cluster: strangers });
      const { message, reason } = await problemOf(firstValueFrom(strict.send(get)));
      expect(reason).to.equal('Untrusted');
      expect(message).to.match(/^get pods "p" in namespace "ns": .*(certificate|UNABLE)/i);
      const insecure = { 'certificate-authority-data': undefined, 'insecure-skip-tls-verify': true };
      await using lax = await openSpecClient(api, { cluster: insecure });
      expect(await firstValueFrom(lax.send(get))).to.deep.equal({});
    });

    it('may stand behind a path', async () => {
      await using client = await openSpecClient(api, { server: `${api.url}/k8s/clusters/c-1/` });
      await firstValueFrom(client.send({ ...get, query: { fieldSelector: 'metadata.name=a b' } }));
      expect(api.asked[0]?.url).to.equal(`/k8s/clusters/c-1${get.path}?fieldSelector=metadata.name%3Da+b`);
    });
  });

  describe('a kubeconfig that cannot be used', () => {
    const openWith = async (text: string): Promise<string> => {
      const path = await directory.write('config', text);
      return (await problemOf(openKubeClient({ kubeconfig: path, userAgent: 'spec' }))).message.replace(path, 'FILE');
    };

    it('is told without quoting it', async () => {
      expect(await openWith('users:\n  - token: s3cret: [')).to.equal('kubeconfig FILE: it is not YAML');
      expect(await openWith('null')).to.equal('kubeconfig FILE: it is not a usable kubeconfig');
      expect(await openWith('{"clusters":[{"name":"x"}]}')).to.equal('kubeconfig FILE: clusters[0].cluster is missing');
      expect(await openWith('{}')).to.equal('kubeconfig FILE: the current context names no cluster');
    });

    it('is told when nobody can call its server', async () => {
      for (const server of ['api.example:6443', 'https://', 'unix:/run/api']) {
        expect(await openWith(kubeconfig({ server, user: { token: 's3cret' } })), server).to.equal(
          'kubeconfig FILE: the server of the current context is not a URL of http or https',
        );
      }
    });

    it('is told when it is missing', async () => {
      const problem = await problemOf(openKubeClient({ kubeconfig: join(directory.path, 'none'), userAgent: 'spec' }));
      expect(problem).to.include({ name: 'ApiError', status: null });
      expect(problem.message).to.match(/none: ENOENT$/);
      expect(await problemOf(openKubeClient({ kubeconfig: null, userAgent: 'spec' }))).to.have.property(
        'message',
        'no API server configured: set KUBECONFIG, or run in a Pod, where KUBERNETES_SERVICE_HOST is set',
      );
    });
  });

  it('cost no import of client-node inside a pod', () => {
    const loaded = execFileSync(process.execPath, [
      '--input-type=module',
      '-e',
      `const { registerHooks } = await import('node:module');
       const seen = [];
       registerHooks({ load: (url, context, next) => (seen.push(url), next(url, context)) });
       const { openKubeClient } = await import('./src/kube/client.ts');
       await openKubeClient({ kubeconfig: null, inCluster: { host: 'h', port: '443' }, userAgent: 'spec' });
       console.log(JSON.stringify(seen));`,
    ]).toString();
    const urls = JSON.parse(loaded) as readonly string[];
    expect(urls.some((url) => url.endsWith('/src/kube/client.ts'))).to.equal(true);
    expect(urls.filter((url) => url.includes('client-node'))).to.deep.equal([]);
  });
});
