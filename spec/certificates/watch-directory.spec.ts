import { EventEmitter } from 'node:events';
import fs from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import type { Subscription } from 'rxjs';
import { openMount } from '../../src/certificates/mount.ts';
import { watchDirectory, type WatchOptions } from '../../src/certificates/watch-directory.ts';
import { atomicWriter } from '../support/atomic-writer.ts';
import { replaceBuiltin } from '../support/replace-builtin.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';

const failure = (code: string): Error => Object.assign(new Error(code), { code });

const until = async (holds: () => boolean): Promise<void> => {
  for (let waits = 0; !holds(); waits += 1) {
    if (waits === 500) throw new Error('did not come true within 5 s');
    await sleep(10);
  }
};

describe('watchDirectory', () => {
  let directory: TemporaryDirectory;
  let subscription: Subscription | undefined;
  let moves: number;
  let troubles: string[];

  const watch = (path: string, options: WatchOptions = {}) => {
    subscription = watchDirectory(path, {
      rearmMs: 20,
      onFailure: (kind, detail) => troubles.push(`${kind}: ${detail.split(' ')[0] ?? ''}`),
      ...options,
    }).subscribe(() => (moves += 1));
  };

  const writeUntilNoticed = async (write: () => Promise<void>) => {
    const before = moves;
    for (let writes = 0; moves === before; writes += 1) {
      if (writes === 100) throw new Error('never noticed');
      await write();
      await sleep(20);
    }
  };

  beforeEach(async () => {
    directory = await temporaryDirectory();
    moves = 0;
    troubles = [];
  });

  afterEach(async () => {
    subscription?.unsubscribe();
    await directory[Symbol.asyncDispose]();
  });

  it('notices swap after swap of a kubelet', async () => {
    const writer = atomicWriter(directory.path);
    await writer.write({ 'tls.crt': '0' });
    subscription = openMount(directory.path).moved$.subscribe(() => (moves += 1));

    for (let swap = 1; swap <= 5; swap += 1) await writeUntilNoticed(() => writer.write({ 'tls.crt': String(swap) }));
  });

  it('notices a plain file rewritten', async () => {
    watch(directory.path);

    await writeUntilNoticed(() => writeFile(join(directory.path, 'tls.crt'), 'x'));

    expect(troubles).to.be.empty;
  });

  it('does not stir for what a kubelet only prepares', async () => {
    let tell: (event: string, name: string | null) => void = () => undefined;
    const open: WatchOptions['open'] = (_, listener) => {
      tell = listener;
      return Object.assign(new EventEmitter(), { close: () => undefined });
    };
    let opened = false;
    watch(directory.path, {
      open: (...args) => {
        opened = true;
        return open(...args);
      },
    });
    await until(() => opened);

    for (const name of ['..data_tmp', '..2026_01_31_10_00_00.1']) tell('rename', name);
    expect(moves).to.equal(0);
    for (const name of ['..data', 'tls.crt', null]) tell('rename', name);
    expect(moves).to.equal(3);
  });

  it('says once that the directory is absent, and watches it from when it appears', async () => {
    const path = join(directory.path, 'later');
    watch(path);
    await until(() => troubles.length > 0);
    await sleep(100);
    await mkdir(path);
    await until(() => moves === 1);

    await writeUntilNoticed(() => writeFile(join(path, 'tls.crt'), 'x'));

    expect(troubles).to.deep.equal(['directory-absent: ENOENT']);
  });

  it('watches the new directory when the old one has been replaced', async () => {
    const path = join(directory.path, 'certs');
    await mkdir(path);
    watch(path);
    await writeUntilNoticed(() => writeFile(join(path, 'tls.crt'), 'x'));
    await rename(path, join(directory.path, 'old'));
    await mkdir(path);
    await sleep(100);

    await writeUntilNoticed(() => writeFile(join(path, 'tls.crt'), 'y'));
  });

  /** A watch that tells of nothing, and how often one was opened. */
  const silent = () => {
    const watching = {
      opened: 0,
      open: () => {
        watching.opened += 1;
        return Object.assign(new EventEmitter(), { close: () => undefined });
      },
    };
    return watching;
  };

  it('is moved where the directory has been replaced, of which no watch tells', async () => {
    const path = join(directory.path, 'certs');
    await mkdir(path);
    const watching = silent();
    watch(path, watching);
    await until(() => watching.opened === 1);
    expect(moves).to.equal(0);

    await rename(path, join(directory.path, 'old'));
    await mkdir(path);
    await until(() => moves === 1);

    expect(watching.opened).to.equal(2);
  });

  it('keeps its watch for as long as the directory is the same, by the last digit of its number', async () => {
    let [asked, inode] = [0, 2n ** 60n];
    const numbered = replaceBuiltin(fs, {
      statSync: (_: string, options?: { readonly bigint?: boolean }) => {
        asked += 1;
        return options?.bigint === true ? { dev: 1n, ino: inode } : { dev: 1, ino: Number(inode) };
      },
    });
    try {
      const watching = silent();
      watch(directory.path, watching);
      await until(() => asked > 3);
      expect(watching.opened).to.equal(1);

      inode += 1n;
      await until(() => watching.opened === 2);
    } finally {
      numbered[Symbol.dispose]();
    }
  });

  it('does not keep the process alive', () => {
    const asked: unknown[] = [];
    const watcher = replaceBuiltin(fs, {
      watch: (...args: readonly unknown[]) => {
        asked.push(args.slice(0, 2));
        return Object.assign(new EventEmitter(), { close: () => undefined });
      },
    });
    watch(directory.path);
    watcher[Symbol.dispose]();

    expect(asked).to.deep.equal([[directory.path, { persistent: false }]]);
  });

  it('takes a directory below a file for an absent one, whether or not anybody asks for failures', async () => {
    const path = await directory.write('file', '');
    watch(join(path, 'below'));
    await until(() => troubles.length > 0);
    expect(troubles).to.deep.equal(['directory-absent: ENOTDIR']);

    const errors: unknown[] = [];
    const unheard = watchDirectory(join(path, 'below')).subscribe({ error: (error: unknown) => errors.push(error) });
    unheard.unsubscribe();
    expect(errors).to.deep.equal([]);
  });

  for (const [code, kind] of [
    ['ENOSPC', 'watches-exhausted'],
    ['EMFILE', 'watches-exhausted'],
    ['ENFILE', 'watches-exhausted'],
    ['ENOSYS', 'watch-failed'],
  ] as const) {
    it(`stays silent and alive under ${code}, says so once, and works once it can`, async () => {
      let tries = 0;
      let working = false;
      watch(directory.path, {
        open: (...[, listener]) => {
          tries += 1;
          if (!working && tries % 2 === 1) throw failure(code);
          const watcher = Object.assign(new EventEmitter(), { close: () => undefined });
          queueMicrotask(() => (working ? listener('change', 'tls.crt') : watcher.emit('error', failure(code))));
          return watcher;
        },
      });
      await until(() => tries > 4);
      expect(troubles).to.deep.equal([`${kind}: ${code}`]);
      const before = moves;
      working = true;

      await until(() => moves > before);
    });
  }

  it('closes its watch when nobody listens any more', async () => {
    let open = 0;
    watch(directory.path, {
      open: () => {
        open += 1;
        return Object.assign(new EventEmitter(), { close: () => (open -= 1) });
      },
    });
    await until(() => open === 1);

    subscription?.unsubscribe();

    expect(open).to.equal(0);
    await rm(directory.path, { recursive: true });
  });
});
