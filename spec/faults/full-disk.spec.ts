import { open, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import type { RealApi } from '../support/real-api.ts';
import { LOADED } from '../support/rotate-all.ts';
import { mountSmallDisk, type SmallDisk } from '../support/small-disk.ts';
import { until } from '../support/until.ts';
import { faulted } from './faulted.ts';
import { recovered } from './recovered.ts';
import { sharedApi } from './shared-api.ts';

const LOST = 'Log lines were lost, they could not be written';
/** Of a tmpfs: a page. */
const BLOCK_BYTES = 4_096;

describe('a full disk', function () {
  this.timeout(180_000);
  const opened = new AsyncDisposableStack();
  let api: RealApi;
  let disk: SmallDisk;
  before(async () => {
    api = await sharedApi();
    disk = opened.use(await mountSmallDisk());
  });
  after(() => opened.disposeAsync());
  afterEach(() => disk.empty());

  it('under CERT_DIR keeps the certificate from being delivered: the one before is served until there is room', async () => {
    await using scene = await faulted(api);
    const replica = await scene.replica({ directory: join(disk.path, 'mounted') });
    const before = scene.objects().leaseAnnotation('cert-hash');
    await disk.fill();
    replica.mark();
    const hash = await scene.announced();
    await replica.line('Certificate hash mismatch, waiting for kubelet sync', { hash, filesystemHash: before });
    expect(JSON.parse((await replica.probe('/status')).text)).to.nested.include({ ready: true, 'served.hash': before });
    scene.expectUnharmed();

    await disk.empty();
    const sinceMs = performance.now();
    await replica.line(LOADED, { hash }, 60_000);
    await scene.converged();
    recovered(sinceMs);
    scene.expectUnharmed();
  });

  it('under the log costs lines and nothing else, and the first that is written again says how many', async () => {
    const path = join(disk.path, 'log');
    await using log = await open(path, 'a');
    await using scene = await faulted(api);
    const replica = await scene.replica({ stdout: log.fd, env: { LOG_LEVEL: 'debug' } });
    await disk.fill();
    // The last block has room for a few lines yet, and for half a line.
    await until(async () => (await stat(path)).size % BLOCK_BYTES === 0);
    await scene.announced();
    await scene.converged();
    scene.expectUnharmed();

    await disk.empty();
    const sinceMs = performance.now();
    await until(async () => (await readFile(path, 'utf8')).includes(LOST), 30_000);
    recovered(sinceMs);
    const lines = (await readFile(path, 'utf8')).trim().split('\n');
    expect(JSON.parse(lines.find((line) => line.includes(LOST)) ?? ''))
      .to.have.property('lines')
      .above(1);
    expect(lines.filter((line) => !line.endsWith('}'))).to.have.length.at.most(1);
    scene.expectUnharmed();
    replica.kill('SIGTERM');
    expect(await replica.exit).to.equal(0);
  });

  it('under the log from the very start (/dev/full), or a log that nobody reads to the end, ends nothing', async () => {
    await using full = await open('/dev/full', 'w');
    await using scene = await faulted(api);
    const mute = await scene.replica({ stdout: full.fd });
    const unread = await scene.replica();
    unread.deafen();
    await scene.announced();
    const sinceMs = performance.now();
    await scene.converged();
    recovered(sinceMs, 'rotated');
    scene.expectUnharmed();
    for (const replica of [mute, unread]) {
      replica.kill('SIGTERM');
      expect(await replica.exit).to.equal(0);
    }
  });
});
