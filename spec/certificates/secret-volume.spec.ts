import fs, { type BigIntStats, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect } from 'chai';
import { readSecretVolume, type VolumeRead } from '../../src/certificates/secret-volume.ts';
import { atomicWriter } from '../support/atomic-writer.ts';
import { replaceBuiltin } from '../support/replace-builtin.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';

const NAMES = ['tls.crt', 'tls.key', 'ca.crt'] as const;

const secret = (mark: string) => ({ 'tls.crt': `crt ${mark}`, 'tls.key': `key ${mark}`, 'ca.crt': `ca ${mark}` });

/** What a reading holds, by file; its type where it holds nothing. */
const contentOf = (read: VolumeRead): unknown => {
  if (read.type !== 'read') return read.type;
  const { certificate, key, trust } = read.bytes;
  const text = (bytes: Buffer | null): string | null => bytes?.toString() ?? null;
  return { 'tls.crt': text(certificate), 'tls.key': text(key), 'ca.crt': text(trust) };
};

const TORN = { type: 'torn' } as const;
/** Later than any change, so that timestamps tell. */
const LATER_MS = Date.now() + 3_600_000;

type StatChange = (name: string, time: number) => Partial<BigIntStats> | 'absent' | Error | null;

const during = <T>(replaced: Disposable, act: () => T): T => {
  try {
    return act();
  } finally {
    replaced[Symbol.dispose]();
  }
};

/** Lets something happen right before one call of the file system, counted from 1. */
const beforeCall = (happens: (call: number) => void): Disposable => {
  const names = ['statSync', 'openSync', 'readSync', 'closeSync', 'readlinkSync'] as const;
  let calls = 0;
  let isInside = false;
  const wrapped = names.map((name) => {
    const original = fs[name] as (...args: readonly unknown[]) => unknown;
    const call = (...args: readonly unknown[]): unknown => {
      if (isInside) return original(...args);
      isInside = true;
      calls += 1;
      happens(calls);
      isInside = false;
      return original(...args);
    };
    return [name, call] as const;
  });
  return replaceBuiltin(fs, Object.fromEntries(wrapped));
};

/** Changes what stat tells of a file, by its name and by how often it was asked, counted from 1. */
const withStats = (change: StatChange): Disposable => {
  const { statSync } = fs;
  const times = new Map<string, number>();
  return replaceBuiltin(fs, {
    statSync: (path: string, options: { readonly bigint: true; readonly throwIfNoEntry: false }) => {
      const name = basename(path);
      const time = (times.get(name) ?? 0) + 1;
      times.set(name, time);
      const changed = change(name, time);
      if (changed instanceof Error) throw changed;
      const stats = statSync(path, options);
      return changed === 'absent' ? undefined : stats && Object.assign(stats, changed);
    },
  });
};

/** Has stat tell what it told at first, as where timestamps are too coarse to tell. */
const withCoarseStats = (): Disposable => {
  const { statSync } = fs;
  const first = new Map<string, unknown>();
  return replaceBuiltin(fs, {
    statSync: (path: string, options: { readonly bigint: true }) => {
      if (!first.has(path)) first.set(path, statSync(path, options));
      return first.get(path);
    },
  });
};

const failing = (code: string): Error => Object.assign(new Error(code), { code });

describe('a reading of a mounted Secret', () => {
  let directory: TemporaryDirectory;
  const at = (...names: readonly string[]): string => join(directory.path, ...names);
  const read = (nowMs = LATER_MS): VolumeRead => readSecretVolume(directory.path, nowMs);
  const writePlain = (files: Readonly<Record<string, string | null>>): void =>
    Object.entries(files).forEach(([name, text]) => {
      if (text !== null) writeFileSync(at(name), text);
    });
  const renew = async (): Promise<void> => {
    await directory[Symbol.asyncDispose]();
    directory = await temporaryDirectory();
  };

  beforeEach(async () => {
    directory = await temporaryDirectory();
  });
  afterEach(() => directory[Symbol.asyncDispose]());

  /** How many calls of the file system a reading makes. */
  const countCalls = (): number => {
    let last = 0;
    during(
      beforeCall((call) => (last = call)),
      read,
    );
    return last;
  };

  /** One reading, during which something happens right before this call. */
  const readWhile = (moment: number, happens: () => void): unknown =>
    contentOf(
      during(
        beforeCall((call) => {
          if (call === moment) happens();
        }),
        read,
      ),
    );

  it('is of one generation or torn, at whatever moment the kubelet swaps them', async () => {
    for (const removesOld of [true, false]) {
      await renew();
      await atomicWriter(directory.path).write(secret('a'));
      const calls = countCalls();
      for (let moment = 1; moment <= calls + 1; moment += 1) {
        await renew();
        const writer = atomicWriter(directory.path);
        await writer.write(secret('a'));
        const [old = ''] = readdirSync(directory.path).filter((name) => /^\.\.\d/.test(name));
        await writer.prepare(secret('b'));
        const content = readWhile(moment, () => {
          renameSync(at('..data_tmp'), at('..data'));
          if (removesOld) rmSync(at(old), { recursive: true });
        });
        const expected = moment === 1 ? secret('b') : moment > calls ? secret('a') : TORN.type;
        expect(content, `swapped before call ${moment} of ${calls}`).to.deep.equal(expected);
      }
    }
  });

  it('is torn where a file cannot be read because the kubelet has swapped it away', async () => {
    const writer = atomicWriter(directory.path);
    await writer.write(secret('a'));
    await writer.prepare(secret('b'));
    const swapped = withStats((name) => {
      if (name !== 'tls.key') return null;
      renameSync(at('..data_tmp'), at('..data'));
      return failing('EIO');
    });
    expect(during(swapped, read)).to.deep.equal(TORN);
  });

  it('is that of before, that of afterwards or torn, at whatever moment a file of a plain directory changes', async () => {
    const whole = secret('a');
    for (const name of NAMES) {
      const without = { ...whole, [name]: null };
      const replace = (): void => {
        writeFileSync(at('new'), 'another one');
        renameSync(at('new'), at(name));
      };
      for (const [before, happens, afterwards] of [
        [whole, replace, { ...whole, [name]: 'another one' }],
        [whole, () => rmSync(at(name)), without],
        [without, () => writeFileSync(at(name), whole[name]), whole],
      ] as const) {
        const contents: unknown[] = [];
        for (let moment = 1, calls = 1; moment <= calls + 1; moment += 1) {
          await renew();
          writePlain(before);
          calls = countCalls();
          contents.push(readWhile(moment, happens));
        }
        const torn = contents.filter((each) => each === TORN.type);
        expect(contents[0]).to.deep.equal(afterwards);
        expect(contents.at(-1)).to.deep.equal(before);
        expect(torn).to.not.be.empty;
        for (const each of contents) expect([before, afterwards, TORN.type]).to.deep.include(each);
      }
    }
  });

  it('is torn where anything that identifies a file is another afterwards, for each file', () => {
    writePlain(secret('a'));
    for (const name of NAMES)
      for (const [field, value] of [
        ['ino', 1n],
        ['dev', 1n],
        ['size', 1n],
        ['mtimeNs', 1n],
        ['ctimeNs', 1n],
      ] as const) {
        const changed = withStats((asked, time) => (asked === name && time === 2 ? { [field]: value } : null));
        expect(during(changed, read), `${field} of ${name}`).to.deep.equal(TORN);
      }
    for (const name of NAMES)
      for (const when of [1, 2]) {
        const changed = withStats((asked, time) => (asked === name && time === when ? 'absent' : null));
        expect(during(changed, read), `${name} is absent for the stat ${when}`).to.deep.equal(TORN);
      }
    expect(contentOf(read())).to.deep.equal(secret('a'));
  });

  it('is torn where timestamps do not tell that tls.crt was written, or came or went, between its two readings', () => {
    for (const [before, after] of [
      ['crt a', 'crt b'],
      ['crt a', null],
      [null, 'crt a'],
    ] as const) {
      const put = (text: string | null): void =>
        text === null ? rmSync(at('tls.crt'), { force: true }) : writeFileSync(at('tls.crt'), text);
      writePlain(secret('a'));
      put(before);
      const { openSync } = fs;
      let opened = 0;
      const written = replaceBuiltin(fs, {
        openSync: (path: string, ...flags: readonly [number]) => {
          if (basename(path) === 'tls.crt' && (opened += 1) === 2) put(after);
          return openSync(path, ...flags);
        },
      });
      const result = during(written, () => during(withCoarseStats(), read));
      expect(result, `${before ?? 'none'}, then ${after ?? 'none'}`).to.deep.equal(TORN);
    }
  });

  it('is whole without any file, and with a ..data that is no link', () => {
    const nothing = { 'tls.crt': null, 'tls.key': null, 'ca.crt': null };
    expect(contentOf(read())).to.deep.equal(nothing);
    mkdirSync(at('..data'));
    writePlain(secret('a'));
    expect(contentOf(read())).to.deep.equal(secret('a'));
  });

  it('names what cannot be read, and by which error', () => {
    writePlain(secret('a'));
    const problemOf = (replaced: Disposable): unknown => {
      const result = during(replaced, read);
      return result.type === 'failed' ? result.problem : result;
    };
    for (const name of NAMES)
      expect(problemOf(withStats((asked) => (asked === name ? failing('EACCES') : null)))).to.equal(
        `unreadable: ${name} EACCES`,
      );
    const readlinkSync = (): never => {
      throw failing('EIO');
    };
    expect(problemOf(replaceBuiltin(fs, { readlinkSync }))).to.equal('unreadable: ..data EIO');
    writeFileSync(at('tls.key'), Buffer.alloc(2 ** 20 + 1));
    expect(problemOf(withStats(() => null))).to.equal('too-large: tls.key');
    expect(problemOf(withStats((name) => (name === 'tls.key' ? { size: 1n } : null)))).to.equal('too-large: tls.key');
  });

  it('opens no file at all where the size of one tells that it is too large', () => {
    const { openSync } = fs;
    for (const name of NAMES) {
      writePlain({ ...secret('a'), [name]: 'x'.repeat(2 ** 20 + 1) });
      const opened: string[] = [];
      const watched = replaceBuiltin(fs, {
        openSync: (path: string, ...flags: readonly [number]) => {
          opened.push(basename(path));
          return openSync(path, ...flags);
        },
      });
      const result = during(watched, read);
      expect({ result, opened }).to.deep.equal({
        result: { type: 'failed', problem: `too-large: ${name}` },
        opened: [],
      });
    }
  });

  it('is too large, not torn, where a file has outgrown the limit by the end', () => {
    writePlain(secret('a'));
    for (const name of NAMES) {
      const size = BigInt(2 ** 20 + 1);
      const grown = withStats((asked, time) => (asked === name && time === 2 ? { size } : null));
      expect(during(grown, read)).to.deep.equal({ type: 'failed', problem: `too-large: ${name}` });
    }
  });

  it('is an error where this program is wrong, which is no problem of the volume', () => {
    writePlain(secret('a'));
    const wrong = withStats(() => ({ isFile: null as never }));
    expect(() => during(wrong, read)).to.throw(TypeError);
  });

  describe('can be glanced at', () => {
    const isUnmoved = (nowMs?: number): (() => boolean) | null => {
      const result = read(nowMs);
      if (result.type !== 'read') throw new Error(`the reading is ${result.type}`);
      return result.isUnmoved;
    };

    it('once its youngest file is older than two seconds, the longest tick of timestamps', () => {
      writePlain({ ...secret('a'), 'ca.crt': null });
      const changedMs = 1_000_000;
      const at = (ageMs: number) =>
        during(
          withStats((name) => ({
            ctimeNs: BigInt(name === 'tls.crt' ? changedMs : changedMs - 60_000) * 1_000_000n,
          })),
          () => isUnmoved(changedMs + ageMs),
        );
      expect(at(2_000)).to.equal(null);
      expect(at(2_001)).to.be.a('function');
    });

    it('and has moved once a file or the link can no longer be looked at', () => {
      writePlain(secret('a'));
      const plain = isUnmoved()!;
      expect(plain()).to.equal(true);
      for (const name of NAMES)
        expect(
          during(
            withStats((asked) => (asked === name ? failing('EIO') : null)),
            plain,
          ),
          name,
        ).to.equal(false);
      const lstatSync = (): never => {
        throw failing('EIO');
      };
      expect(during(replaceBuiltin(fs, { lstatSync }), plain)).to.equal(false);
    });

    it('and has moved once another generation has been swapped in, or its link is gone', async () => {
      const writer = atomicWriter(directory.path);
      await writer.write(secret('a'));
      const ofGeneration = isUnmoved()!;
      expect(ofGeneration()).to.equal(true);
      await writer.prepare(secret('a'));
      renameSync(at('..data_tmp'), at('..data'));
      expect(ofGeneration()).to.equal(false);
      rmSync(at('..data'));
      expect(ofGeneration()).to.equal(false);
    });
  });
});
