import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { lastValueFrom } from 'rxjs';
import { type Mount, openMount } from '../../src/certificates/mount.ts';
import { atomicWriter } from '../support/atomic-writer.ts';
import { replaceBuiltin } from '../support/replace-builtin.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';
import { scaled } from '../support/until.ts';

const read = (mount: Mount) => lastValueFrom(mount.read());

const secret = (mark: string) => ({ 'tls.crt': `crt ${mark}`, 'tls.key': `key ${mark}`, 'ca.crt': `ca ${mark}` });

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const openDescriptors = async (): Promise<number> => (await readdir('/proc/self/fd')).length;

/** Does one thing over and over, counted from 1, until it is disposed. */
const meanwhile = (act: (time: number) => Promise<unknown>): AsyncDisposable => {
  const stop = new AbortController();
  const acting = (async () => {
    for (let time = 1; !stop.signal.aborted; time += 1) await act(time);
  })();
  return {
    [Symbol.asyncDispose]: () => {
      stop.abort();
      return acting;
    },
  };
};

/** Has tls.crt be another file by the end of each of the first readings, and counts the readings. */
const tornReadings = (count: number) => {
  const { statSync } = fs;
  let asked = 0;
  const replaced = replaceBuiltin(fs, {
    statSync: (path: string, options: { readonly bigint: true }) => {
      const stats = statSync(path, options);
      if (basename(path) !== 'tls.crt') return stats;
      asked += 1;
      return asked % 2 === 0 && asked <= 2 * count ? Object.assign(stats, { ino: 0n }) : stats;
    },
  });
  return Object.assign(replaced, { readings: () => Math.ceil(asked / 2) });
};

describe('mount', () => {
  let directory: TemporaryDirectory;
  const at = (...names: readonly string[]) => join(directory.path, ...names);

  beforeEach(async () => {
    directory = await temporaryDirectory();
  });

  afterEach(() => directory[Symbol.asyncDispose]());

  it('hashes the exact bytes of tls.crt and hands out the bytes it hashed', async () => {
    await atomicWriter(directory.path).write(secret('a'));
    const mount = openMount(directory.path);

    const { generation, hash, problem } = await read(mount);

    expect({ hash, problem }).to.deep.equal({ hash: sha256('crt a'), problem: null });
    expect(Object.values(mount.files(generation) ?? {}).map(String)).to.deep.equal(['crt a', 'key a', 'ca a']);
  });

  it('gives another generation when any file is another, and the same one when none is', async () => {
    const writer = atomicWriter(directory.path);
    const mount = openMount(directory.path);
    const generations: string[] = [];
    for (const files of [
      secret('a'),
      { ...secret('a'), 'tls.key': 'other' },
      { ...secret('a'), 'ca.crt': 'other' },
      { 'tls.crt': 'crt a', 'tls.key': 'key a' },
      // A byte that wanders from one file to the next.
      { 'tls.crt': 'crt ak', 'tls.key': 'ey a' },
      { 'tls.crt': 'crt a', 'tls.key': 'key a', 'ca.crt': '' },
      { 'tls.crt': 'a' },
      { 'tls.key': 'a' },
      { 'ca.crt': 'a' },
    ]) {
      await writer.write(files);
      generations.push((await read(mount)).generation);
    }
    await writer.write(secret('a'));

    expect(new Set(generations).size).to.equal(generations.length);
    expect((await read(mount)).generation).to.equal(generations[0]);
  });

  it('no longer hands out a generation that a later reading has replaced', async () => {
    const writer = atomicWriter(directory.path);
    const mount = openMount(directory.path);
    await writer.write(secret('a'));
    const { generation } = await read(mount);
    await writer.write(secret('b'));

    await read(mount);

    expect(mount.files(generation)).to.equal(null);
  });

  it('takes an absent directory and an empty one for nothing mounted, without a problem', async () => {
    const nothing = { hash: null, problem: null };

    expect(await read(openMount(at('absent')))).to.include(nothing);
    expect(await read(openMount(directory.path))).to.include(nothing);
  });

  it('is read without ca.crt', async () => {
    await atomicWriter(directory.path).write({ 'tls.crt': 'c', 'tls.key': 'k' });
    const mount = openMount(directory.path);

    const { generation } = await read(mount);

    expect(mount.files(generation)?.trust).to.equal(null);
  });

  it('says what it cannot read and why', async () => {
    const mebibyte = Buffer.alloc(1024 * 1024);
    const spoil: readonly (readonly [string, () => Promise<unknown>])[] = [
      ['missing: tls.key', () => rm(at('tls.key'))],
      ['not-a-file: tls.key', () => mkdir(at('tls.key'))],
      ['not-a-file: ca.crt', () => rm(at('ca.crt')).then(() => promisify(execFile)('mkfifo', [at('ca.crt')]))],
      ['unreadable: tls.crt ELOOP', () => rm(at('tls.crt')).then(() => symlink('tls.crt', at('tls.crt')))],
      ['too-large: tls.crt', () => writeFile(at('tls.crt'), Buffer.concat([mebibyte, Buffer.from('x')]))],
    ];
    for (const [problem, make] of spoil) {
      await rm(directory.path, { recursive: true });
      await mkdir(directory.path);
      for (const [name, text] of Object.entries(secret('a'))) await writeFile(at(name), text);
      if (problem === 'not-a-file: tls.key') await rm(at('tls.key'));
      const mount = openMount(directory.path);
      await make();

      const reading = await read(mount);

      expect(reading).to.include({ problem, hash: null });
      expect(mount.files(reading.generation)).to.equal(null);
    }
    await rm(at('tls.crt'));
    await writeFile(at('tls.crt'), mebibyte);
    expect(await read(openMount(directory.path))).to.include({ problem: null });
  });

  it('sees a plain file rewritten in place, at the same length and in the same instant', async () => {
    const mount = openMount(directory.path);
    for (const [name, text] of Object.entries(secret('0'))) await writeFile(at(name), text);
    for (let mark = 1; mark < 50; mark += 1) {
      await read(mount);
      await writeFile(at('tls.crt'), `crt ${mark % 10}`);

      expect((await read(mount)).hash).to.equal(sha256(`crt ${mark % 10}`));
    }
  });

  describe('by a glance', () => {
    const settled = { wallMs: () => Date.now() + 10_000 };

    it('sees nothing moved for as long as nothing has, in a generation, a plain directory, an empty one and none', async () => {
      for (const fill of [
        () => atomicWriter(directory.path).write(secret('a')),
        () => Promise.all(Object.entries(secret('a')).map(([name, text]) => writeFile(at(name), text))),
        () => Promise.resolve(),
        () => rm(directory.path, { recursive: true }),
      ]) {
        await rm(directory.path, { recursive: true, force: true });
        await mkdir(directory.path);
        await fill();
        const mount = openMount(directory.path, settled);
        expect(mount.isUnmoved()).to.equal(false);
        await read(mount);
        expect(mount.isUnmoved()).to.equal(true);
        expect(mount.isUnmoved()).to.equal(true);
      }
    });

    it('does not believe timestamps that are too young, nor a reading that is a problem', async () => {
      const writer = atomicWriter(directory.path);
      await writer.write(secret('a'));
      const young = openMount(directory.path);
      await read(young);
      expect(young.isUnmoved()).to.equal(false);

      await writer.write({ 'tls.crt': 'crt a' });
      const odd = openMount(directory.path, settled);
      expect(await read(odd)).to.include({ problem: 'missing: tls.key' });
      expect(odd.isUnmoved()).to.equal(true);
      await mkdir(at('..data/tls.key'));
      expect(await read(odd)).to.include({ problem: 'not-a-file: tls.key' });
      expect(odd.isUnmoved()).to.equal(false);
    });

    for (const [what, move] of Object.entries<(at: (name: string) => string) => Promise<unknown>>({
      'a certificate written over': (at) => writeFile(at('tls.crt'), 'crt b'),
      'a key written over': (at) => writeFile(at('tls.key'), 'key b'),
      'trust written over': (at) => writeFile(at('ca.crt'), 'ca b'),
      'a file taken away': (at) => rm(at('ca.crt')),
      'a file that has become a directory': (at) => rm(at('tls.key')).then(() => mkdir(at('tls.key'))),
      'a generation where there was none': (at) => mkdir(at('..1')).then(() => symlink('..1', at('..data'))),
      'a directory that is gone': (at) => rm(at('.'), { recursive: true }),
    }))
      it(`sees ${what}`, async () => {
        for (const [name, text] of Object.entries(secret('a'))) await writeFile(at(name), text);
        const mount = openMount(directory.path, settled);
        const { generation } = await read(mount);

        await move(at);

        expect(mount.isUnmoved()).to.equal(false);
        expect((await read(mount)).generation).to.not.equal(generation);
      });

    it('sees a swap, also of bytes that are the same', async () => {
      const writer = atomicWriter(directory.path);
      await writer.write(secret('a'));
      const mount = openMount(directory.path, settled);
      const { generation } = await read(mount);
      await writer.write(secret('a'));

      expect(mount.isUnmoved()).to.equal(false);
      expect((await read(mount)).generation).to.equal(generation);
      expect(mount.isUnmoved()).to.equal(true);
    });

    it('sees files that come after there were none', async () => {
      const mount = openMount(directory.path, settled);
      await read(mount);
      await writeFile(at('tls.crt'), 'crt a');

      expect(mount.isUnmoved()).to.equal(false);
    });
  });

  it('is read again until a reading is whole, twenty times at most, and is torn after that', async () => {
    await atomicWriter(directory.path).write(secret('a'));
    for (const [count, problem] of [
      [19, null],
      [20, 'torn'],
    ] as const) {
      const torn = tornReadings(count);
      try {
        expect(await read(openMount(directory.path))).to.include({ problem });
        expect(torn.readings()).to.equal(20);
      } finally {
        torn[Symbol.dispose]();
      }
    }
  });

  it('keeps the reading that began last, also where an earlier one ends after it', async () => {
    for (const [name, text] of Object.entries(secret('a'))) await writeFile(at(name), text);
    const mount = openMount(directory.path);
    const torn = tornReadings(1);
    try {
      const slow = read(mount);
      const { generation } = await read(mount);
      fs.writeFileSync(at('tls.crt'), 'crt b');
      const later = await slow;
      expect(later.hash).to.equal(sha256('crt b'));
      expect(mount.files(generation)?.certificate.toString()).to.equal('crt a');
      expect(mount.files(later.generation)).to.equal(null);
    } finally {
      torn[Symbol.dispose]();
    }
  });

  it('is not read again once a reading is given up', async () => {
    await atomicWriter(directory.path).write(secret('a'));
    const torn = tornReadings(20);
    try {
      openMount(directory.path).read().subscribe().unsubscribe();
      await sleep(50);
      expect(torn.readings()).to.equal(1);
    } finally {
      torn[Symbol.dispose]();
    }
  });

  it('errs where this program is wrong, which is no problem of the volume', async () => {
    await atomicWriter(directory.path).write(secret('a'));
    const wrong = replaceBuiltin(fs, { statSync: () => ({ isFile: null }) });
    const error: unknown = await read(openMount(directory.path)).catch((each: unknown) => each);
    wrong[Symbol.dispose]();
    expect(error).to.be.instanceOf(TypeError);
  });

  it('tells what kind of directory it is', async () => {
    expect(openMount(directory.path).kind()).to.equal('plain');
    await atomicWriter(directory.path).write(secret('a'));
    expect(openMount(directory.path).kind()).to.equal('projected');
  });

  it('keeps nothing of a reading that was given up', async () => {
    await atomicWriter(directory.path).write(secret('a'));
    const mount = openMount(directory.path);
    const { generation } = await read(openMount(directory.path));

    mount.read().subscribe().unsubscribe();
    await sleep(50);

    expect(mount.files(generation)).to.equal(null);
  });

  it('never mixes generations while another swaps them as fast as it can, and leaks no descriptor', async function () {
    this.timeout(scaled(120_000));
    const writer = atomicWriter(directory.path);
    const mount = openMount(directory.path);
    await writer.write(secret('0'));
    const before = await openDescriptors();
    const seen = new Set<string>();
    let torn = 0;

    await using swapper = meanwhile(async (swap) => {
      await writer.write(secret(String(swap).repeat(1 + (swap % 5))));
      await sleep((swap * 7) % 12);
    });
    for (let reads = 0; reads < 2_000 || seen.size <= 100; reads += 1) {
      await turn();
      const { generation, hash, problem } = await read(mount);
      if (problem !== null) {
        expect(problem).to.equal('torn');
        torn += 1;
        continue;
      }
      const marks = Object.values(mount.files(generation) ?? {}).map((file) => String(file).split(' ')[1]);
      expect(hash).not.to.equal(null);
      expect(marks).to.have.length(3);
      expect(new Set(marks).size).to.equal(1);
      seen.add(generation);
    }
    await swapper[Symbol.asyncDispose]();

    expect(torn).to.be.below(20);
    expect(await openDescriptors()).to.be.at.most(before + 1);
  });

  it('gives up as torn when nothing ever holds still, and recovers', async () => {
    await writeFile(at('tls.crt'), 'a');
    await writeFile(at('tls.key'), 'k');
    const mount = openMount(directory.path);
    const problems = new Set<string | null>();
    await using writing = meanwhile((time) => writeFile(at('ca.crt'), 'x'.repeat(time % 100)));
    for (let reads = 0; reads < 5; reads += 1) problems.add((await read(mount)).problem);
    await writing[Symbol.asyncDispose]();

    expect([...problems].every((problem) => problem === 'torn' || problem === null)).to.equal(true);
    expect(await read(mount)).to.include({ problem: null, hash: sha256('a') });
  });
});
