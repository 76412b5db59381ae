import { watch } from 'node:fs';
import { mkdtemp, readdir, readFile, readlink, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { writeVolume } from '../../src/dev-cluster/kubelet.ts';

const payload = (files: Readonly<Record<string, string>>) =>
  new Map(Object.entries(files).map(([name, text]) => [name, Buffer.from(text)]));

describe('embedded/write-volume', () => {
  let parent: string;
  let directory: string;
  const read = (name: string) => readFile(join(directory, name), 'utf8');
  const generation = () => readlink(join(directory, '..data'));

  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'volume-'));
    directory = join(parent, 'mount');
  });

  afterEach(async () => {
    await rm(parent, { recursive: true });
  });

  it('lays files out behind one link as the kubelet does', async () => {
    expect(await writeVolume(directory, payload({ 'tls.crt': 'a', 'tls.key': 'b' }))).to.equal(true);
    expect(await generation()).to.match(/^\.\.\d{4}(_\d\d){5}\.\d+$/);
    expect(await readlink(join(directory, 'tls.crt'))).to.equal('..data/tls.crt');
    expect(await readdir(directory)).to.have.members([await generation(), '..data', 'tls.crt', 'tls.key']);
    expect([await read('tls.crt'), await read('tls.key')]).to.deep.equal(['a', 'b']);
    expect((await stat(join(directory, 'tls.key'))).mode & 0o777).to.equal(0o644);
  });

  it('replaces a generation as a whole and removes the old one', async () => {
    await writeVolume(directory, payload({ 'tls.crt': 'a', 'tls.key': 'b' }));
    const old = await generation();
    await writeVolume(directory, payload({ 'tls.crt': 'c', 'ca.crt': 'd' }));
    expect(await generation()).not.to.equal(old);
    expect(await readdir(directory)).to.have.members([await generation(), '..data', 'tls.crt', 'ca.crt']);
    expect([await read('tls.crt'), await read('ca.crt')]).to.deep.equal(['c', 'd']);
  });

  it('touches nothing when the content is the same', async () => {
    await writeVolume(directory, payload({ 'tls.crt': 'a' }));
    const old = await generation();
    expect(await writeVolume(directory, payload({ 'tls.crt': 'a' }))).to.equal(false);
    expect(await generation()).to.equal(old);
  });

  it('makes an empty volume of nothing', async () => {
    expect(await writeVolume(directory, payload({}))).to.equal(true);
    expect(await readdir(directory)).to.have.members([await generation(), '..data']);
  });

  it('is seen by who watches the directory', async () => {
    await writeVolume(directory, payload({ 'tls.crt': 'a' }));
    const seen = new Set<string | null>();
    const watcher = watch(directory, (_event, name) => seen.add(name));
    await writeVolume(directory, payload({ 'tls.crt': 'b' }));
    const deadline = Date.now() + 2_000;
    while (!seen.has('..data') && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5));
    watcher.close();
    expect(seen).to.include('..data');
  });
});
