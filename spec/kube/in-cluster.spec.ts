import fs from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { ApiError } from '../../src/kube/errors.ts';
import { inClusterAccess, inClusterCredentials, podNamespace } from '../../src/kube/in-cluster.ts';
import { replaceBuiltin } from '../support/replace-builtin.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';

describe('the credentials of a pod', () => {
  let directory: TemporaryDirectory;
  let nowMs = 0;

  beforeEach(async () => {
    nowMs = 0;
    directory = await temporaryDirectory();
    await directory.write('token', 'first');
    await directory.write('ca.crt', 'CA');
  });
  afterEach(() => directory[Symbol.asyncDispose]());

  const open = (host = '10.0.0.1'): ReturnType<typeof inClusterCredentials> =>
    inClusterCredentials({ host, port: '443', directory: directory.path }, () => nowMs);

  it('are read again after a minute and not before', async () => {
    const credentials = open();
    const token = async (): Promise<unknown> => (await credentials.access()).headers['authorization'];
    expect(await token()).to.equal('Bearer first');
    await directory.write('token', 'second');
    nowMs = 59_999;
    expect(await token()).to.equal('Bearer first');
    nowMs = 60_000;
    expect(await token()).to.equal('Bearer second');
  });

  it('are read again a minute after they were read, however long the process runs', async () => {
    nowMs = 1_000_000;
    const credentials = open();
    await credentials.access();
    await directory.write('token', 'second');
    nowMs += 59_999;
    expect((await credentials.access()).headers).to.deep.equal({ authorization: 'Bearer first' });
    nowMs += 1;
    expect((await credentials.access()).headers).to.deep.equal({ authorization: 'Bearer second' });
  });

  it('serve on while the files cannot be read', async () => {
    const credentials = open();
    await credentials.access();
    await rm(join(directory.path, 'token'));
    nowMs = 60_000;
    expect((await credentials.access()).headers).to.deep.equal({ authorization: 'Bearer first' });
    await directory.write('token', 'second');
    expect((await credentials.access()).headers).to.deep.equal({ authorization: 'Bearer second' });
  });

  it('are read again before the minute is over once they have been forgotten, as after a refusal', async () => {
    const credentials = open();
    await credentials.access();
    await directory.write('token', 'second');
    nowMs = 1;
    credentials.forget();
    expect((await credentials.access()).headers).to.deep.equal({ authorization: 'Bearer second' });
  });

  it('have the token without white space around it, the CA as it is in its file, and no proxy', async () => {
    await directory.write('token', ' first\n');
    expect(await open().access()).to.deep.equal({
      server: 'https://10.0.0.1:443',
      headers: { authorization: 'Bearer first' },
      tls: { ca: 'CA' },
      proxyUrl: null,
    });
  });

  it('are an error that names the file while none have been read', async () => {
    const file = join(directory.path, 'token');
    await rm(file);
    const error: unknown = await open()
      .access()
      .then(
        () => null,
        (thrown: unknown) => thrown,
      );
    expect(error).to.be.instanceOf(ApiError);
    expect((error as ApiError).message).to.equal(`credentials: cannot read the service account file ${file}: ENOENT`);
    await directory.write('token', 'first');
  });

  it('find the API server on IPv4, IPv6 and by name', () => {
    expect(open().server).to.equal('https://10.0.0.1:443');
    expect(open('fd00::1').server).to.equal('https://[fd00::1]:443');
    expect(open('kubernetes.default.svc').server).to.equal('https://kubernetes.default.svc:443');
  });
});

describe('the address of the API server', () => {
  it('is what the kubelet sets in each container, with a token that is elsewhere when SERVICE_ACCOUNT_DIR names it', () => {
    const env = { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '6443' };
    expect(inClusterAccess(env)).to.deep.equal({ host: '10.0.0.1', port: '6443' });
    expect(inClusterAccess({ ...env, SERVICE_ACCOUNT_DIR: '/token' })).to.deep.equal({
      host: '10.0.0.1',
      port: '6443',
      directory: '/token',
    });
  });

  it('has the port of HTTPS where none is set, and is unknown outside a Pod', () => {
    expect(inClusterAccess({ KUBERNETES_SERVICE_HOST: '10.0.0.1' })).to.deep.equal({ host: '10.0.0.1', port: '443' });
    expect(inClusterAccess({ KUBERNETES_SERVICE_PORT: '6443' })).to.equal(null);
  });
});

describe('the service account of a Pod', () => {
  const MOUNTED = '/var/run/secrets/kubernetes.io/serviceaccount';

  /** A file system that has these files alone. */
  const onlyFiles = (files: Readonly<Record<string, string>>): Disposable =>
    replaceBuiltin(fs, {
      readFileSync: (path: string, encoding: string) => {
        const text = files[path];
        if (text === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
        return encoding === 'utf8' ? text : Buffer.from(text);
      },
    });

  it('is read where the kubelet mounts it, unless another directory is named', async () => {
    const files = onlyFiles({ [`${MOUNTED}/token`]: 'mounted', [`${MOUNTED}/ca.crt`]: 'CA of the cluster' });
    try {
      const { headers, tls } = await inClusterCredentials({ host: '10.0.0.1', port: '443' }).access();
      expect(headers).to.deep.equal({ authorization: 'Bearer mounted' });
      expect(tls).to.deep.equal({ ca: 'CA of the cluster' });
    } finally {
      files[Symbol.dispose]();
    }
  });

  it('tells the namespace of the Pod, which is unknown elsewhere', () => {
    const namespaceWith = (files: Readonly<Record<string, string>>): string | null => {
      const those = onlyFiles(files);
      try {
        return podNamespace();
      } finally {
        those[Symbol.dispose]();
      }
    };
    expect(namespaceWith({ [`${MOUNTED}/namespace`]: 'shop' })).to.equal('shop');
    expect(namespaceWith({})).to.equal(null);
  });
});
