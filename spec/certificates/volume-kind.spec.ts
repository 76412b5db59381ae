import fs from 'node:fs';
import { mkdir, realpath, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { volumeKind } from '../../src/certificates/secret-volume.ts';
import { atomicWriter } from '../support/atomic-writer.ts';
import { replaceBuiltin } from '../support/replace-builtin.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';

const line = (root: string, target: string): string =>
  `781 770 0:62 ${root} ${target} ro,relatime - tmpfs tmpfs rw,size=64Gi\n`;

const told = (mountinfo: string) => () => line('/', '/') + mountinfo;

describe('mountKind', () => {
  let directory: TemporaryDirectory;
  let path: string;

  beforeEach(async () => {
    directory = await temporaryDirectory();
    path = await realpath(directory.path);
  });

  afterEach(() => directory[Symbol.asyncDispose]());

  it('calls a directory that a kubelet swaps projected', async () => {
    await atomicWriter(path).write({ 'tls.crt': 'c' });

    expect(volumeKind(path, told(line('/', path)))).to.equal('projected');
  });

  it('calls an ordinary directory plain, also where nothing is known of mounts', async () => {
    await writeFile(join(path, 'tls.crt'), 'c');

    expect(volumeKind(path, told(line('/vol', path)))).to.equal('plain');
    expect(
      volumeKind(path, () => {
        throw new Error('no /proc');
      }),
    ).to.equal('plain');
    expect(volumeKind(path)).to.equal('plain');
  });

  it('notices tls.crt mounted by itself', async () => {
    await writeFile(join(path, 'tls.crt'), 'c');

    expect(volumeKind(path, told(line('/..2026_01_31_10_00_00.1234567890/tls.crt', join(path, 'tls.crt'))))).to.equal(
      'sub-path',
    );
    expect(volumeKind(path, told(line('/x', `${path}/tls.crt.d`)))).to.equal('plain');
  });

  it('notices a directory mounted out of one generation', () => {
    expect(volumeKind(path, told(line('/..2026_01_31_10_00_00.1234567890/certs', path)))).to.equal('sub-path');
  });

  it('does not take the directory of another container, mounted out of one generation, for its own', () => {
    expect(volumeKind(path, told(line('/..2026_01_31_10_00_00.1234567890/certs', `${path}-of-another`)))).to.equal(
      'plain',
    );
  });

  it('reads the mounts of its own process', () => {
    const asked: unknown[] = [];
    const mounts = replaceBuiltin(fs, {
      readFileSync: (...args: readonly unknown[]) => {
        asked.push(args);
        return line('/x', join(path, 'tls.crt'));
      },
    });
    const kind = volumeKind(path);
    mounts[Symbol.dispose]();
    expect(kind).to.equal('sub-path');
    expect(asked).to.deep.equal([['/proc/self/mountinfo', 'utf8']]);
  });

  it('calls a directory plain that it cannot find its way to', async () => {
    await symlink('around', join(path, 'around'));

    expect(volumeKind(join(path, 'around'))).to.equal('plain');
  });

  it('looks behind symbolic links and escaped blanks', async () => {
    const spaced = join(path, 'a b');
    await mkdir(spaced);
    await symlink(spaced, join(path, 'link'));
    const mountinfo = told(line('/x', join(spaced, 'tls.crt').replace(' ', String.raw`\040`)));

    expect(volumeKind(join(path, 'link'), mountinfo)).to.equal('sub-path');
  });

  it('says when there is no directory', async () => {
    await writeFile(join(path, 'file'), '');

    expect(volumeKind(join(path, 'absent'))).to.equal('absent');
    expect(volumeKind(join(path, 'file', 'below'))).to.equal('absent');
  });
});
