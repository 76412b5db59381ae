import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { FileError, nullIfMissing, readCapped } from '../../src/util/files.ts';
import { sha256Hex } from '../../src/util/hash.ts';
import { runTool } from '../support/run-tool.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';

/** More than what is read in one call of the system. */
const BYTES = Buffer.from(Array.from({ length: 100_000 }, (_, at) => at % 251));

describe('a file that is read up to a limit', () => {
  let folder: TemporaryDirectory;
  const written = (name: string, bytes: Buffer): string => {
    const path = join(folder.path, name);
    writeFileSync(path, bytes);
    return path;
  };
  before(async () => {
    folder = await temporaryDirectory();
  });
  after(() => folder[Symbol.asyncDispose]());

  it('is what it holds, to the last byte', () => {
    const path = written('whole', BYTES);
    expect(readCapped(path, BYTES.length)).to.deep.equal(BYTES);
    expect(readCapped(written('empty', Buffer.alloc(0)), 0)).to.deep.equal(Buffer.alloc(0));
  });

  it('is too large with one byte more', () => {
    expect(readCapped(written('whole', BYTES), BYTES.length - 1)).to.equal('too-large');
  });

  it('is too large also where its size is unknown', () => {
    expect(readCapped('/dev/zero', BYTES.length)).to.equal('too-large');
  });

  it('is empty where nothing writes to a pipe in its place, which would block', async () => {
    const path = join(folder.path, 'pipe');
    await runTool('mkfifo', path);
    expect(readCapped(path, BYTES.length)).to.deep.equal(Buffer.alloc(0));
  });

  it('is closed again, whether it is read, too large or cannot be read', () => {
    const path = written('whole', BYTES);
    const below = join(folder.path, 'directory');
    mkdirSync(below);
    const opened = (): number => readdirSync('/proc/self/fd').length;
    const before = opened();
    readCapped(path, BYTES.length);
    readCapped(path, 1);
    expect(() => readCapped(below, 1)).to.throw('EISDIR');
    expect(opened()).to.equal(before);
  });
});

describe('a call of the file system', () => {
  const failing = (code: string) => () => {
    throw Object.assign(new Error(`${code}: of the system`), { code });
  };

  it('has no value where there is no such file', () => {
    expect(nullIfMissing('tls.crt', () => 'read')).to.equal('read');
    for (const code of ['ENOENT', 'ENOTDIR']) expect(nullIfMissing('tls.crt', failing(code))).to.equal(null);
    expect(nullIfMissing('..data', failing('EINVAL'), ['EINVAL'])).to.equal(null);
  });

  it('is an error with the name of the file and the code where it fails otherwise', () => {
    for (const [code, alsoAbsent] of [
      ['EACCES', []],
      ['EINVAL', []],
      ['EACCES', ['EINVAL']],
    ] as const)
      expect(() => nullIfMissing('tls.crt', failing(code), alsoAbsent))
        .to.throw(FileError, `unreadable: tls.crt ${code}`)
        .that.deep.includes({ name: 'FileError' })
        .and.has.nested.property('cause.code', code);
  });
});

describe('a hash', () => {
  it('is SHA-256, as sha256sum prints it', () => {
    expect(sha256Hex(Buffer.from('abc'))).to.equal('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });
});
