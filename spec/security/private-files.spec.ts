import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { startCluster } from '../../src/demo/cluster.ts';

const forOthers = async (path: string): Promise<number> => (await stat(path)).mode & 0o077;

describe('the files of the demo', () => {
  it('are in a directory that only its owner may enter, the token readable only by its owner, and are removed with it', async () => {
    let folder = '';
    {
      await using cluster = await startCluster(['replica-0'], 0);
      const { SERVICE_ACCOUNT_DIR: account = '', CERT_DIR: mount = '' } = cluster.replicaEnv('replica-0');
      folder = dirname(account);
      expect(mount.startsWith(join(folder, '/'))).to.equal(true);
      expect(await forOthers(folder)).to.equal(0);
      expect(await forOthers(join(account, 'token'))).to.equal(0);
    }
    expect(await readdir(folder).catch((error: unknown) => (error as NodeJS.ErrnoException).code)).to.equal('ENOENT');
  });
});
