import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { inClusterCredentials } from '../../src/kube/in-cluster.ts';
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

  it('serve on while the files cannot be read', async () => {
    const credentials = open();
    await credentials.access();
    await rm(join(directory.path, 'token'));
    nowMs = 60_000;
    expect((await credentials.access()).headers).to.deep.equal({ authorization: 'Bearer first' });
    await directory.write('token', 'second');
    expect((await credentials.access()).headers).to.deep.equal({ authorization: 'Bearer second' });
  });

  it('find the API server on IPv4, IPv6 and by name', () => {
    expect(open().server).to.equal('https://10.0.0.1:443');
    expect(open('fd00::1').server).to.equal('https://[fd00::1]:443');
    expect(open('kubernetes.default.svc').server).to.equal('https://kubernetes.default.svc:443');
  });
});
