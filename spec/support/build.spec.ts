import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { VERSION } from '../../src/config/version.ts';
import { build, type Built } from './build.ts';

const run = promisify(execFile);

describe('the bundle', () => {
  let folder: string;
  let outfile: string;
  let built: Built;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bundle-'));
    outfile = join(folder, 'program.js');
    const entry = join(import.meta.dirname, 'bundle-fixture', 'main.ts');
    built = await build({ entry, outfile, sourcemap: false });
  });

  after(() => rm(folder, { recursive: true }));

  it('is one executable file that begins with a shebang and ends with the licences of what is inside', async () => {
    expect((await stat(outfile)).mode & 0o111).to.equal(0o111);
    const text = await readFile(outfile, 'utf8');
    expect(text).to.match(/^#!\/usr\/bin\/env node\n/);
    expect(text.slice(-20_000)).to.include('Bundled license information');
  });

  it('runs without node_modules, knows its version, and evaluates late imports only when they are asked for', async () => {
    const { stdout } = await run(process.execPath, [outfile], { cwd: folder });
    const [first, logged, ...rest] = stdout.trimEnd().split('\n');
    expect(first).to.equal(VERSION);
    expect(JSON.parse(logged ?? '')).to.include({ message: 'logged' });
    expect(rest).to.deep.equal(['before', 'evaluated', 'function']);
  });

  it('tells its size and what it is made of', () => {
    expect(built.bytes).to.be.above(100_000);
    expect(built.parts.map(([part]) => part)).to.include.members(['winston', '@peculiar/x509', 'src/logging']);
  });
});
